//! Golden questions: questions with the passage that the owner expects, searched again whenever documents have changed.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// What the right passage is known by. All that is given must be true of it; something must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Words that stand in it, whatever their case.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Title of its document.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Its address, or the page that it is on.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

/// A question and what must be found for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGoldenQuestion {
    /// As a visitor would ask it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub question: String,
    /// What must be found.
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

/// A golden question and how it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoldenQuestion {
    /// Its id.
    pub id: Id,
    /// As a visitor would ask it.
    pub question: String,
    /// What must be found.
    pub expected: Expected,
    /// Place of what was expected among the passages found, from 1; absent when it is not among them, or was never
    /// looked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rank: Option<u32>,
    /// The same with the documents of before, when it was looked for then: 0 when it was not found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rank_before: Option<u32>,
    /// It is found later now, or not any more.
    pub regressed: bool,
    /// Title of the passage that came first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<String>,
}

/// How well the bot's golden questions are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GoldenReport {
    /// When they were looked for, in Unix milliseconds; absent when they never were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checked_at: Option<u64>,
    /// Documents have changed since, or questions were added: have them looked for again.
    pub stale: bool,
    /// Share of the questions whose passage came first.
    pub recall_at_1: f64,
    /// Share of those whose passage was among the first five.
    pub recall_at_5: f64,
    /// Mean of the reciprocal ranks.
    pub mrr: f64,
    /// How many are found later than before, or not any more.
    pub regressions: u32,
    /// Oldest first.
    pub items: Vec<GoldenQuestion>,
}
