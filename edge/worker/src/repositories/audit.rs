//! Writing the audit.

use bulle_edge_core::ports::PortError;
use bulle_protocol::Id;

use crate::d1::{Database, Statement, values};

/// Milliseconds for which an entry stays.
pub const KEPT_MS: u64 = 365 * 86_400_000;

/// The audit.
pub struct Audit<D>(pub D);

/// An entry that is to be stored.
pub struct Entry<'e> {
    /// Its id.
    pub id: Id,
    /// Unix milliseconds.
    pub at: u64,
    /// The tenant; empty for what is the operator's.
    pub tenant_id: &'e str,
    /// Who did it.
    pub person_id: Option<Id>,
    /// With which key.
    pub key_id: Option<Id>,
    /// The operation.
    pub action: &'e str,
    /// The address below the tenant.
    pub object: &'e str,
    /// More of it.
    pub detail: Option<&'e str>,
}

impl<D: Database> Audit<D> {
    /// Stores an entry.
    ///
    /// # Errors
    /// The database failed.
    pub async fn write(&self, entry: &Entry<'_>) -> Result<(), PortError> {
        let sql = "INSERT INTO audit (tenant_id, id, at, person_id, key_id, action, object, detail) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = values![
            entry.tenant_id,
            entry.id,
            entry.at,
            entry.person_id,
            entry.key_id,
            entry.action,
            entry.object,
            entry.detail,
        ];
        self.0.execute(Statement::new(sql, values)).await
    }

    /// Deletes what is older than [`KEPT_MS`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_old(&self, now_ms: u64) -> Result<(), PortError> {
        let before = now_ms.saturating_sub(KEPT_MS);
        self.0
            .execute(Statement::new(
                "DELETE FROM audit WHERE at < ?1",
                values![before],
            ))
            .await
    }
}
