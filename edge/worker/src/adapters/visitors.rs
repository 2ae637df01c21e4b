//! Visitors whom a site's server has vouched for, in D1.

use bulle_edge_core::{
    model::Identity,
    ports::{PortError, Visitors},
};
use bulle_protocol::Id;
use serde::Deserialize;

use super::{Edge, port_error, time};

#[derive(Deserialize)]
struct Row {
    id: String,
}

impl Visitors for Edge {
    async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        now_ms: u64,
    ) -> Result<Id, PortError> {
        let statement = self.db()?.prepare(
            "INSERT INTO visitor (tenant_id, subject, id, name, email, tier, created_at, seen_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) \
             ON CONFLICT (tenant_id, subject) DO UPDATE SET name = excluded.name, email = excluded.email, \
             tier = excluded.tier, seen_at = excluded.seen_at RETURNING id",
        );
        let statement = statement.bind(&[
            tenant_id.into(),
            identity.subject.as_str().into(),
            fresh.to_string().into(),
            identity.name.as_str().into(),
            identity.email.as_str().into(),
            identity.tier.as_str().into(),
            time(now_ms),
        ]);
        let row: Option<Row> = statement
            .map_err(port_error)?
            .first(None)
            .await
            .map_err(port_error)?;
        let id = row.and_then(|row| row.id.parse().ok());
        id.ok_or_else(|| PortError("D1: a visitor has no id".to_owned()))
    }
}
