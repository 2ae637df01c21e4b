//! What an owner configures: a site, the bot it shows, and how the bot behaves.

use bulle_protocol::session::Theme;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A site as the edge needs it at every message: the join of site, bot and tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Public key in the script tag.
    pub key: String,
    /// Owner of everything below.
    pub tenant_id: String,
    /// The bot that the site shows.
    pub bot_id: String,
    /// Origins that may show the bubble; see [`crate::guard::origin`] for the patterns.
    pub origins: Vec<String>,
    /// The bot's settings.
    pub bot: BotSettings,
}

/// Settings of a bot, stored as one JSON document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Limits.
    pub limits: LimitSettings,
}

/// Who the bot is, for the model's instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields, default)]
pub struct ModelChoice {
    /// Where answers come from.
    pub provider: ProviderChoice,
    /// Overrides the deployment's model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderChoice {
    /// The deployment's model when it has one, the documents alone otherwise.
    #[default]
    Default,
    /// The documents alone.
    Extractive,
}

/// Limits of a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Messages a minute and visitor.
    pub per_minute: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { per_minute: 20 }
    }
}

/// A value by locale, such as `{"fr": "Bonjour", "en": "Hello"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        assert_eq!(bot.limits.per_minute, 20);
    }
}
