//! Usage of models and its cost: `GET /v1/admin/tenants/{tenant}/usage`.

use serde::{Deserialize, Serialize};

/// The keys by which calls are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKey {
    /// The day, in UTC.
    Day,
    /// The month, in UTC.
    Month,
    /// The bot.
    Bot,
    /// Provider of the model.
    Provider,
    /// The model.
    Model,
    /// The conversation.
    Conversation,
    /// The outcome of the call.
    Outcome,
}

impl UsageKey {
    /// Every key.
    pub const ALL: [Self; 7] = [
        Self::Day,
        Self::Month,
        Self::Bot,
        Self::Provider,
        Self::Model,
        Self::Conversation,
        Self::Outcome,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Bot => "bot",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Conversation => "conversation",
            Self::Outcome => "outcome",
        }
    }
}

/// Sums of a tenant's model calls in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageReport {
    /// The first day, in UTC: `2026-11-01`.
    pub from: String,
    /// The last day, in UTC: `2026-11-30`.
    pub to: String,
    /// The day on which the vendors' prices were read into Bulle's table of prices.
    pub prices_as_of: String,
    /// Sums, in the order of their keys. Without `by`, one.
    pub items: Vec<UsageRow>,
    /// Value of `after` for the next rows; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// The sums of the calls that have the same keys. Only the keys that were asked for are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UsageRow {
    /// `2026-11-21`, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// `2026-11`, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// Id of the bot, which may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// Provider of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Id of the conversation, which may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// How the calls went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Answers that these calls wrote, or wrote a part of: whole, cut at their limit, or stopped.
    pub answers: u64,
    /// Models that were asked.
    pub calls: u64,
    /// Number of these calls that failed.
    pub failed: u64,
    /// Models that were passed over without being asked.
    pub passed_over: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Calls whose tokens the vendor has not counted: they are estimated.
    pub estimated_calls: u64,
    /// Millionths of a US dollar, at the prices of the time, without the calls whose price is unknown.
    pub microusd: u64,
    /// Calls whose price is unknown.
    pub unpriced_calls: u64,
    /// Durations from the request to the first text, of the calls that wrote text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<Durations>,
    /// Durations from the request to the end of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<Durations>,
}

impl UsageRow {
    /// The value of a key in this row.
    pub fn key(&self, key: UsageKey) -> &str {
        let key = match key {
            UsageKey::Day => &self.day,
            UsageKey::Month => &self.month,
            UsageKey::Bot => &self.bot,
            UsageKey::Provider => &self.provider,
            UsageKey::Model => &self.model,
            UsageKey::Conversation => &self.conversation,
            UsageKey::Outcome => &self.outcome,
        };
        key.as_deref().unwrap_or_default()
    }
}

/// Distribution of the calls' durations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Durations {
    /// The arithmetic mean.
    pub mean: u64,
    /// Half of the calls took no longer.
    pub p50: u64,
    /// 95 of 100 calls took no longer.
    pub p95: u64,
}
