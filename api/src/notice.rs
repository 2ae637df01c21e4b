//! Notices to owners: events that need the owner, with their deliveries. See docs/notices.md.

use serde::{Deserialize, Serialize};

use bulle_protocol::Id;

/// What a notice is about. The same word is the `type` of the webhook.
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

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Whose))]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The bot's budget, `settings.limits.budget`.
    Bot,
    /// The tenant's budget, `settings.budget`, of all its bots together.
    Tenant,
}

/// Who answers in place of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Answerer))]
pub struct Answerer {
    /// Whose model; `extractive` when the bot's documents answer alone.
    pub provider: String,
    /// Its name.
    pub model: String,
}

/// What a notice says. Which fields there are depends on its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Detail))]
#[serde(default)]
pub struct Detail {
    /// Whose budget is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<Whose>,
    /// The setting that bounds it, such as `tokens_per_day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// The day or month (UTC) for which it is used up: `2026-11-21`, `2026-11`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Whose model does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why it does not, in a word: `timed_out`, `refused`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// HTTP status of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason and what to do, in the bot's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Who answers instead; absent when nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Answerer>,
}

/// A way to the owner.
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

/// How a delivery ended.
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
        }
    }
}

/// How a notice was delivered on one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = notice::Delivery))]
pub struct Delivery {
    /// Which way.
    pub channel: Channel,
    /// How the last try ended.
    pub outcome: Outcome,
    /// HTTP status of the last try, when there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// How often it was tried.
    pub tries: u32,
    /// When the last try ended, in Unix milliseconds.
    pub at: u64,
}

/// A notice as it is stored and listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Its id: the `webhook-id` of its webhook.
    pub id: Id,
    /// What it is about.
    pub kind: Kind,
    /// What exactly: there is one notice of a kind about the same.
    pub about: String,
    /// The bot that met it; absent when it is about none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bot_id: Option<String>,
    /// What it says.
    pub detail: Detail,
    /// Unix milliseconds.
    pub created_at: u64,
    /// How it was delivered. Empty while it is under way, and when `settings.notices` names no address.
    pub deliveries: Vec<Delivery>,
}

/// What webhooks are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeSecret {
    /// `whsec_` and the key in base64, as the libraries of Standard Webhooks take it.
    pub secret: String,
}
