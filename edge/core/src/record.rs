//! What is stored of a turn.

use bulle_protocol::{
    Id,
    block::{Block, blocks_to_text},
    conversation::{Role, Status},
    event::{Finish, Source, Usage},
    problem::Code,
};
use serde::{Deserialize, Serialize};

use crate::{guard::Question, model::Owner};

/// Longest title of a conversation, in characters.
const TITLE_CHARS: usize = 80;

/// A turn, or its first half, as it goes to the permanent transcript. Stored as JSON while the database
/// cannot be reached, so its layout is pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Whose conversation it is.
    pub owner: Owner,
    /// The conversation.
    pub conversation_id: Id,
    /// The first words of the message: the conversation's title when it is the first.
    pub title: String,
    /// The visitor's message.
    pub question: StoredMessage,
    /// The bot's, once the turn has ended.
    pub reply: Option<StoredMessage>,
    /// Every step of the chain of models, in order.
    #[serde(default)]
    pub calls: Vec<Call>,
}

/// A row of the table `message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id.
    pub id: Id,
    /// Position in the conversation: questions are even, replies odd.
    pub position: u32,
    /// Who wrote it.
    pub role: Role,
    /// Plain text.
    pub text: String,
    /// Rich text.
    pub blocks: Vec<Block>,
    /// Sources of an answer.
    pub sources: Vec<Source>,
    /// How it stands.
    pub status: Status,
    /// How the model ended.
    pub finish: Option<Finish>,
    /// Why it failed.
    pub error: Option<Code>,
    /// Which provider wrote it; empty for a visitor's message.
    pub provider: String,
    /// Which model wrote it; empty for a visitor's message.
    pub model: String,
    /// Tokens of all models that were asked for it.
    pub usage: Usage,
    /// What is known of an answer beside its words.
    #[serde(default)]
    pub evidence: Evidence,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// What is known of an answer beside its words. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Evidence {
    /// 0 to 1; see docs/answers.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// The bot's topic that the question belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The documents did not answer the question.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Served from the cache of answers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// From the message to the first visible text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u32>,
    /// From the message to the end.
    pub total_ms: u32,
    /// What the prompt is made again from, when a model was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptReference>,
}

/// What a prompt is made again from, without the words that are stored elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptReference {
    /// Version of the bot's settings.
    pub bot_version: u32,
    /// Version of Bulle's own instructions.
    pub template: u32,
    /// Rows of `chunk`, in the order of their numbers.
    pub passages: Vec<i64>,
    /// Position of the first question of the history that was given; `None` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_from: Option<u32>,
    /// Position up to which (exclusive) a summary stood for the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_until: Option<u32>,
    /// What was added to it by words that stand nowhere else.
    #[serde(default, skip_serializing_if = "PromptAdditions::is_empty")]
    pub added: PromptAdditions,
    /// First 16 hexadecimal digits of the SHA-256 of the prompt's messages as JSON.
    pub fingerprint: String,
}

/// Words that went into a prompt and stand nowhere else: [`Extras`], kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PromptAdditions {
    /// What was written so far of an answer that went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuation: Option<String>,
    /// What had to be better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
    /// The instructions of an API client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What asked for suggested questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggest: Option<String>,
    /// Files that the visitor had given, as they were quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
}

impl PromptAdditions {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A step of the chain: a model that was asked, or passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// What for.
    pub purpose: Purpose,
    /// Whose model.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// How it went.
    pub outcome: Outcome,
    /// Status of the HTTP response, when there was one.
    pub status: Option<u16>,
    /// Tokens.
    pub usage: Usage,
    /// Millionths of a US dollar; null where no price is known.
    pub microusd: Option<u64>,
    /// From the request to the first text.
    pub first_token_ms: Option<u32>,
    /// From the request to its end.
    pub total_ms: u32,
    /// When it began, in Unix milliseconds.
    pub at: u64,
}

impl Call {
    /// A step that asked nobody, and costs nothing.
    pub fn free(provider: &str, model: &str, outcome: Outcome, now_ms: u64) -> Self {
        Self {
            purpose: Purpose::Answer,
            provider: provider.to_owned(),
            model: model.to_owned(),
            outcome,
            status: None,
            usage: Usage::default(),
            microusd: Some(0),
            first_token_ms: None,
            total_ms: 0,
            at: now_ms,
        }
    }
}

/// What a model was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An answer.
    Answer,
    /// The rest of an answer that was cut.
    Continuation,
    /// Another answer in place of one that was not as it must be.
    Repair,
    /// A summary of a long conversation.
    Summary,
}

