//! The settings of a bot and of a tenant.

mod form;
mod hours;
mod limits;
mod look;
mod model;
mod persona;
mod proactive;
mod shortcuts;
pub mod template;
mod tenant;

pub use form::{FormField, FormSettings, check_answers};
pub use hours::{DAY_MINUTES, HoursSettings, Outside, Weekday, minutes};
pub use limits::{AddressLimits, Budget, LimitSettings, LimitStore, Refusals, Tier, Upgrade};
pub use look::{Colours, Font, Launcher, Position, Scheme, Size, Texts, Theme};
pub use model::{Alternative, ModelChoice, Price, ProviderChoice, TimeoutSettings};
pub use persona::{AnswerSettings, Persona};
pub use proactive::ProactiveRule;
pub use shortcuts::Shortcut;
pub use tenant::{NoticeSettings, TenantSettings};

use bulle_protocol::session::Features;
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
    /// Ready-made questions of the first screen. Without them and without topics, Bulle suggests some from the sources.
    pub suggestions: Localized<Vec<String>>,
    /// Subjects of the bot's knowledge; offered when a question finds nothing.
    pub topics: Localized<Vec<String>>,
    /// Buttons of the first screen: a question, a page, a call, a mail, the form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shortcuts: Vec<Shortcut>,
    /// Whether the first screen says that a program answers and not a person.
    pub disclosure: Disclosure,
    /// Locale (BCP 47) for visitors whose own locale is not served; English when empty.
    pub locale: String,
    /// Colours, sizes and position.
    pub theme: Theme,
    /// Features of the bubble besides the conversation.
    pub features: Features,
    /// Texts of the bubble in the owner's words, by locale and name: `{"fr": {"send": "Demander"}}`. At most 300
    /// characters each. They hold for their own language only.
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = BTreeMap<String, BTreeMap<String, String>>)
    )]
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub texts: Texts,
    /// The form that visitors are asked to fill in, before or beside the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<FormSettings>,
    /// Business hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursSettings>,
    /// Notes that the bubble shows beside the launcher.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proactive: Vec<ProactiveRule>,
    /// Address of the owner's privacy notice, https://.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    /// The bot's persona.
    pub persona: Persona,
    /// The models that answer.
    pub model: ModelChoice,
    /// Rules for answers.
    pub answers: AnswerSettings,
    /// Which visitors may use the bot.
    pub access: AccessSettings,
    /// Limits of visitors' messages and of spending.
    pub limits: LimitSettings,
}

/// Whether visitors read, before their first message, that a program answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// The text `disclosure` stands above the greeting.
    #[default]
    Shown,
    /// Only for owners whose page says it elsewhere, or whom no law asks for it.
    Hidden,
}

/// Which visitors may use the bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// Only visitors with an `identity` that the site's server has signed may use the bot.
    pub identified_only: bool,
    /// The public site key of a Cloudflare Turnstile widget: new anonymous visitors are asked to pass it. The
    /// deployment needs the secret TURNSTILE_SECRET.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnstile: Option<String>,
    /// Whether the bot also has a page of its own, at `/c/{site}`.
    pub hosted_page: bool,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            identified_only: false,
            turnstile: None,
            hosted_page: true,
        }
    }
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
    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value for the locale, or for its language; `None` otherwise.
    pub fn of(&self, locale: &str) -> Option<&T> {
        let language = locale.split('-').next().unwrap_or_default();
        self.0.get(locale).or_else(|| self.0.get(language))
    }

    /// The value for the locale, or its language, or the fallback's, or English, or any other.
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

impl Localized<String> {
    /// Whether there is a text, and each has 1 to `most` characters.
    fn one(&self, path: &str, most: usize) -> Result<(), String> {
        let bad = |text: &String| text.trim().is_empty() || text.chars().count() > most;
        if self.is_empty() || self.0.values().any(bad) {
            return at(path, &format!("1 to {most} characters, by language."));
        }
        Ok(())
    }
}

/// Longest text that an owner may set, in characters.
const MAX_TEXT: usize = 2_000;

/// Most entries of a list that an owner may set.
const MAX_ITEMS: usize = 20;

/// The error in a setting.
fn at<T>(path: &str, message: &str) -> Result<T, String> {
    Err(format!("settings.{path}: {message}"))
}

impl BotSettings {
    /// Checks the values, each by itself and together.
    ///
    /// # Errors
    /// A sentence that names the first invalid value, as `settings.limits.…: …`.
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
        self.theme.validate()?;
        look::validate_texts(&self.texts)?;
        self.form.as_ref().map_or(Ok(()), FormSettings::validate)?;
        self.hours
            .as_ref()
            .map_or(Ok(()), HoursSettings::validate)?;
        proactive::validate(&self.proactive)?;
        shortcuts::validate(&self.shortcuts, self.form.as_ref())?;
        if !self.privacy_url.as_deref().is_none_or(limits::is_safe_url) {
            return at("privacy_url", "give an https:// address.");
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
            (
                r#"{"name":"x","privacy_url":"javascript:alert(1)"}"#,
                "settings.privacy_url",
            ),
        ] {
            assert!(check(json).starts_with(path), "{json}: {}", check(json));
        }
    }
}
