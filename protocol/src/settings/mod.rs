//! What an owner configures of a bot and of a tenant.

mod limits;
mod model;
mod persona;
pub mod template;
mod tenant;

pub use limits::{AddressLimits, Budget, LimitSettings, LimitStore, Refusals, Tier, Upgrade};
pub use model::{Alternative, ModelChoice, Price, ProviderChoice, TimeoutSettings};
pub use persona::{AnswerSettings, Persona};
pub use tenant::{NoticeSettings, TenantSettings};

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
    /// Which models answer.
    pub model: ModelChoice,
    /// What answers must be like.
    pub answers: AnswerSettings,
    /// Who is let in.
    pub access: AccessSettings,
    /// How often visitors may speak, and at whose cost.
    pub limits: LimitSettings,
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
    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

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

/// What is wrong with a setting.
fn at<T>(path: &str, message: &str) -> Result<T, String> {
    Err(format!("settings.{path}: {message}"))
}

impl BotSettings {
    /// Whether the values make sense, and make sense together.
    ///
    /// # Errors
    /// A sentence that names the first value that does not, as `settings.limits.…: …`.
    pub fn validate(&self) -> Result<(), String> {
        if self.name.trim().is_empty() || self.name.chars().count() > 80 {
            return at("name", "give the bot a name of at most 80 characters.");
        }
        for (path, texts) in [
            ("tagline", self.tagline.0.values().collect::<Vec<_>>()),
            ("greeting", self.greeting.0.values().collect()),
            (
                "suggestions",
                self.suggestions.0.values().flatten().collect(),
            ),
            ("topics", self.topics.0.values().flatten().collect()),
            ("locale", vec![&self.locale]),
        ] {
            if texts.iter().any(|text| text.chars().count() > MAX_TEXT) {
                return at(path, &format!("at most {MAX_TEXT} characters."));
            }
        }
        let lists = self.suggestions.0.values().chain(self.topics.0.values());
        if lists.into_iter().any(|list| list.len() > MAX_ITEMS) {
            let message = format!("at most {MAX_ITEMS} entries each.");
            return at("suggestions, topics", &message);
        }
        self.persona.validate()?;
        self.model.validate()?;
        self.answers.validate()?;
        self.limits
            .validate()
            .or_else(|(path, message)| at(&format!("limits.{path}"), &message))
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
