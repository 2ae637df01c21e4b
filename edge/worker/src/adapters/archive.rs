//! The permanent transcript in D1.

use bulle_edge_core::{
    model::Owner,
    ports::{Archive, Kept, PortError},
    record::{Call, Record, StoredMessage},
};
use bulle_protocol::Id;
use serde::Serialize;
use worker::{D1Database, D1PreparedStatement};

use super::{Edge, gaps, nullable, port_error, profiles::has_rows, time};

impl Archive for Edge {
    async fn record(&self, record: &Record) -> Result<Kept, PortError> {
        let db = self.db()?;
        let last = record.reply.as_ref().unwrap_or(&record.question);
        let owner = &record.owner;
        let conversation = db.prepare(
            "INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) \
             AND NOT EXISTS (SELECT 1 FROM erased WHERE tenant_id = ?1 AND visitor_id = ?4) \
             ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at) RETURNING id",
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
            if reply.evidence.unanswered {
                statements.push(gaps::note(&db, record, reply)?);
            }
            if !record.calls.is_empty() {
                statements.push(calls(
                    &db,
                    (owner, record.conversation_id, Some(record.question.id)),
                    &reply.id.to_string(),
                    &record.calls,
                )?);
            }
        }
        // A batch is one transaction: a conversation is never without its message. A turn that outlives its bot, or
        // its visitor's data, leaves nothing but what it has cost: what was deleted does not come back.
        let done = db.batch(statements).await.map_err(port_error)?;
        Ok(match has_rows(done.first())? {
            true => Kept::Everything,
            false => Kept::Costs,
        })
    }

    async fn record_calls(
        &self,
        owner: &Owner,
        conversation_id: Id,
        question_id: Option<Id>,
        id_prefix: &str,
        list: &[Call],
    ) -> Result<(), PortError> {
        if list.is_empty() {
            return Ok(());
        }
        let db = self.db()?;
        let statement = calls(&db, (owner, conversation_id, question_id), id_prefix, list)?;
        statement.run().await.map_err(port_error)?;
        Ok(())
    }
}

/// Stores calls that are not stored yet: in one statement, however many there are. `of` says whose they are, in which
/// conversation, and to which message.
fn calls(
    db: &D1Database,
    of: (&Owner, Id, Option<Id>),
    id_prefix: &str,
    list: &[Call],
) -> Result<D1PreparedStatement, PortError> {
    let (owner, conversation_id, question_id) = of;
    // An owner's price may be any number. A call for a million dollars is none, and a sum must not overflow.
    let statement = db.prepare(
        "INSERT INTO model_call (tenant_id, id, bot_id, conversation_id, question_id, purpose, provider, model, \
         outcome, status, input_tokens, output_tokens, estimated, microusd, first_token_ms, total_ms, created_at) \
         SELECT ?1, ?4 || '/' || key, ?2, ?3, ?5, value ->> 'purpose', value ->> 'provider', value ->> 'model', \
         value ->> 'outcome', value ->> 'status', value ->> '$.usage.input_tokens', \
         value ->> '$.usage.output_tokens', coalesce(value ->> '$.usage.estimated', 0), \
         min(value ->> 'microusd', 1000000000000), value ->> 'first_token_ms', value ->> 'total_ms', value ->> 'at' \
         FROM json_each(?6) WHERE EXISTS (SELECT 1 FROM tenant WHERE id = ?1) \
         ON CONFLICT (tenant_id, id) DO NOTHING",
    );
    let statement = statement.bind(&[
        owner.tenant_id.as_str().into(),
        owner.bot_id.as_str().into(),
        conversation_id.to_string().into(),
        id_prefix.into(),
        nullable(question_id.map(|id| id.to_string())),
        json(&list)?.into(),
    ]);
    statement.map_err(port_error)
}

fn message(
    db: &D1Database,
    record: &Record,
    message: &StoredMessage,
    reply_to: Option<String>,
) -> Result<D1PreparedStatement, PortError> {
    let statement = db.prepare(
        "INSERT OR REPLACE INTO message (tenant_id, conversation_id, position, id, role, text, blocks, sources, \
         status, reply_to, finish, error, provider, model, input_tokens, output_tokens, created_at, estimated, evidence) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19 \
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
        u8::from(message.usage.estimated).into(),
        json(&message.evidence)?.into(),
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
