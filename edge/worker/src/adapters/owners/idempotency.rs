//! What was answered to creations with an `Idempotency-Key`.

use bulle_edge_core::ports::PortError;
use serde::Deserialize;
use worker::{D1Database, D1PreparedStatement};

use super::{bind, time};
use crate::adapters::{Edge, port_error};

/// Milliseconds for which an answer is kept.
const KEPT_MS: u64 = 24 * 3_600_000;

/// An answer and the request that it was given to.
#[derive(Deserialize)]
pub struct Remembered {
    /// The header's value.
    pub key: String,
    /// SHA-256 of the request, hexadecimal.
    pub fingerprint: String,
    /// JSON, without secrets.
    pub response: String,
    /// Of the answer.
    pub etag: String,
}

impl Edge {
    /// What was answered to the creation with this key in the last day.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remembered(
        &self,
        tenant_id: &str,
        key: &str,
        now_ms: u64,
    ) -> Result<Option<Remembered>, PortError> {
        let sql = "SELECT key, fingerprint, response, etag FROM idempotency \
                   WHERE tenant_id = ?1 AND key = ?2 AND created_at > ?3";
        let since = time(now_ms.saturating_sub(KEPT_MS));
        let statement = bind(&self.db()?, sql, &[tenant_id.into(), key.into(), since])?;
        statement.first(None).await.map_err(port_error)
    }
}

/// Remembers an answer, and forgets old ones in passing. Fails when there is one for the key already.
pub fn statements(
    db: &D1Database,
    tenant_id: &str,
    remembered: &Remembered,
    now_ms: u64,
) -> Result<[D1PreparedStatement; 2], PortError> {
    let old = "DELETE FROM idempotency WHERE tenant_id = ?1 AND created_at <= ?2";
    let new = "INSERT INTO idempotency (tenant_id, key, fingerprint, response, etag, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = [
        tenant_id.into(),
        remembered.key.as_str().into(),
        remembered.fingerprint.as_str().into(),
        remembered.response.as_str().into(),
        remembered.etag.as_str().into(),
        time(now_ms),
    ];
    let since = time(now_ms.saturating_sub(KEPT_MS));
    Ok([
        bind(db, old, &[tenant_id.into(), since])?,
        bind(db, new, &values)?,
    ])
}
