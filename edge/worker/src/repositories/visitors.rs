//! Visitors whom a site's server has identified.

use bulle_edge_core::{model::Identity, ports::PortError};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, to_id, values};

/// Identified visitors.
pub struct Visitors<D>(pub D);

#[derive(Deserialize)]
struct Row {
    id: String,
}

impl<D: Database> Visitors<D> {
    /// The id of the visitor with this identity: the one stored before, or `fresh`, which is stored now. Their name,
    /// address and tier become those of the identity.
    ///
    /// # Errors
    /// The database failed.
    pub async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        now_ms: u64,
    ) -> Result<Id, PortError> {
        let statement = Statement::new(
            "INSERT INTO visitor (tenant_id, subject, id, name, email, tier, created_at, seen_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) \
             ON CONFLICT (tenant_id, subject) DO UPDATE SET name = excluded.name, email = excluded.email, \
             tier = excluded.tier, seen_at = excluded.seen_at RETURNING id",
            values![
                tenant_id,
                &identity.subject,
                fresh,
                &identity.name,
                &identity.email,
                &identity.tier,
                now_ms,
            ],
        );
        let row: Option<Row> = self.0.first(statement).await?;
        let row = row.ok_or_else(|| PortError("D1: a visitor was not stored".to_owned()))?;
        to_id(&row.id)
    }
}
