//! How often visitors may speak, and at whose cost.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Localized, MAX_ITEMS, MAX_TEXT};

/// Most messages and sessions that a limit may allow in a day; a larger number would be no limit.
const MAX_A_DAY: u32 = 100_000;

/// Most messages and sessions that a limit may allow in a minute, because each of their times is stored.
const MAX_A_MINUTE: u32 = 10_000;

/// Limits of visitors' messages and of spending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Where the messages of a minute are counted. The messages of a day and spending are always counted exactly.
    pub store: LimitStore,
    /// Limits by tier. A known visitor's tier is in their `identity`.
    pub tiers: BTreeMap<String, Tier>,
    /// The tier of visitors without an `identity`.
    pub anonymous_tier: String,
    /// Limits of all visitors at one network address together: a new session makes a new visitor, but no new address.
    pub address: AddressLimits,
    /// What the bot may spend on language models.
    pub budget: Budget,
    /// Texts of the owner for visitors who are refused, by locale.
    pub refusals: Localized<Refusals>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            store: LimitStore::default(),
            tiers: BTreeMap::from([
                (
                    "free".to_owned(),
                    Tier {
                        per_minute: 3,
                        per_day: Some(10),
                        memory: Some(3),
                        upgrade: None,
                    },
                ),
                (
                    "premium".to_owned(),
                    Tier {
                        per_minute: 10,
                        per_day: None,
                        memory: None,
                        upgrade: None,
                    },
                ),
            ]),
            anonymous_tier: "free".to_owned(),
            address: AddressLimits::default(),
            budget: Budget::default(),
            refusals: Localized::default(),
        }
    }
}

/// Where the messages of a minute are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitStore {
    /// In KV: close to every visitor, but each place sees the counts of another one up to a minute late, and every message
    /// writes to KV.
    Kv,
    /// With the messages of the day, in a Durable Object: one count for the whole world.
    #[default]
    Exact,
}

/// Limits of a tier of visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Messages a minute and visitor.
    pub per_minute: u32,
    /// Messages a day (UTC) and visitor; any number when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub per_day: Option<u32>,
    /// Number of earlier exchanges of the conversation that the model is given; as many as fit when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<u32>,
    /// Link for visitors who are refused, such as a page to upgrade on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upgrade: Option<Upgrade>,
}

/// A link to an offer with higher limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// Text of the link.
    pub label: Localized<String>,
    /// Address of the page: https, or http on the developer's own machine.
    pub url: String,
}

/// Limits of one network address. Addresses are kept as hashes whose salt changes every day, IPv6 by network (/64).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AddressLimits {
    /// New sessions a minute. As many new conversations are allowed.
    pub sessions_per_minute: u32,
    /// Messages a minute of all visitors at the address.
    pub messages_per_minute: u32,
    /// Messages a day (UTC) of all anonymous visitors at the address.
    pub messages_per_day: u32,
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self {
            sessions_per_minute: 30,
            messages_per_minute: 30,
            messages_per_day: 300,
        }
    }
}

/// What may be spent on language models; no bound where absent. When one is reached, the embedded model answers from
/// the documents until the next day or month (UTC) begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Tokens a day, of prompts and answers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// Tokens a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_month: Option<u64>,
    /// Millionths of a US dollar a day: 5000000 is $5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microusd_per_day: Option<u64>,
    /// Millionths of a US dollar a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microusd_per_month: Option<u64>,
}

/// Texts for visitors who are refused. `{time}` stands for the time to wait, such as "45 s". Bulle's own texts where
/// absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Refusals {
    /// Too many messages in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute: Option<String>,
    /// The messages of the day are used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The owner has paused the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}

impl LimitSettings {
    /// The tier with this name.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.get(name)
    }

    pub(super) fn validate(&self) -> Result<(), (String, String)> {
        let at = |path: &str, message: &str| Err((path.to_owned(), message.to_owned()));
        if self.tiers.len() > MAX_ITEMS {
            return at("tiers", "at most 20 tiers.");
        }
        if !self.tiers.contains_key(&self.anonymous_tier) {
            return at("anonymous_tier", "name one of `tiers`.");
        }
        for (name, tier) in &self.tiers {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
                return at(
                    "tiers",
                    "a tier's name has 1 to 40 letters, digits, `-` and `_`.",
                );
            }
            let daily = tier.per_day.unwrap_or(1);
            if !(1..=MAX_A_MINUTE).contains(&tier.per_minute) || !(1..=MAX_A_DAY).contains(&daily) {
                return at(
                    &format!("tiers.{name}"),
                    "per_minute goes from 1 to 10000, per_day from 1 to 100000; leave per_day out for no limit.",
                );
            }
            let Some(upgrade) = &tier.upgrade else {
                continue;
            };
            if !is_safe_url(&upgrade.url) {
                return at(
                    &format!("tiers.{name}.upgrade.url"),
                    "give an https:// address.",
                );
            }
            if upgrade.label.0.is_empty()
                || upgrade
                    .label
                    .0
                    .values()
                    .any(|label| label.is_empty() || label.chars().count() > 80)
            {
                return at(
                    &format!("tiers.{name}.upgrade.label"),
                    "give a label of at most 80 characters for at least one locale.",
                );
            }
        }
        let AddressLimits {
            sessions_per_minute,
            messages_per_minute,
            messages_per_day,
        } = self.address;
        let minutely = [sessions_per_minute, messages_per_minute];
        let possible = minutely.iter().all(|n| (1..=MAX_A_MINUTE).contains(n));
        if !possible || !(1..=MAX_A_DAY).contains(&messages_per_day) {
            return at(
                "address",
                "by the minute from 1 to 10000, by the day from 1 to 100000.",
            );
        }
        let texts = self
            .refusals
            .0
            .values()
            .flat_map(|r| [&r.minute, &r.day, &r.paused]);
        if texts.flatten().any(|text| text.chars().count() > MAX_TEXT) {
            return at("refusals", "at most 2000 characters.");
        }
        Ok(())
    }
}

/// Whether a text is plausibly one mail address.
pub(super) fn is_mail(text: &str) -> bool {
    let (name, domain) = text.split_once('@').unwrap_or_default();
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !",;<>".contains(c);
    !name.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && text.len() <= 254
        && text.chars().all(fits)
}

/// An address that a browser or server may be sent to: https, or localhost.
pub(super) fn is_safe_url(url: &str) -> bool {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    let safe = match scheme {
        "https" => !host.is_empty(),
        "http" => ["localhost", "127.0.0.1"].contains(&host),
        _ => false,
    };
    // User name and password in an address could hide its host.
    safe && !authority.contains('@')
        && url.len() <= MAX_TEXT
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}
