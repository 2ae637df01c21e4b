//! What an owner configures of a bot and of a tenant.

use crate::session::Theme;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of a bot, stored as one JSON document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BotSettings {
    /// Name shown to visitors.
    pub name: String,
    /// One line under the name.
    pub tagline: Localized<String>,
    /// First message of an empty conversation.
    pub greeting: Localized<String>,
    /// Ready-made questions.
    pub suggestions: Localized<Vec<String>>,
    /// What the bot knows about; offered when a question finds nothing.
    pub topics: Localized<Vec<String>>,
    /// Locale of visitors whose own is not served (BCP 47); English when empty.
    pub locale: String,
    /// Colours and place.
    pub theme: Theme,
    /// Who the bot is.
    pub persona: Persona,
    /// Which model answers.
    pub model: ModelChoice,
    /// Who is let in.
    pub access: AccessSettings,
    /// How often visitors may speak, and at whose cost.
    pub limits: LimitSettings,
}

/// Who the bot is, for the model's instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Persona {
    /// What the bot is for, in a sentence.
    pub role: String,
    /// How it speaks.
    pub tone: String,
    /// What it must or must not do.
    pub rules: Vec<String>,
}

/// Which model answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ModelChoice {
    /// Where answers come from.
    pub provider: ProviderChoice,
    /// Overrides the deployment's model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the model costs; that of Bulle's own table when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderChoice {
    /// The deployment's model when it has one, the documents alone otherwise.
    #[default]
    Default,
    /// The documents alone.
    Extractive,
}

/// What a model's tokens cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Millionths of a US dollar for a million tokens of prompt: 150000 is $0.15.
    pub input: u64,
    /// Millionths of a US dollar for a million tokens of answer.
    pub output: u64,
}

/// Who may speak, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Where the messages of a minute are counted. Those of a day, and money, are always counted exactly.
    pub store: LimitStore,
    /// Limits by tier. A known visitor's tier is in their `identity`.
    pub tiers: BTreeMap<String, Tier>,
    /// The tier of visitors whom nobody vouches for.
    pub anonymous_tier: String,
    /// Limits of everybody at one network address together: visitors can make themselves new, addresses cannot.
    pub address: AddressLimits,
    /// What the bot may spend on language models.
    pub budget: Budget,
    /// What visitors are told when they are refused, by locale, in the owner's words.
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
    /// In KV: near every visitor, but each place of the network learns up to a minute late what another has counted.
    #[default]
    Kv,
    /// In the tenant's Durable Object: one count for the whole world, and a journey to it for each message.
    Exact,
}

/// Limits of a kind of visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Messages a minute and visitor.
    pub per_minute: u32,
    /// Messages a day (UTC) and visitor; any number when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub per_day: Option<u32>,
    /// Earlier exchanges of the conversation that the model is given; as many as fit when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<u32>,
    /// Where a visitor who is refused can get more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upgrade: Option<Upgrade>,
}

/// A link to more.
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
    /// New sessions a minute.
    pub sessions_per_minute: u32,
    /// Messages a minute, of all visitors there.
    pub messages_per_minute: u32,
    /// Messages a day (UTC), of all anonymous visitors there.
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

/// What visitors are told when they are refused. `{time}` stands for the time to wait, such as "45 s". Bulle's own words
/// where absent.
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

/// Who is let in at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// Only visitors whom the site's server vouches for with an `identity`.
    pub identified_only: bool,
    /// The public site key of a Cloudflare Turnstile widget: new anonymous visitors are asked to pass it. The
    /// deployment needs the secret TURNSTILE_SECRET.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnstile: Option<String>,
}

/// Settings of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TenantSettings {
    /// What all bots together may spend on language models.
    pub budget: Budget,
}

/// A value by locale, such as `{"fr": "Bonjour", "en": "Hello"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Localized<T>(pub BTreeMap<String, T>);

impl<T> Default for Localized<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Localized<T> {
    /// The value for the locale, or for its language, or for the fallback's, or for English, or any.
    pub fn get(&self, locale: &str, fallback: &str) -> Option<&T> {
        let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        [
            locale.to_owned(),
            language(locale),
            fallback.to_owned(),
            language(fallback),
            "en".to_owned(),
        ]
        .iter()
        .find_map(|tag| self.0.get(tag))
        .or_else(|| self.0.values().next())
    }
}

/// Longest text that an owner may set, in characters.
const MAX_TEXT: usize = 2_000;

/// Most entries of a list that an owner may set.
const MAX_ITEMS: usize = 20;

/// Most messages, sessions and exchanges that a limit may allow: more is no limit.
const MAX_COUNT: u32 = 100_000;