/// How a step of the chain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It wrote to its end.
    Answered,
    /// It reached its output limit.
    Truncated,
    /// The visitor, or the owner's settings, stopped it.
    Stopped,
    /// It broke off after its first words.
    Interrupted,
    /// It could not be reached, or broke off before its first word.
    Unreachable,
    /// It answered with an error.
    Refused,
    /// It was silent for too long.
    TimedOut,
    /// It wrote nothing.
    Empty,
    /// It would not write about this.
    Filtered,
    /// What it wrote was not as it must be.
    Invalid,
    /// Not asked: it has failed too often lately.
    CircuitOpen,
    /// Not asked: the budget is used up, or cannot be read, or its price is unknown.
    Unfunded,
    /// Not asked: the deployment does not have it.
    Unconfigured,
}

impl Record {
    /// The record of a message that has just been accepted as turn `number` (from 0) of its conversation.
    pub fn accepted(question: &Question, conversation_id: Id, number: u32, now_ms: u64) -> Self {
        let line = question.text().lines().next().unwrap_or_default();
        let mut title: String = line.chars().take(TITLE_CHARS).collect();
        if line.chars().count() > TITLE_CHARS {
            title.push('…');
        }
        Self {
            owner: question.owner(),
            conversation_id,
            title,
            question: StoredMessage {
                id: question.id(),
                position: number.saturating_mul(2),
                role: Role::User,
                text: question.text().to_owned(),
                blocks: vec![Block::paragraph(question.text())],
                sources: Vec::new(),
                status: Status::Complete,
                finish: None,
                error: None,
                provider: String::new(),
                model: String::new(),
                usage: Usage::default(),
                evidence: Evidence::default(),
                created_at: now_ms,
            },
            reply: None,
            calls: Vec::new(),
        }
    }

    /// Adds the reply.
    pub fn reply(&mut self, reply: Reply, now_ms: u64) {
        self.reply = Some(StoredMessage {
            id: reply.id,
            position: self.question.position.saturating_add(1),
            role: Role::Assistant,
            text: blocks_to_text(&reply.blocks),
            blocks: reply.blocks,
            sources: reply.sources,
            status: match (reply.error, reply.finish) {
                (Some(_), _) => Status::Failed,
                (None, Some(Finish::Stopped)) => Status::Stopped,
                _ => Status::Complete,
            },
            finish: reply.finish,
            error: reply.error,
            provider: reply.provider,
            model: reply.model,
            usage: reply.usage,
            evidence: reply.evidence,
            created_at: now_ms,
        });
    }
}

/// What is known of a reply when its turn ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its id.
    pub id: Id,
    /// What was written.
    pub blocks: Vec<Block>,
    /// What it cites.
    pub sources: Vec<Source>,
    /// How the model ended, unless it failed.
    pub finish: Option<Finish>,
    /// Why it failed.
    pub error: Option<Code>,
    /// Which provider.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Tokens.
    pub usage: Usage,
    /// What is known of it beside its words.
    pub evidence: Evidence,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::question;

    #[test]
    fn the_layout_is_pinned() {
        let mut record =
            Record::accepted(&question("Bonjour\nÀ tous"), Id::from_parts(1, 1), 3, 1_000);
        record.reply(
            Reply {
                id: Id::from_parts(1, 3),
                blocks: vec![Block::paragraph("Salut")],
                sources: Vec::new(),
                finish: None,
                error: Some(Code::UpstreamTimeout),
                provider: "openai".into(),
                model: "m".into(),
                usage: Usage::counted(1, 2),
                evidence: Evidence {
                    confidence: Some(0.5),
                    topic: Some("Parcours".into()),
                    first_token_ms: Some(300),
                    total_ms: 900,
                    prompt: Some(PromptReference {
                        bot_version: 3,
                        template: 1,
                        passages: vec![7, 9],
                        history_from: Some(2),
                        summary_until: None,
                        fingerprint: "0123456789abcdef".into(),
                        ..PromptReference::default()
                    }),
                    ..Evidence::default()
                },
            },
            2_000,
        );
        record.calls.push(Call {
            purpose: Purpose::Answer,
            provider: "openai".into(),
            model: "m".into(),
            outcome: Outcome::TimedOut,
            status: Some(200),
            usage: Usage::counted(1, 2),
            microusd: Some(3),
            first_token_ms: None,
            total_ms: 900,
            at: 1_100,
        });
        insta::assert_json_snapshot!(record);
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn long_first_lines_make_short_titles() {
        let record = Record::accepted(&question(&"é".repeat(200)), Id::from_parts(1, 1), 0, 0);
        assert_eq!(record.title.chars().count(), TITLE_CHARS + 1);
    }
}
