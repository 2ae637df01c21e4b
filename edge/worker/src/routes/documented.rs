//! What the OpenAPI document says of requests that are read by hand. Compiled for tests only, which write the document.
#![expect(
    dead_code,
    reason = "read by the generator of the document, not by code"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// A request for a completion. Other parameters are ignored (temperature, top_p, stop, seed, user, metadata, …) or, when
/// a bot cannot do what they ask for, refused (tools, functions, response_format, logprobs, audio, …).
#[derive(ToSchema)]
pub struct CompletionRequest {
    /// The id of a bot.
    model: String,
    /// The conversation, oldest message first; the last one is the user's.
    #[schema(min_items = 1)]
    messages: Vec<CompletionMessage>,
    /// Whether the answer is told as it is written.
    stream: Option<bool>,
    /// About the stream.
    stream_options: Option<StreamOptions>,
    /// Most tokens of the answer.
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u64>,
    /// The same under its old name; the new one wins.
    #[schema(minimum = 1)]
    max_tokens: Option<u64>,
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    n: Option<u32>,
}

/// A message of the conversation.
#[derive(ToSchema)]
pub struct CompletionMessage {
    /// Who speaks. `system` and `developer` are the owner's own instructions, beside those of the persona.
    role: CompletionRole,
    /// What is said.
    content: CompletionContent,
}

/// Who speaks.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CompletionRole {
    System,
    Developer,
    User,
    Assistant,
}

/// What is said.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CompletionContent {
    /// As text.
    Text(String),
    /// In parts.
    Parts(Vec<TextPart>),
}

/// A part of a message.
#[derive(Serialize, ToSchema)]
pub struct TextPart {
    /// Text, nothing else.
    #[serde(rename = "type")]
    kind: PartKind,
    /// The text.
    text: String,
}

/// Kinds of parts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    Text,
}

/// An event of a stream.
#[derive(ToSchema)]
pub struct CompletionEvent {
    /// JSON: a `completion.Chunk`; at last `[DONE]`, or an `ErrorBody` when there is no whole answer.
    data: String,
}

/// About a stream.
#[derive(ToSchema)]
pub struct StreamOptions {
    /// Whether the last piece tells the usage.
    include_usage: Option<bool>,
}
