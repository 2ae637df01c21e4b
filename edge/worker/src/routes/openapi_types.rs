//! The types of the OpenAPI document for requests that are read field by field. Compiled for tests only, which write
//! the document.
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
    /// Whether the answer is streamed while it is written.
    stream: Option<bool>,
    /// Options of the stream.
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
    /// Author of the message. `system` and `developer` are the owner's own instructions, beside those of the persona.
    role: CompletionRole,
    /// Content of a message.
    content: CompletionContent,
}

/// Author of a message.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CompletionRole {
    System,
    Developer,
    User,
    Assistant,
}

/// Content of a message.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CompletionContent {
    /// A text.
    Text(String),
    /// A list of parts.
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

/// Options of a stream.
#[derive(ToSchema)]
pub struct StreamOptions {
    /// Whether the last chunk holds the usage.
    include_usage: Option<bool>,
}

/// All stored data of a visitor.
#[derive(ToSchema)]
pub struct Export {
    /// Unix milliseconds.
    exported_at: u64,
    /// Random id of the visitor.
    visitor_id: String,
    /// Claims of the site's server about a known visitor; null for anonymous visitors.
    identity: Option<ExportedIdentity>,
    /// Messages that count for today's limit of this bot; null where they are not counted.
    messages_counted_today: Option<u64>,
    /// Forms that were filled in.
    forms: Vec<ExportedForm>,
    /// Conversations with their messages.
    conversations: Vec<ExportedConversation>,
    /// Files that were given.
    attachments: Vec<ExportedAttachment>,
}

/// Claims of the site's server about a known visitor.
#[derive(ToSchema)]
pub struct ExportedIdentity {
    subject: String,
    name: String,
    email: String,
    tier: String,
    created_at: u64,
    seen_at: u64,
}

/// A form that was filled in.
#[derive(ToSchema)]
pub struct ExportedForm {
    bot_id: String,
    fields: std::collections::BTreeMap<String, String>,
    /// Text that the visitor has agreed to.
    consent: Option<String>,
    updated_at: u64,
}

/// A conversation.
#[derive(ToSchema)]
pub struct ExportedConversation {
    id: String,
    bot_id: String,
    title: String,
    created_at: u64,
    updated_at: u64,
    /// Summaries that replace the beginning of the conversation in prompts.
    summaries: Vec<String>,
    messages: Vec<ExportedMessage>,
}

/// A message.
#[derive(ToSchema)]
pub struct ExportedMessage {
    id: String,
    role: bulle_protocol::conversation::Role,
    text: String,
    status: bulle_protocol::conversation::Status,
    reply_to: Option<String>,
    feedback: Option<bulle_protocol::conversation::Feedback>,
    created_at: u64,
}

/// A file.
#[derive(ToSchema)]
pub struct ExportedAttachment {
    id: String,
    name: String,
    bytes: u64,
    /// Text of the file that is kept.
    text: String,
    /// The message that it was sent with.
    message_id: Option<String>,
    created_at: u64,
}
