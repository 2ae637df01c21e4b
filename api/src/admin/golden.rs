//! Golden questions: questions with the passage that the owner expects, searched again whenever documents have changed.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// Properties of the passage that must be found. Every given property must match, and at least one must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Words that the passage contains, in any case.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Title of the passage's document.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Address of the passage's document, or of the page that it is on.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// A question and the passage that must be found for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGoldenQuestion {
    /// Question, as a visitor would ask it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub question: String,
    /// Properties of the passage that must be found.
    pub expected: Expected,
}

/// Body of `POST /v1/admin/tenants/{tenant}/bots/{bot}/golden`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGoldenQuestions {
    /// A bot has at most 100.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub items: Vec<NewGoldenQuestion>,
}

/// A golden question and the result of its last search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoldenQuestion {
    /// Id of the golden question.
    pub id: Id,
    /// Question, as a visitor would ask it.
    pub question: String,
    /// Properties of the passage that must be found.
    pub expected: Expected,
    /// Rank of the expected passage among the passages found, from 1; absent when it was not found or was never searched
    /// for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rank: Option<u32>,
    /// Rank with the previous documents: 0 when the passage was not found, absent when the question was not searched
    /// then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rank_before: Option<u32>,
    /// Whether the expected passage ranks lower than before, or is no longer found.
    pub regressed: bool,
    /// Title of the passage that was found first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
}

/// Results of the bot's golden questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoldenReport {
    /// When the golden questions were last searched, in Unix milliseconds; absent when never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checked_at: Option<u64>,
    /// Whether documents changed or questions were added since `checked_at`: a new run is due.
    pub stale: bool,
    /// Share of the questions whose passage came first.
    pub recall_at_1: f64,
    /// Share of the questions whose passage was among the first five.
    pub recall_at_5: f64,
    /// Mean of the reciprocal ranks.
    pub mrr: f64,
    /// Number of questions whose passage ranks lower than before, or is no longer found.
    pub regressions: u32,
    /// Oldest first.
    pub items: Vec<GoldenQuestion>,
}
