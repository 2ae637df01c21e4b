//! Responses to creations with an `Idempotency-Key`, kept for a day.

use bulle_edge_core::ports::PortError;
use serde::Deserialize;

use super::Owned;
use crate::d1::{Database, Statement, values};

/// Milliseconds for which a response is kept.
const KEPT_MS: u64 = 24 * 3_600_000;

/// A response and the request that it answered.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Remembered {
    /// Value of the header `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the request, hexadecimal.
    pub fingerprint: String,
    /// JSON, without secrets.
    pub response: String,
    /// `ETag` of the response.
    pub etag: String,
}

impl<D: Database> Owned<D> {
    /// The response to the creation with this key in the last day.
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
        let since = now_ms.saturating_sub(KEPT_MS);
        self.0
            .first(Statement::new(sql, values![tenant_id, key, since]))
            .await
    }
}

/// Stores a response, and deletes those of the tenant that are older than a day. Fails when there is one for the key.
pub(super) fn statements(tenant_id: &str, remembered: &Remembered, now_ms: u64) -> [Statement; 2] {
    let old = "DELETE FROM idempotency WHERE tenant_id = ?1 AND created_at <= ?2";
    let new = "INSERT INTO idempotency (tenant_id, key, fingerprint, response, etag, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let since = now_ms.saturating_sub(KEPT_MS);
    [
        Statement::new(old, values![tenant_id, since]),
        Statement::new(
            new,
            values![
                tenant_id,
                &remembered.key,
                &remembered.fingerprint,
                &remembered.response,
                &remembered.etag,
                now_ms,
            ],
        ),
    ]
}
