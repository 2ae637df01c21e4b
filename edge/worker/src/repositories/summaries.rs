//! Summaries of the beginnings of long conversations. All are kept, because the prompts of earlier answers contain
//! them.

use bulle_edge_core::{
    model::{Owner, Summary},
    ports::PortError,
};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, values};

/// Summaries of conversations.
pub struct Summaries<D>(pub D);

#[derive(Deserialize)]
struct Row {
    text: String,
    until: u32,
}

impl<D: Database> Summaries<D> {
    /// The summary that covers most of the conversation. `None` when the owner's conversation has none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError> {
        let statement = Statement::new(
            "SELECT summary.text, summary.until FROM conversation \
             JOIN summary ON summary.tenant_id = conversation.tenant_id AND summary.conversation_id = conversation.id \
             WHERE conversation.tenant_id = ?1 AND conversation.id = ?2 AND conversation.visitor_id = ?3 \
             AND conversation.bot_id = ?4 ORDER BY summary.until DESC LIMIT 1",
            values![
                &owner.tenant_id,
                conversation_id,
                owner.visitor_id,
                &owner.bot_id,
            ],
        );
        let row: Option<Row> = self.0.first(statement).await?;
        Ok(row.map(|row| Summary {
            text: row.text,
            until: row.until,
        }))
    }

    /// Stores a summary, unless there is one up to the same position or the conversation is gone: a deleted
    /// conversation does not come back, and a summary that is part of earlier prompts does not change.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep(
        &self,
        owner: &Owner,
        conversation_id: Id,
        summary: &Summary,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statement = Statement::new(
            "INSERT INTO summary (tenant_id, conversation_id, until, text, created_at) \
             SELECT ?1, ?2, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM conversation \
             WHERE tenant_id = ?1 AND id = ?2 AND visitor_id = ?3 AND bot_id = ?4) \
             ON CONFLICT (tenant_id, conversation_id, until) DO NOTHING",
            values![
                &owner.tenant_id,
                conversation_id,
                owner.visitor_id,
                &owner.bot_id,
                summary.until,
                &summary.text,
                now_ms,
            ],
        );
        self.0.execute(statement).await
    }
}
