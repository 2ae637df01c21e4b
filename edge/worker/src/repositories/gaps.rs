//! Questions that a bot could not answer, and visitors' ratings of its answers.

use bulle_api::admin::gap::GapQuestion;
use bulle_edge_core::{
    knowledge::gaps::{Closed, Unanswered},
    model::Owner,
    ports::PortError,
    record::{Record, StoredMessage},
};
use bulle_protocol::{
    Id,
    conversation::{Feedback, Rating},
};
use serde::Deserialize;

use crate::d1::{Database, Statement, Value, to_id, to_json, values};

/// Most questions that are read at once.
const MAX_QUESTIONS: u32 = 1_000;

/// Unanswered questions, and ratings.
pub struct Gaps<D>(pub D);

#[derive(Deserialize)]
struct Row {
    reply_id: String,
    conversation_id: String,
    visitor_id: String,
    question: String,
    nothing_found: u8,
    thumbs_down: u8,
    comment: Option<String>,
    created_at: f64,
    closed: Option<String>,
    source_id: Option<String>,
}

/// Notes that the documents did not answer a question; part of the batch that stores the turn.
pub(super) fn note(record: &Record, reply: &StoredMessage) -> Statement {
    Statement::new(
        "INSERT INTO unanswered (tenant_id, bot_id, reply_id, conversation_id, question, nothing_found, thumbs_down, \
         created_at) SELECT ?1, ?2, ?3, ?4, ?5, 1, 0, ?6 \
         WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?4) \
         ON CONFLICT (tenant_id, bot_id, reply_id) DO NOTHING",
        values![
            &record.owner.tenant_id,
            &record.owner.bot_id,
            reply.id,
            record.conversation_id,
            &record.question.text,
            record.question.created_at,
        ],
    )
}

impl<D: Database> Gaps<D> {
    /// Stores a visitor's rating of a reply. False when the visitor has no such reply.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rate(
        &self,
        owner: &Owner,
        reply_id: Id,
        feedback: &Feedback,
    ) -> Result<bool, PortError> {
        let whose = values![&owner.tenant_id, &owner.bot_id, reply_id, owner.visitor_id,];
        let with = |more: Vec<Value>| [whose.clone(), more].concat();
        let down = feedback.rating == Rating::Down;
        let rate = Statement::new(
            "UPDATE message SET feedback = ?5 WHERE tenant_id = ?1 AND id = ?3 AND role = 'assistant' \
             AND conversation_id IN (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4) \
             RETURNING id",
            with(values![to_json(feedback)?]),
        );
        let note = Statement::new(
            "INSERT INTO unanswered (tenant_id, bot_id, reply_id, conversation_id, question, nothing_found, \
             thumbs_down, comment, created_at) \
             SELECT ?1, ?2, ?3, conversation.id, question.text, 0, 1, ?5, question.created_at FROM message AS reply \
             JOIN conversation ON conversation.tenant_id = ?1 AND conversation.id = reply.conversation_id \
             JOIN message AS question ON question.tenant_id = ?1 AND question.conversation_id = conversation.id \
             AND question.position = reply.position - 1 \
             WHERE reply.tenant_id = ?1 AND reply.id = ?3 AND reply.role = 'assistant' AND conversation.bot_id = ?2 \
             AND conversation.visitor_id = ?4 AND ?6 \
             ON CONFLICT (tenant_id, bot_id, reply_id) DO UPDATE SET thumbs_down = 1, comment = excluded.comment",
            with(values![feedback.comment.as_deref(), down]),
        );
        let unmark = Statement::new(
            "UPDATE unanswered SET thumbs_down = 0, comment = NULL WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND reply_id = ?3 AND ?5 AND conversation_id IN \
             (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4)",
            with(values![!down]),
        );
        // A closed question stays closed: the owner has handled it.
        let forget = Statement::new(
            "DELETE FROM unanswered WHERE tenant_id = ?1 AND bot_id = ?2 AND reply_id = ?3 AND ?5 \
             AND nothing_found = 0 AND closed IS NULL AND conversation_id IN \
             (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4)",
            with(values![!down]),
        );
        let [rated, ..] = self.0.batch([rate, note, unmark, forget]).await?;
        Ok(!rated.is_empty())
    }

    /// The latest unanswered questions of a bot since then (Unix milliseconds), and all dismissed ones: at most 1,000.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn unanswered(
        &self,
        tenant_id: &str,
        bot_id: &str,
        since_ms: u64,
    ) -> Result<Vec<Unanswered>, PortError> {
        let statement = Statement::new(
            "SELECT reply_id, conversation_id, visitor_id, question, nothing_found, thumbs_down, comment, \
             unanswered.created_at, closed, source_id FROM unanswered \
             JOIN conversation ON conversation.tenant_id = ?1 AND conversation.id = conversation_id \
             WHERE unanswered.tenant_id = ?1 AND unanswered.bot_id = ?2 \
             AND (unanswered.created_at >= ?3 OR closed = 'dismissed') \
             ORDER BY unanswered.created_at DESC LIMIT ?4",
            values![tenant_id, bot_id, since_ms, MAX_QUESTIONS],
        );
        let rows: Vec<Row> = self.0.rows(statement).await?;
        rows.into_iter().map(Row::into_unanswered).collect()
    }

    /// Closes the unanswered questions of these replies.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close(
        &self,
        (tenant_id, bot_id): (&str, &str),
        replies: &[Id],
        closed: Closed,
        source: Option<&str>,
    ) -> Result<(), PortError> {
        let closed = match closed {
            Closed::Answered => "answered",
            Closed::Dismissed => "dismissed",
        };
        let statement = Statement::new(
            "UPDATE unanswered SET closed = ?4, source_id = ?5 WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND reply_id IN (SELECT value FROM json_each(?3))",
            values![tenant_id, bot_id, to_json(replies)?, closed, source],
        );
        self.0.execute(statement).await
    }
}

impl Row {
    fn into_unanswered(self) -> Result<Unanswered, PortError> {
        Ok(Unanswered {
            shown: GapQuestion {
                reply_id: to_id(&self.reply_id)?,
                conversation_id: to_id(&self.conversation_id)?,
                text: self.question,
                asked_at: self.created_at as u64,
                nothing_found: self.nothing_found != 0,
                thumbs_down: self.thumbs_down != 0,
                comment: self.comment,
            },
            visitor_id: self.visitor_id,
            closed: match self.closed.as_deref() {
                Some("answered") => Some(Closed::Answered),
                Some("dismissed") => Some(Closed::Dismissed),
                _ => None,
            },
            source: self.source_id,
        })
    }
}
