//! The permanent transcript: conversations, their messages, and the model calls that they have cost.

use bulle_edge_core::{
    model::Owner,
    ports::{Kept, PortError},
    record::{ModelCall, Record, StoredMessage},
};
use bulle_protocol::{Id, problem::Code};

use super::gaps;
use crate::d1::{Database, Statement, to_json, to_name, values};

/// Stored turns.
pub struct Transcripts<D>(pub D);

impl<D: Database> Transcripts<D> {
    /// Stores a turn; storing it again changes nothing. When the bot or the visitor's data were deleted meanwhile, only
    /// the cost is stored: deleted data does not come back.
    ///
    /// # Errors
    /// The database failed; nothing was stored then, so that no conversation is without its message.
    pub async fn record(&self, record: &Record) -> Result<Kept, PortError> {
        let last = record.reply.as_ref().unwrap_or(&record.question);
        let owner = &record.owner;
        let mut statements = vec![
            Statement::new(
                "INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) \
                 AND NOT EXISTS (SELECT 1 FROM erased WHERE tenant_id = ?1 AND visitor_id = ?4) \
                 ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at) RETURNING id",
                values![
                    &owner.tenant_id,
                    record.conversation_id,
                    &owner.bot_id,
                    owner.visitor_id,
                    &record.title,
                    record.question.created_at,
                    last.created_at,
                ],
            ),
            message(record, &record.question, None)?,
        ];
        if let Some(reply) = &record.reply {
            statements.push(message(record, reply, Some(record.question.id))?);
            if reply.evidence.unanswered {
                statements.push(gaps::note(record, reply));
            }
            if !record.calls.is_empty() {
                statements.push(calls(
                    (owner, record.conversation_id, Some(record.question.id)),
                    &reply.id.to_string(),
                    &record.calls,
                )?);
            }
        }
        let done = self.0.run(statements).await?;
        let stored = done.first().is_some_and(|rows| !rows.is_empty());
        Ok(if stored {
            Kept::Everything
        } else {
            Kept::Costs
        })
    }

    /// Stores calls under the ids `{id_prefix}/{n}`; storing them again changes nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_calls(
        &self,
        owner: &Owner,
        conversation_id: Id,
        question_id: Option<Id>,
        id_prefix: &str,
        list: &[ModelCall],
    ) -> Result<(), PortError> {
        if list.is_empty() {
            return Ok(());
        }
        let statement = calls((owner, conversation_id, question_id), id_prefix, list)?;
        self.0.execute(statement).await
    }
}

/// Stores calls that are not stored yet, in one statement, however many there are. `of` is their owner, the conversation,
/// and the message that they were made for.
fn calls(
    of: (&Owner, Id, Option<Id>),
    id_prefix: &str,
    list: &[ModelCall],
) -> Result<Statement, PortError> {
    let (owner, conversation_id, question_id) = of;
    // An owner's price may be any number. A call's cost is limited to a million dollars, so that a sum cannot overflow.
    Ok(Statement::new(
        "INSERT INTO model_call (tenant_id, id, bot_id, conversation_id, question_id, purpose, provider, model, \
         outcome, status, input_tokens, output_tokens, estimated, microusd, first_token_ms, total_ms, created_at) \
         SELECT ?1, ?4 || '/' || key, ?2, ?3, ?5, value ->> 'purpose', value ->> 'provider', value ->> 'model', \
         value ->> 'outcome', value ->> 'status', value ->> '$.usage.input_tokens', \
         value ->> '$.usage.output_tokens', coalesce(value ->> '$.usage.estimated', 0), \
         min(value ->> 'microusd', 1000000000000), value ->> 'first_token_ms', value ->> 'total_ms', value ->> 'at' \
         FROM json_each(?6) WHERE EXISTS (SELECT 1 FROM tenant WHERE id = ?1) \
         ON CONFLICT (tenant_id, id) DO NOTHING",
        values![
            &owner.tenant_id,
            &owner.bot_id,
            conversation_id,
            id_prefix,
            question_id,
            to_json(list)?,
        ],
    ))
}

fn message(
    record: &Record,
    message: &StoredMessage,
    reply_to: Option<Id>,
) -> Result<Statement, PortError> {
    Ok(Statement::new(
        "INSERT OR REPLACE INTO message (tenant_id, conversation_id, position, id, role, text, blocks, sources, \
         status, reply_to, finish, error, provider, model, input_tokens, output_tokens, created_at, estimated, evidence) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19 \
         WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?2)",
        values![
            &record.owner.tenant_id,
            record.conversation_id,
            message.position,
            message.id,
            to_name(&message.role)?,
            &message.text,
            to_json(&message.blocks)?,
            to_json(&message.sources)?,
            to_name(&message.status)?,
            reply_to,
            message.finish.as_ref().map(to_name).transpose()?,
            message.error.map(Code::as_str),
            &message.provider,
            &message.model,
            message.usage.input_tokens,
            message.usage.output_tokens,
            message.created_at,
            message.usage.estimated,
            to_json(&message.evidence)?,
        ],
    ))
}
