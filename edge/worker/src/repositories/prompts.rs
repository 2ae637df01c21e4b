//! Prompts of stored answers, built again from stored data.

use bulle_edge_core::{
    model::{Exchange, Summary},
    ports::PortError,
    prompt::{PromptInputs, RebuiltPrompt, rebuild},
    record::{Evidence, PromptReference},
    search::Hit,
    settings::BotSettings,
};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, Value, from_json, to_json, values};

/// Prompts of stored answers.
pub struct Prompts<D>(pub D);

/// A stored answer.
pub struct Answered {
    /// The reference of its prompt; `None` when no model was asked.
    pub reference: Option<PromptReference>,
    conversation_id: String,
    bot_id: String,
    position: u32,
}

#[derive(Deserialize)]
struct AnswerRow {
    conversation_id: String,
    bot_id: String,
    position: u32,
    evidence: String,
}

#[derive(Deserialize)]
struct SettingsRow {
    settings: String,
}

#[derive(Deserialize)]
struct ChunkRow {
    id: i64,
    title: String,
    heading: String,
    text: String,
}

#[derive(Deserialize)]
struct MessageRow {
    position: u32,
    text: String,
}

#[derive(Deserialize)]
struct SummaryRow {
    text: String,
    until: u32,
}

impl<D: Database> Prompts<D> {
    /// An answer of one of the tenant's bots. `None` when there is none with this id.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn answered(
        &self,
        tenant_id: &str,
        reply: Id,
    ) -> Result<Option<Answered>, PortError> {
        let statement = Statement::new(
            "SELECT message.conversation_id, conversation.bot_id, message.position, message.evidence FROM message \
             JOIN conversation ON conversation.tenant_id = ?1 AND conversation.id = message.conversation_id \
             WHERE message.tenant_id = ?1 AND message.id = ?2 AND message.role = 'assistant'",
            values![tenant_id, reply],
        );
        let Some(row) = self.0.first::<AnswerRow>(statement).await? else {
            return Ok(None);
        };
        let evidence: Evidence = from_json(&row.evidence)
            .map_err(|e| PortError(format!("evidence of answer {reply}: {e}")))?;
        Ok(Some(Answered {
            reference: evidence.prompt,
            conversation_id: row.conversation_id,
            bot_id: row.bot_id,
            position: row.position,
        }))
    }

    /// Builds the prompt of an answer again from the data that the database still has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rebuild(
        &self,
        tenant_id: &str,
        answer: &Answered,
        reference: &PromptReference,
    ) -> Result<RebuiltPrompt, PortError> {
        let Answered {
            conversation_id,
            bot_id,
            ..
        } = answer;
        let question = answer.position.saturating_sub(1);
        // A summary never ends at a position below 0, and a history never begins after its question.
        let until = reference.summary_until.map_or(Value::from(-1), Value::from);
        let from = reference.history_from.unwrap_or(question);
        let settings = Statement::new(
            "SELECT settings FROM bot_version WHERE tenant_id = ?1 AND bot_id = ?2 AND version = ?3",
            values![tenant_id, bot_id, reference.bot_version],
        );
        let chunks = Statement::new(
            "SELECT chunk.id, coalesce(chunk.retired_title, source.title, '') AS title, chunk.heading, chunk.text \
             FROM chunk LEFT JOIN source \
             ON source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = chunk.source_id \
             WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.id IN (SELECT value FROM json_each(?3))",
            values![tenant_id, bot_id, to_json(&reference.passages)?],
        );
        let messages = Statement::new(
            "SELECT position, text FROM message WHERE tenant_id = ?1 AND conversation_id = ?2 \
             AND (position BETWEEN ?3 AND ?4 OR position = ?4) ORDER BY position",
            values![tenant_id, conversation_id, from, question],
        );
        let summary = Statement::new(
            "SELECT text, until FROM summary WHERE tenant_id = ?1 AND conversation_id = ?2 AND until = ?3",
            values![tenant_id, conversation_id, until],
        );
        let statements = [settings, chunks, messages, summary];
        let [settings, chunks, messages, summary] = self.0.batch(statements).await?;
        let bot = settings_of(settings.first()?);
        let chunks: Vec<Hit> = chunks.list()?.into_iter().map(ChunkRow::into_hit).collect();
        let (exchanges, question) = conversation_of(messages.list()?, question);
        let summary = summary.first()?.map(|row: SummaryRow| Summary {
            text: row.text,
            until: row.until,
        });
        Ok(rebuild(&PromptInputs {
            reference,
            bot: bot.as_ref().map_err(String::as_str),
            question: question.as_deref(),
            exchanges: &exchanges,
            summary: summary.as_ref(),
            chunks: &chunks,
        }))
    }
}

/// The settings of the version, or the reason why they are missing.
fn settings_of(row: Option<SettingsRow>) -> Result<BotSettings, String> {
    let row = row.ok_or("This version of the bot's settings is not stored.")?;
    serde_json::from_str(&row.settings)
        .map_err(|e| format!("This version of the bot's settings cannot be read: {e}."))
}

/// The exchanges before the question at this position, and the question.
fn conversation_of(rows: Vec<MessageRow>, question: u32) -> (Vec<Exchange>, Option<String>) {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut asked = None;
    for row in rows {
        if row.position == question {
            asked = Some(row.text);
        } else if row.position % 2 == 0 {
            exchanges.push(Exchange {
                position: row.position,
                question: row.text,
                answer: String::new(),
            });
        } else if let Some(last) = exchanges
            .last_mut()
            .filter(|e| e.position + 1 == row.position)
        {
            last.answer = row.text;
        }
    }
    (exchanges, asked)
}

impl ChunkRow {
    /// The answer without the columns that are not part of a prompt.
    fn into_hit(self) -> Hit {
        Hit {
            id: self.id,
            title: self.title,
            heading: self.heading,
            text: self.text,
            url: None,
            language: String::new(),
            score: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(position: u32, text: &str) -> MessageRow {
        MessageRow {
            position,
            text: text.into(),
        }
    }

    #[test]
    fn messages_are_exchanges_and_a_question() {
        let rows = vec![
            row(1, "stray"),
            row(2, "a"),
            row(3, "b"),
            row(4, "c"),
            row(7, "d"),
            row(8, "e"),
        ];
        let (exchanges, question) = conversation_of(rows, 8);
        let told: Vec<_> = exchanges
            .iter()
            .map(|e| (e.position, e.question.as_str(), e.answer.as_str()))
            .collect();
        assert_eq!(told, [(2, "a", "b"), (4, "c", "")]);
        assert_eq!(question.as_deref(), Some("e"));
        assert_eq!(conversation_of(vec![row(2, "a")], 4).1, None);
    }

    #[test]
    fn settings_that_are_gone_or_cannot_be_read_are_told() {
        let of = |settings: &[&str]| {
            let row = |settings: &&str| SettingsRow {
                settings: (*settings).into(),
            };
            settings_of(settings.first().map(row))
        };
        assert_eq!(of(&[r#"{"name":"Ada"}"#]).unwrap().name, "Ada");
        assert!(of(&[]).unwrap_err().contains("not stored"));
        assert!(
            of(&[r#"{"gone":1}"#])
                .unwrap_err()
                .contains("cannot be read")
        );
    }
}
