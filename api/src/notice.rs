//! Notices to owners: events that need the owner, with their deliveries. See docs/notices.md.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// Kind of a notice, which is also the `type` of the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Kind))]
pub enum Kind {
    /// A budget is used up: something else answers until its period ends.
    #[serde(rename = "budget.exhausted")]
    BudgetExhausted,
    /// A model does not answer.
    #[serde(rename = "model.failing")]
    ModelFailing,
    /// A test notice, which the owner has requested.
    #[serde(rename = "test")]
    Test,
}

impl Kind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BudgetExhausted => "budget.exhausted",
            Self::ModelFailing => "model.failing",
            Self::Test => "test",
        }
    }
}

/// Owner of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Whose))]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The bot's budget, `settings.limits.budget`.
    Bot,
    /// The tenant's budget, `settings.budget`, of all its bots together.
    Tenant,
}

/// A provider that answers in place of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Answerer))]
pub struct Answerer {
    /// Provider of the model; `extractive` when the bot's documents answer alone.
    pub provider: String,
    /// Name of the model.
    pub model: String,
}

/// Content of a notice. Its kind decides which fields it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Detail))]
#[serde(default)]
pub struct Detail {
    /// Owner of the budget: a bot or the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<Whose>,
    /// Setting of the budget, such as `tokens_per_day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// The day or month (UTC) for which the budget is used up: `2026-11-21`, `2026-11`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Provider of the model that does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Name of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why the model does not answer, in a word: `timed_out`, `refused`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// HTTP status of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason and what to do, in the bot's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Provider that answers instead; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Answerer>,
}

/// A channel to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Channel))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The address in `settings.notices.webhook`.
    Webhook,
    /// The address in `settings.notices.email`, through the deployment's mail service.
    Email,
}

impl Channel {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

/// Result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Outcome))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with a status from 200 to 299.
    Delivered,
    /// Answered with another status.
    Refused,
    /// Answered with a redirect, which is not followed: give the address that it leads to.
    Redirected,
    /// No answer within 5 seconds.
    TimedOut,
    /// No connection, or it broke off.
    Unreachable,
    /// Not tried: the deployment lacks a setting, which its log names.
    NotConfigured,
    /// Not tried: requests may not be sent to this address. Give one that everybody can reach.
    AddressRefused,
}

impl Outcome {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::NotConfigured => "not_configured",
            Self::AddressRefused => "address_refused",
        }
    }
}

/// Delivery of a notice over one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Delivery))]
pub struct Delivery {
    /// Channel of the delivery.
    pub channel: Channel,
    /// Result of the last attempt.
    pub outcome: Outcome,
    /// HTTP status of the last attempt, when there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Number of attempts.
    pub tries: u32,
    /// When the last attempt ended, in Unix milliseconds.
    pub at: u64,
}

/// A notice as it is stored and listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Id of the notice: the `webhook-id` of its webhook.
    pub id: Id,
    /// Kind of the notice.
    pub kind: Kind,
    /// Subject of the notice. There is one notice for each kind and subject.
    pub about: String,
    /// Id of the bot that the notice concerns; absent when it concerns no bot.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bot_id: Option<String>,
    /// Content of the notice.
    pub detail: Detail,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Deliveries of the notice. Empty before the first one, and when `settings.notices` names no address.
    pub deliveries: Vec<Delivery>,
}

/// The key that signs webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeSecret {
    /// `whsec_` and the key in base64, as the libraries of Standard Webhooks take it.
    pub secret: String,
}
