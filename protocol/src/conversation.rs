//! Conversations and their messages.

use crate::Id;
use serde::{Deserialize, Serialize};

use crate::{
    block::Block,
    event::{Finish, Source},
};

/// Answer of `POST /v1/conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Created {
    /// Id of the new conversation.
    pub id: Id,
}

/// Answer of `GET /v1/conversations`: the visitor's own, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationList {
    /// At most 50.
    pub items: Vec<Conversation>,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conversation {
    /// Id of the conversation.
    pub id: Id,
    /// The first words of the visitor's first message.
    pub title: String,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds of the last message.
    pub updated_at: u64,
}

/// Body of `POST /v1/conversations/{id}/messages`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Made by the client. The same id again attaches to the same turn and never asks the model twice.
    pub id: Id,
    /// What the visitor wrote: 1 to 4,000 characters, at least one of them visible.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 4000,
            pattern = r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
        )
    )]
    pub text: String,
    /// Whether a failed turn of this id is tried again; ignored otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub retry: bool,
    /// Files of `POST /v1/attachments` that were not sent yet, at most 3.
    #[cfg_attr(feature = "openapi", schema(max_items = 3))]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attachments: Vec<Id>,
}

/// Body of `PATCH /v1/conversations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// New title of the conversation: 1 to 120 characters, at least one of them visible.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 120))]
    pub title: String,
}

/// Answer of `POST /v1/attachments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Uploaded {
    /// Id for `attachments` of a message, within a day.
    pub id: Id,
    /// Name of the file.
    pub name: String,
    /// Size of the file in bytes. The file itself is not kept.
    pub bytes: u64,
    /// Characters of its text that are kept, at most 20,000.
    pub characters: usize,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attachment {
    /// Id of the file.
    pub id: Id,
    /// Name of the file.
    pub name: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Answer of `GET /v1/conversations/{id}/messages`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// Oldest first.
    pub items: Vec<Message>,
    /// Value of `before` for the page before this one; absent on the first page of the conversation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// Id of the message.
    pub id: Id,
    /// Author of the message.
    pub role: Role,
    /// Rich text of an answer; one paragraph for a visitor's message.
    pub blocks: Vec<Block>,
    /// The message as plain text.
    pub text: String,
    /// Unix milliseconds.
    pub created_at: u64,
    /// State of the message.
    pub status: Status,
    /// Passages that the answer cites.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<Source>,
    /// The visitor's message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<Id>,
    /// How the answer ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finish: Option<Finish>,
    /// The visitor's rating of an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feedback: Option<Feedback>,
    /// Files that the visitor gave with a message.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attachments: Vec<Attachment>,
}

/// Body of `POST /v1/messages/{id}/feedback`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// Thumbs up or down.
    pub rating: Rating,
    /// Reason for the rating, in the visitor's words.
    #[cfg_attr(feature = "openapi", schema(max_length = 1000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// Whether an answer was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// The answer was good.
    Up,
    /// The answer was bad.
    Down,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The visitor.
    User,
    /// The bot.
    Assistant,
}

/// State of a stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Whole.
    Complete,
    /// The visitor stopped it.
    Stopped,
    /// The answer broke off; the text so far is kept.
    Failed,
}
