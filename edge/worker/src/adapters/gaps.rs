//! What visitors ask in vain, and what they think of answers.

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
use worker::{D1Database, D1PreparedStatement};

use super::{Edge, history::id, nullable, port_error, time};

/// Most questions that are looked at.
const MAX_QUESTIONS: u32 = 1_000;

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

/// Notes that the documents did not answer a question.
pub fn note(
    db: &D1Database,
    record: &Record,
    reply: &StoredMessage,
) -> Result<D1PreparedStatement, PortError> {
    let statement = db.prepare(
        "INSERT INTO unanswered (tenant_id, bot_id, reply_id, conversation_id, question, nothing_found, thumbs_down, \
         created_at) SELECT ?1, ?2, ?3, ?4, ?5, 1, 0, ?6 \
         WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?4) \
         ON CONFLICT (tenant_id, bot_id, reply_id) DO NOTHING",
    );
    let statement = statement.bind(&[
        record.owner.tenant_id.as_str().into(),
        record.owner.bot_id.as_str().into(),
        reply.id.to_string().into(),
        record.conversation_id.to_string().into(),
        record.question.text.as_str().into(),
        time(record.question.created_at),
    ]);
    statement.map_err(port_error)
}

impl Edge {
    /// Stores what a visitor thinks of a reply. False when there is no such reply of theirs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rate(
        &self,
        owner: &Owner,
        reply_id: Id,
        feedback: &Feedback,
    ) -> Result<bool, PortError> {
        let db = self.db()?;
        let whose = [
            owner.tenant_id.as_str().into(),
            owner.bot_id.as_str().into(),
            reply_id.to_string().into(),
            owner.visitor_id.to_string().into(),
        ];
        let stored = serde_json::to_string(feedback).map_err(|e| PortError(e.to_string()))?;
        let down = feedback.rating == Rating::Down;
        let rated = db.prepare(
            "UPDATE message SET feedback = ?5 WHERE tenant_id = ?1 AND id = ?3 AND role = 'assistant' \
             AND conversation_id IN (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4) \
             RETURNING id",
        );
        let rated = rated.bind(&[whose.as_slice(), &[stored.into()]].concat());
        let noted = db.prepare(
            "INSERT INTO unanswered (tenant_id, bot_id, reply_id, conversation_id, question, nothing_found, \
             thumbs_down, comment, created_at) \
             SELECT ?1, ?2, ?3, conversation.id, question.text, 0, 1, ?5, question.created_at FROM message AS reply \
             JOIN conversation ON conversation.tenant_id = ?1 AND conversation.id = reply.conversation_id \
             JOIN message AS question ON question.tenant_id = ?1 AND question.conversation_id = conversation.id \
             AND question.position = reply.position - 1 \
             WHERE reply.tenant_id = ?1 AND reply.id = ?3 AND reply.role = 'assistant' AND conversation.bot_id = ?2 \
             AND conversation.visitor_id = ?4 AND ?6 \
             ON CONFLICT (tenant_id, bot_id, reply_id) DO UPDATE SET thumbs_down = 1, comment = excluded.comment",
        );
        let comment = nullable(feedback.comment.clone());
        let noted = noted.bind(&[whose.as_slice(), &[comment, u8::from(down).into()]].concat());
        let parameters = [whose.as_slice(), &[u8::from(!down).into()]].concat();
        let unmarked = db.prepare(
            "UPDATE unanswered SET thumbs_down = 0, comment = NULL WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND reply_id = ?3 AND ?5 AND conversation_id IN \
             (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4)",
        );
        let unmarked = unmarked.bind(&parameters);
        // What was closed stays: the owner has dealt with it.
        let forgotten = db.prepare(
            "DELETE FROM unanswered WHERE tenant_id = ?1 AND bot_id = ?2 AND reply_id = ?3 AND ?5 \
             AND nothing_found = 0 AND closed IS NULL AND conversation_id IN \
             (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 AND visitor_id = ?4)",
        );
        let forgotten = forgotten.bind(&parameters);
        let statements = [rated, noted, unmarked, forgotten]
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(port_error)?;
        let done = db.batch(statements).await.map_err(port_error)?;
        let rows: Vec<serde_json::Value> = match done.first() {
            Some(rated) => rated.results().map_err(port_error)?,
            None => Vec::new(),
        };
        Ok(!rows.is_empty())
    }

    /// The last questions that a bot's visitors have asked in vain since then (Unix milliseconds).
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn unanswered(
        &self,
        tenant_id: &str,
        bot_id: &str,
        since_ms: u64,
    ) -> Result<Vec<Unanswered>, PortError> {
        let statement = self.db()?.prepare(
            "SELECT reply_id, conversation_id, visitor_id, question, nothing_found, thumbs_down, comment, \
             unanswered.created_at, closed, source_id FROM unanswered \
             JOIN conversation ON conversation.tenant_id = ?1 AND conversation.id = conversation_id \
             WHERE unanswered.tenant_id = ?1 AND unanswered.bot_id = ?2 \
             AND (unanswered.created_at >= ?3 OR closed = 'dismissed') \
             ORDER BY unanswered.created_at DESC LIMIT ?4",
        );
        let statement = statement.bind(&[
            tenant_id.into(),
            bot_id.into(),
            time(since_ms),
            MAX_QUESTIONS.into(),
        ]);
        let result = statement.map_err(port_error)?.all().await;
        let rows: Vec<Row> = result.and_then(|all| all.results()).map_err(port_error)?;
        rows.into_iter().map(Row::into_unanswered).collect()
    }

    /// Closes the questions that these replies did not answer.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close_unanswered(
        &self,
        (tenant_id, bot_id): (&str, &str),
        replies: &[Id],
        closed: Closed,
        source: Option<&str>,
    ) -> Result<(), PortError> {
        let statement = self.db()?.prepare(
            "UPDATE unanswered SET closed = ?4, source_id = ?5 WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND reply_id IN (SELECT value FROM json_each(?3))",
        );
        let statement = statement.bind(&[
            tenant_id.into(),
            bot_id.into(),
            serde_json::json!(replies).to_string().into(),
            match closed {
                Closed::Answered => "answered",
                Closed::Dismissed => "dismissed",
            }
            .into(),
            nullable(source),
        ]);
        statement
            .map_err(port_error)?
            .run()
            .await
            .map_err(port_error)?;
        Ok(())
    }
}

impl Row {
    fn into_unanswered(self) -> Result<Unanswered, PortError> {
        Ok(Unanswered {
            shown: GapQuestion {
                reply_id: id(&self.reply_id)?,
                conversation_id: id(&self.conversation_id)?,
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
