//! The prompt that a model got for an answer.

use serde::{Deserialize, Serialize};

/// The prompt of an answer, made again from what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerPrompt {
    /// Whether the messages are, byte for byte, what the model was given.
    pub exact: bool,
    /// Version of Bulle's own instructions; absent when no model was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template: Option<u32>,
    /// Version of the bot's settings; absent when no model was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bot_version: Option<u32>,
    /// The messages, as far as they can be made.
    pub messages: Vec<PromptMessage>,
    /// What is gone, and why it is not exact; empty when it is.
    pub missing: Vec<Missing>,
}

/// A message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptMessage {
    /// Who speaks.
    pub role: PromptRole,
    /// What is said.
    pub content: String,
}

/// Who speaks in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptRole {
    /// The owner's and Bulle's instructions, with the passages.
    System,
    /// The visitor.
    User,
    /// The bot.
    Assistant,
}

/// A part of a prompt that cannot be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Missing {
    /// Which, such as "passage 2".
    pub what: String,
    /// Why, in a sentence.
    pub why: String,
}
