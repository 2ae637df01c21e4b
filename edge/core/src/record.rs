//! The record of a turn, as it is stored.

use bulle_protocol::{
    Id,
    block::{Block, blocks_to_text},
    conversation::{Role, Status},
    event::{Finish, Source, Usage},
    problem::Code,
};
use serde::{Deserialize, Serialize};

use crate::model::Owner;

/// A turn, or its first half, as it goes to the permanent transcript. Stored as JSON while the database
/// cannot be reached, so its layout is pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The owner of the conversation.
    pub owner: Owner,
    /// The conversation.
    pub conversation_id: Id,
    /// The first words of the message: the conversation's title when it is the first.
    pub title: String,
    /// The visitor's message.
    pub question: StoredMessage,
    /// The bot's reply, once the turn has ended.
    pub reply: Option<StoredMessage>,
    /// Every step of the chain of models, in order.
    #[serde(default)]
    pub calls: Vec<ModelCall>,
}

/// A row of the table `message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id.
    pub id: Id,
    /// Position in the conversation: questions are even, replies odd.
    pub position: u32,
    /// Author of the message.
    pub role: Role,
    /// Plain text.
    pub text: String,
    /// Rich text.
    pub blocks: Vec<Block>,
    /// Sources of an answer.
    pub sources: Vec<Source>,
    /// State of the message.
    pub status: Status,
    /// How the answer ended.
    pub finish: Option<Finish>,
    /// The error of a failed turn.
    pub error: Option<Code>,
    /// Which provider wrote it; empty for a visitor's message.
    pub provider: String,
    /// Which model wrote it; empty for a visitor's message.
    pub model: String,
    /// Tokens of all models that were asked for the answer.
    pub usage: Usage,
    /// What is known of an answer beside its words.
    #[serde(default)]
    pub evidence: Evidence,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// Facts about an answer besides its text. Stored as JSON.
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
    /// Whether the documents did not answer the question.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Whether the answer came from the cache of answers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Milliseconds from the message to the first visible text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u32>,
    /// Milliseconds from the message to the end of the answer.
    pub total_ms: u32,
    /// How the request was adapted to the model, because the model refuses the usual request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adapted: Vec<String>,
    /// References from which the prompt is rebuilt; absent when no model was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptReference>,
}

/// References from which a prompt is rebuilt, without the texts that are stored elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptReference {
    /// Version of the bot's settings.
    pub bot_version: u32,
    /// Version of Bulle's own instructions.
    pub template: u32,
    /// Rows of `chunk`, in the order of their numbers.
    pub passages: Vec<i64>,
    /// Position of the first question of the history in the prompt; `None` without history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_from: Option<u32>,
    /// Position up to which (exclusive) a summary stood for the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_until: Option<u32>,
    /// Texts of the prompt that are stored nowhere else.
    #[serde(default, skip_serializing_if = "PromptAdditions::is_empty")]
    pub added: PromptAdditions,
    /// First 16 hexadecimal digits of the SHA-256 of the prompt's messages as JSON.
    pub fingerprint: String,
}

/// Texts of a prompt that are stored nowhere else: [`Extras`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PromptAdditions {
    /// Beginning of an interrupted answer that the model was asked to continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuation: Option<String>,
    /// Request to correct a rejected answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
    /// The instructions of an API client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Request for suggested questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggest: Option<String>,
    /// Texts of the visitor's files, as they were quoted.
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Call))]
pub struct ModelCall {
    /// What the model was asked for.
    pub purpose: Purpose,
    /// Provider of the model.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// Result of the step.
    pub outcome: Outcome,
    /// Status of the HTTP response, when there was one.
    pub status: Option<u16>,
    /// Tokens.
    pub usage: Usage,
    /// Millionths of a US dollar; null where no price is known.
    pub microusd: Option<u64>,
    /// Milliseconds from the request to the first text.
    pub first_token_ms: Option<u32>,
    /// Milliseconds from the request to the end of the response.
    pub total_ms: u32,
    /// When the step began, in Unix milliseconds.
    pub at: u64,
}

impl ModelCall {
    /// A step that asked no model and costs nothing.
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

/// Result of a step of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model wrote to its end.
    Answered,
    /// The model reached its output limit.
    Truncated,
    /// The visitor, or the owner's settings, stopped it.
    Stopped,
    /// The model broke off after its first words.
    Interrupted,
    /// The model could not be reached, or broke off before its first word.
    Unreachable,
    /// The model answered with an error.
    Refused,
    /// The response could not be decoded.
    Undecodable,
    /// The model was silent for too long.
    TimedOut,
    /// The model wrote nothing.
    Empty,
    /// The model's filter refused the content.
    Filtered,
    /// The answer had a defect.
    Invalid,
    /// Not asked: it has failed too often lately.
    CircuitOpen,
    /// Not asked: the budget is used up, or cannot be read, or its price is unknown.
    Unfunded,
    /// Not asked: the deployment does not have it.
    Unconfigured,
}

impl Record {
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

/// The result of a turn's reply, known when the turn ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its id.
    pub id: Id,
    /// The text of the reply.
    pub blocks: Vec<Block>,
    /// The sources that the reply cites.
    pub sources: Vec<Source>,
    /// How the model ended the answer; absent when the answer failed.
    pub finish: Option<Finish>,
    /// Why it failed.
    pub error: Option<Code>,
    /// Which provider.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Tokens.
    pub usage: Usage,
    /// The evidence of the reply.
    pub evidence: Evidence,
}
