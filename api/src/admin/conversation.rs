//! Visitors' conversations as owners see them.

use bulle_protocol::{
    Id,
    block::Block,
    conversation::{Attachment, Feedback, Rating, Role, Status},
    event::{Finish, Source, Usage},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The visitor of a conversation, where a site's server has identified them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownVisitor {
    /// `sub` of the identity.
    pub subject: String,
    /// Empty when the site has told none.
    pub name: String,
    /// Empty when the site has told none.
    pub email: String,
    /// The tier of the latest identity.
    pub tier: String,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnerConversation {
    /// Its id.
    pub id: Id,
    /// The bot.
    pub bot_id: String,
    /// The visitor.
    pub visitor_id: Id,
    /// Who the visitor is, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub visitor: Option<KnownVisitor>,
    /// The first question, or what the visitor has made of it.
    pub title: String,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds of the latest message.
    pub updated_at: u64,
    /// Messages of both sides.
    pub messages: u32,
    /// Whether a question was not answered, or an answer was rated down.
    pub unanswered: bool,
    /// The worst rating of an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rating: Option<Rating>,
    /// In alphabetical order.
    pub labels: Vec<String>,
}

/// A passage that an answer was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Passage {
    /// Title of the document.
    pub title: String,
    /// The headings above it.
    pub heading: String,
}

/// A message of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TranscriptMessage {
    /// Its id; of an answer, `GET …/answers/{id}` tells every model that was asked, and `…/prompt` what it was asked.
    pub id: Id,
    /// Even for visitors' messages, odd for answers.
    pub position: u32,
    /// Who wrote it.
    pub role: Role,
    /// The plain text; `blocks` has the marks of an answer.
    pub text: String,
    /// The same, as the bubble shows it.
    pub blocks: Vec<Block>,
    /// What the answer cites.
    pub sources: Vec<Source>,
    /// The passages that the model was given, where they are still stored.
    pub passages: Vec<Passage>,
    /// How it stands.
    pub status: Status,
    /// The message that an answer is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<Id>,
    /// How the model ended, unless it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finish: Option<Finish>,
    /// Why it failed: the `code` of a problem.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Whose model wrote it.
    pub provider: String,
    /// Which model wrote it.
    pub model: String,
    /// Tokens of all models that were asked for it.
    pub usage: Usage,
    /// Confidence (0 to 1), topic, times in milliseconds, and what the prompt is made again from.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub evidence: BTreeMap<String, serde_json::Value>,
    /// Microdollars of all models that were asked for it; absent where no price is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub microusd: Option<u64>,
    /// The visitor's opinion.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feedback: Option<Feedback>,
    /// Files of the message.
    pub attachments: Vec<Attachment>,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// A remark of the owner's side on a conversation. Visitors and models never see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Note {
    /// Its id.
    pub id: Id,
    /// The person who wrote it; absent for a key, and when the person is gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// The text.
    pub text: String,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// A conversation with everything that was said: a page of its messages, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transcript {
    /// The conversation.
    pub conversation: OwnerConversation,
    /// The last messages, or those before the position `before`.
    pub messages: Vec<TranscriptMessage>,
    /// Give it as `before` to get earlier messages; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// The oldest first.
    pub notes: Vec<Note>,
    /// The visitor's answers to the bot's form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<BTreeMap<String, String>>,
}

/// Body of `PUT …/conversations/{id}/labels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// All labels of the conversation from now on: at most 20, of 1 to 40 characters.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub labels: Vec<String>,
}

/// Body of `POST …/conversations/{id}/notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// 1 to 4,000 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 4000))]
    pub text: String,
}

/// Body of `POST …/conversations/delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// Which conversations: 1 to 20.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 20))]
    pub ids: Vec<Id>,
}

/// Answer of `POST …/conversations/delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// How many there were.
    pub deleted: u32,
}
