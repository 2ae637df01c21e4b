//! The permanent transcript in D1.

use bulle_edge_core::{
    ports::{Archive, PortError},
    record::{Record, StoredMessage},
};
use serde::Serialize;
use worker::{D1Database, D1PreparedStatement};

use super::{Edge, nullable, port_error, time};

impl Archive for Edge {
    async fn record(&self, record: &Record) -> Result<(), PortError> {
        let db = self.db()?;
        let last = record.reply.as_ref().unwrap_or(&record.question);
        let owner = &record.owner;
        let conversation = db.prepare(
            "INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) \
             ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)",
        );
        let conversation = conversation.bind(&[
            owner.tenant_id.as_str().into(),
            record.conversation_id.to_string().into(),
            owner.bot_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            record.title.as_str().into(),
            time(record.question.created_at),
            time(last.created_at),
        ]);
        let mut statements = vec![
            conversation.map_err(port_error)?,
            message(&db, record, &record.question, None)?,
        ];
        if let Some(reply) = &record.reply {
            statements.push(message(
                &db,
                record,
                reply,
                Some(record.question.id.to_string()),
            )?);
        }
        // A batch is one transaction: a conversation is never without its message. A turn that outlives its bot leaves
        // nothing: what an owner has deleted does not come back.
        db.batch(statements).await.map_err(port_error)?;
        Ok(())
    }
}

fn message(
    db: &D1Database,
    record: &Record,
    message: &StoredMessage,
    reply_to: Option<String>,
) -> Result<D1PreparedStatement, PortError> {
    let statement = db.prepare(
        "INSERT OR REPLACE INTO message (tenant_id, conversation_id, position, id, role, text, blocks, sources, \
         status, reply_to, finish, error, provider, model, input_tokens, output_tokens, created_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 \
         WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?2)",
    );
    let statement = statement.bind(&[
        record.owner.tenant_id.as_str().into(),
        record.conversation_id.to_string().into(),
        message.position.into(),
        message.id.to_string().into(),
        name(&message.role)?.into(),
        message.text.as_str().into(),
        json(&message.blocks)?.into(),
        json(&message.sources)?.into(),
        name(&message.status)?.into(),
        nullable(reply_to),
        nullable(message.finish.as_ref().map(name).transpose()?),
        nullable(message.error.map(|code| code.as_str().to_owned())),
        message.provider.as_str().into(),
        message.model.as_str().into(),
        message.usage.input_tokens.into(),
        message.usage.output_tokens.into(),
        time(message.created_at),
    ]);
    statement.map_err(port_error)
}

fn json<T: Serialize>(value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|e| PortError(e.to_string()))
}

/// The name of a unit variant, without the quotes of JSON.
fn name<T: Serialize>(value: &T) -> Result<String, PortError> {
    Ok(json(value)?.trim_matches('"').to_owned())
}
