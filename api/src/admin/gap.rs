//! Gaps: questions of visitors that the documents do not answer.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// State of a gap.
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

/// A group of unanswered questions with similar wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Id of the gap: that of the reply to its first question.
    pub id: Id,
    /// The most typical wording of the questions.
    pub question: String,
    /// State of the gap.
    pub status: GapStatus,
    /// Number of unanswered questions; of a gap that is open again, since it was answered.
    pub count: u32,
    /// Number of visitors who asked.
    pub visitors: u32,
    /// Number of questions for which the documents had nothing.
    pub nothing_found: u32,
    /// Number of answers that were rated down.
    pub thumbs_down: u32,
    /// Unix milliseconds of the first question.
    pub first_at: u64,
    /// Unix milliseconds of the last question.
    pub last_at: u64,
    /// Id of the source that was created to answer the gap.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The last ten questions, newest first.
    pub questions: Vec<GapQuestion>,
}

/// A question without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapQuestion {
    /// Id of the reply that did not answer the question.
    pub reply_id: Id,
    /// Id of the conversation in which the question was asked.
    pub conversation_id: Id,
    /// Text of the question, as the visitor wrote it.
    pub text: String,
    /// Unix milliseconds.
    pub asked_at: u64,
    /// Whether the documents had nothing for the question.
    pub nothing_found: bool,
    /// Whether the answer was rated down.
    pub thumbs_down: bool,
    /// Comment of the visitor on the rating.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// Answer of `GET /v1/admin/tenants/{tenant}/bots/{bot}/gaps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapList {
    /// At most 100 gaps, those with the most questions first.
    pub items: Vec<Gap>,
    /// Number of questions that were grouped: at most the last 1,000 of the period.
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
    /// Question on one line; the gap's `question` when absent.
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
