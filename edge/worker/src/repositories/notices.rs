//! Notices to owners.

use bulle_api::notice::{Delivery, Notice};
use bulle_edge_core::ports::PortError;
use bulle_protocol::Id;

use crate::d1::{Database, Statement, to_json, values};

/// Notices to owners.
pub struct Notices<D>(pub D);

impl<D: Database> Notices<D> {
    /// Stores the notice. False when the tenant has one of this kind and subject already: an owner is notified once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert(&self, tenant_id: &str, notice: &Notice) -> Result<bool, PortError> {
        let statement = Statement::new(
            "INSERT INTO notice (tenant_id, id, kind, about, bot_id, detail, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (tenant_id, kind, about) DO NOTHING RETURNING id",
            values![
                tenant_id,
                notice.id,
                notice.kind.as_str(),
                &notice.about,
                notice.bot_id.as_deref(),
                to_json(&notice.detail)?,
                notice.created_at,
            ],
        );
        self.0.any(statement).await
    }

    /// Adds a delivery to a stored notice. Webhook and mail end at different times, so each is added to the stored
    /// list.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delivered(
        &self,
        tenant_id: &str,
        id: Id,
        delivery: &Delivery,
    ) -> Result<(), PortError> {
        let statement = Statement::new(
            "UPDATE notice SET deliveries = json_insert(deliveries, '$[#]', json(?3)) \
             WHERE tenant_id = ?1 AND id = ?2",
            values![tenant_id, id, to_json(delivery)?],
        );
        self.0.execute(statement).await
    }
}
