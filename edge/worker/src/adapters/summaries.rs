//! Summaries of conversations in D1.

use bulle_edge_core::{
    model::{Owner, Summary},
    ports::{Clock, PortError, Summaries},
};
use bulle_protocol::Id;
use serde::Deserialize;

use super::{Edge, port_error, time};

#[derive(Deserialize)]
struct Row {
    text: String,
    until: u32,
}

impl Summaries for Edge {
    async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError> {
        let statement = self.db()?.prepare(
            "SELECT summary.text, summary.until FROM conversation \
             JOIN summary ON summary.tenant_id = conversation.tenant_id AND summary.conversation_id = conversation.id \
             WHERE conversation.tenant_id = ?1 AND conversation.id = ?2 AND conversation.visitor_id = ?3 \
             AND conversation.bot_id = ?4 ORDER BY summary.until DESC LIMIT 1",
        );
        let statement = statement.bind(&[
            owner.tenant_id.as_str().into(),
            conversation_id.to_string().into(),
            owner.visitor_id.to_string().into(),
            owner.bot_id.as_str().into(),
        ]);
        let found = statement.map_err(port_error)?.first::<Row>(None).await;
        Ok(found.map_err(port_error)?.map(|row| Summary {
            text: row.text,
            until: row.until,
        }))
    }

    async fn keep(
        &self,
        owner: &Owner,
        conversation_id: Id,
        summary: &Summary,
    ) -> Result<(), PortError> {
        // What an owner has deleted does not come back, and what answers were given with does not change.
        let statement = self.db()?.prepare(
            "INSERT INTO summary (tenant_id, conversation_id, until, text, created_at) \
             SELECT ?1, ?2, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM conversation \
             WHERE tenant_id = ?1 AND id = ?2 AND visitor_id = ?3 AND bot_id = ?4) \
             ON CONFLICT (tenant_id, conversation_id, until) DO NOTHING",
        );
        let statement = statement.bind(&[
            owner.tenant_id.as_str().into(),
            conversation_id.to_string().into(),
            owner.visitor_id.to_string().into(),
            owner.bot_id.as_str().into(),
            summary.until.into(),
            summary.text.as_str().into(),
            time(self.now_ms()),
        ]);
        let done = statement.map_err(port_error)?.run().await;
        done.map(drop).map_err(port_error)
    }
}
