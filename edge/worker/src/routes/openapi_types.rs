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

/// Everything that is stored of a visitor.
#[derive(ToSchema)]
pub struct Export {
    /// Unix milliseconds.
    exported_at: u64,
    /// The visitor; random.
    visitor_id: String,
    /// What the site's server says of a known visitor; null for anybody else.
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

/// What the site's server says of a known visitor.
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
    /// The words that were agreed to.
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
    /// What stands for its beginning in prompts.
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
    /// What is kept of it.
    text: String,
    /// The message that it was sent with.
    message_id: Option<String>,
    created_at: u64,
}
