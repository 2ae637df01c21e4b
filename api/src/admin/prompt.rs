//! The prompt that a model got for an answer.

use serde::{Deserialize, Serialize};

/// The prompt of an answer, rebuilt from stored data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerPrompt {
    /// Whether the messages are, byte for byte, those that the model received.
    pub exact: bool,
    /// Version of Bulle's own instructions; absent when no model was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template: Option<u32>,
    /// Version of the bot's settings; absent when no model was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bot_version: Option<u32>,
    /// The messages of the prompt, as far as they can be rebuilt.
    pub messages: Vec<PromptMessage>,
    /// Parts of the prompt that cannot be rebuilt, each with the reason; empty when the prompt is exact.
    pub missing: Vec<Missing>,
}

/// A message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptMessage {
    /// Author of a message.
    pub role: PromptRole,
    /// Content of a message.
    pub content: String,
}

/// Author of a message of a prompt.
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

/// A part of a prompt that cannot be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Missing {
    /// Name of the part, such as "passage 2".
    pub what: String,
    /// The reason, in a sentence.
    pub why: String,
}
