//! Gaps: questions of visitors that the documents do not answer.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// How a gap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapStatus {
    /// The owner has not closed it.
    Open,
    /// A source answers it; the gap is open again when a similar question is unanswered after that.
    Answered,
    /// The owner has dismissed it, also for later questions of the group.
    Dismissed,
}

/// Questions of one meaning, as far as their words tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Of the reply to the first of them.
    pub id: Id,
    /// The wording that speaks best for all.
    pub question: String,
    /// How it stands.
    pub status: GapStatus,
    /// How often it was asked in vain; of a gap that is open again, since it was answered.
    pub count: u32,
    /// By how many visitors.
    pub visitors: u32,
    /// How often the documents said nothing.
    pub nothing_found: u32,
    /// How often the answer was rated down.
    pub thumbs_down: u32,
    /// Unix milliseconds of the first.
    pub first_at: u64,
    /// Unix milliseconds of the last.
    pub last_at: u64,
    /// The source that was made to answer it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The last ten, newest first.
    pub questions: Vec<GapQuestion>,
}

/// A question that was asked in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapQuestion {
    /// The reply that did not answer it.
    pub reply_id: Id,
    /// Where it was asked.
    pub conversation_id: Id,
    /// As the visitor wrote it.
    pub text: String,
    /// Unix milliseconds.
    pub asked_at: u64,
    /// The documents said nothing.
    pub nothing_found: bool,
    /// The answer was rated down.
    pub thumbs_down: bool,
    /// What the visitor wrote to the rating.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// Answer of `GET /v1/admin/tenants/{tenant}/bots/{bot}/gaps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapList {
    /// What is asked most comes first; at most 100.
    pub items: Vec<Gap>,
    /// How many questions were looked at: the last 1,000 of the time that was asked for.
    pub questions: u32,
}

/// Body of `POST …/gaps/{gap}/answer`: it becomes a source of the kind `faq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GapAnswer {
    /// Markdown.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 10_000))]
    pub answer: String,
    /// On one line; the gap's own when absent.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub question: Option<String>,
    /// The page that answers link to.
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// BCP 47.
    #[cfg_attr(feature = "openapi", schema(max_length = 35))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
}