impl BotSettings {
    /// Whether the values make sense, and make sense together.
    ///
    /// # Errors
    /// A sentence that names the first value that does not, as `settings.limits.…: …`.
    pub fn validate(&self) -> Result<(), String> {
        let at = |path: &str, message: String| Err(format!("settings.{path}: {message}"));
        if self.name.trim().is_empty() || self.name.chars().count() > 80 {
            return at(
                "name",
                "give the bot a name of at most 80 characters.".to_owned(),
            );
        }
        for (path, texts) in [
            ("tagline", self.tagline.0.values().collect::<Vec<_>>()),
            ("greeting", self.greeting.0.values().collect()),
            (
                "suggestions",
                self.suggestions.0.values().flatten().collect(),
            ),
            ("topics", self.topics.0.values().flatten().collect()),
            ("persona.rules", self.persona.rules.iter().collect()),
            ("persona.role", vec![&self.persona.role]),
            ("persona.tone", vec![&self.persona.tone]),
            ("locale", vec![&self.locale]),
        ] {
            if texts.iter().any(|text| text.chars().count() > MAX_TEXT) {
                return at(path, format!("at most {MAX_TEXT} characters."));
            }
        }
        let lists = self.suggestions.0.values().chain(self.topics.0.values());
        if lists
            .chain([&self.persona.rules])
            .any(|list| list.len() > MAX_ITEMS)
        {
            return at(
                "suggestions, topics, persona.rules",
                format!("at most {MAX_ITEMS} entries each."),
            );
        }
        self.limits
            .validate()
            .or_else(|(path, message)| at(&format!("limits.{path}"), message))
    }
}

impl LimitSettings {
    /// The tier with this name.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.get(name)
    }

    fn validate(&self) -> Result<(), (String, String)> {
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
            let counts = [Some(tier.per_minute), tier.per_day];
            if counts
                .into_iter()
                .flatten()
                .any(|n| !(1..=MAX_COUNT).contains(&n))
            {
                return at(
                    &format!("tiers.{name}"),
                    "per_minute and per_day go from 1 to 100000; leave per_day out for no limit.",
                );
            }
            let Some(upgrade) = &tier.upgrade else {
                continue;
            };
            let local = [
                "http://localhost:",
                "http://localhost/",
                "http://127.0.0.1:",
            ];
            let safe = upgrade.url.starts_with("https://")
                || local.iter().any(|start| upgrade.url.starts_with(start));
            if !safe
                || upgrade.url.len() > MAX_TEXT
                || upgrade
                    .url
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control())
            {
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
        if [sessions_per_minute, messages_per_minute, messages_per_day]
            .iter()
            .any(|n| !(1..=MAX_COUNT).contains(n))
        {
            return at("address", "from 1 to 100000.");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localized_falls_back_from_region_to_language_to_default() {
        let greeting = Localized(
            [("fr", 1), ("pt-BR", 2), ("en", 3)]
                .map(|(tag, n)| (tag.to_owned(), n))
                .into(),
        );
        for (locale, fallback, expected) in [
            ("fr-CA", "en", 1),
            ("pt-BR", "en", 2),
            ("pt-PT", "fr", 1),
            ("ja", "ja", 3),
            ("", "", 3),
        ] {
            assert_eq!(greeting.get(locale, fallback), Some(&expected), "{locale}");
        }
        assert_eq!(Localized::<u8>::default().get("fr", "en"), None);
    }

    #[test]
    fn settings_refuse_unknown_fields_and_default_the_rest() {
        assert!(serde_json::from_str::<BotSettings>(r#"{"nmae":"x"}"#).is_err());
        let bot: BotSettings = serde_json::from_str(r#"{"name":"x"}"#).unwrap();
        assert_eq!(bot.limits.tiers["free"].per_day, Some(10));
    }
    #[test]
    fn values_must_make_sense_together() {
        let good = r#"{"name":"x"}"#;
        let check = |patch: &str| {
            serde_json::from_str::<BotSettings>(patch)
                .unwrap()
                .validate()
                .err()
                .unwrap_or_default()
        };
        assert_eq!(check(good), "");
        for (json, path) in [
            ("{}", "settings.name"),
            (
                r#"{"name":"x","limits":{"anonymous_tier":"gold"}}"#,
                "settings.limits.anonymous_tier",
            ),
            (
                r#"{"name":"x","limits":{"tiers":{"free":{"per_minute":0}}}}"#,
                "settings.limits.tiers.free",
            ),
            (
                r#"{"name":"x","limits":{"tiers":{"free":{"per_minute":1},"a b":{"per_minute":1}}}}"#,
                "settings.limits.tiers",
            ),
            (
                r#"{"name":"x","limits":{"tiers":{"free":{"per_minute":1,"upgrade":{"url":"javascript:alert(1)","label":{"en":"Up"}}}}}}"#,
                "settings.limits.tiers.free.upgrade.url",
            ),
            (
                r#"{"name":"x","limits":{"address":{"sessions_per_minute":0}}}"#,
                "settings.limits.address",
            ),
        ] {
            assert!(check(json).starts_with(path), "{json}: {}", check(json));
        }
    }
}
