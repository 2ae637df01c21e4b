//! When the bubble speaks first.

use serde::{Deserialize, Serialize};

use super::{Localized, at};
use bulle_protocol::loader;

/// Most rules.
const MAX_RULES: usize = 10;

/// Longest text and question, in characters.
const MAX_TEXT: usize = 200;

/// Longest pattern, in characters.
const MAX_URL: usize = 200;

/// Longest delay, in seconds.
const MAX_DELAY: u32 = 3_600;

/// A note beside the launcher, shown once to a visitor when all conditions of the rule are met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProactiveRule {
    /// Text of the note, 1 to 200 characters.
    pub text: Localized<String>,
    /// Condition: seconds on the page, 0 to 3600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_s: Option<u32>,
    /// Condition: share of the page that was scrolled by, 1 to 100 percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scroll_percent: Option<u32>,
    /// Condition: the pointer leaves the page at its top.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exit_intent: bool,
    /// Condition: path of the page, such as `/pricing*`; `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Question that is asked when the visitor follows the note, 1 to 200 characters. When absent, the bubble only opens.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub ask: Localized<String>,
}

pub(super) fn validate(rules: &[ProactiveRule]) -> Result<(), String> {
    if rules.len() > MAX_RULES {
        return at("proactive", &format!("at most {MAX_RULES} rules."));
    }
    for (n, rule) in rules.iter().enumerate() {
        let path = |name: &str| format!("proactive.{n}.{name}");
        rule.text.one(&path("text"), MAX_TEXT)?;
        if !rule.ask.is_empty() {
            rule.ask.one(&path("ask"), MAX_TEXT)?;
        }
        if rule.delay_s.is_some_and(|delay| delay > MAX_DELAY) {
            return at(&path("delay_s"), &format!("0 to {MAX_DELAY} seconds."));
        }
        if rule.scroll_percent.is_some_and(|p| !(1..=100).contains(&p)) {
            return at(&path("scroll_percent"), "1 to 100.");
        }
        if rule.delay_s.is_none() && rule.scroll_percent.is_none() && !rule.exit_intent {
            let says = "say when: give delay_s, scroll_percent or exit_intent.";
            return at(&format!("proactive.{n}"), says);
        }
        let good = |url: &String| url.starts_with(['/', '*']) && url.chars().count() <= MAX_URL;
        if !rule.url.as_ref().is_none_or(good) {
            let says = format!("a path such as /pricing*, at most {MAX_URL} characters.");
            return at(&path("url"), &says);
        }
    }
    Ok(())
}

impl ProactiveRule {
    /// The rule in the loader's settings, for a visitor with this locale.
    pub fn localized(&self, locale: &str, fallback: &str) -> loader::Rule {
        let some = |text: &Localized<String>| text.get(locale, fallback).cloned();
        loader::Rule {
            text: some(&self.text).unwrap_or_default(),
            delay_s: self.delay_s,
            scroll_percent: self.scroll_percent,
            exit_intent: self.exit_intent,
            url: self.url.clone(),
            ask: some(&self.ask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_make_no_sense_are_named() {
        let error = |json: &str| {
            let rules: Vec<ProactiveRule> = serde_json::from_str(json).unwrap();
            validate(&rules).err().unwrap_or_default()
        };
        let full = r#"[{"text":{"en":"Hi"},"delay_s":0,"scroll_percent":100,"exit_intent":true,"url":"/a*","ask":{"en":"?"}}]"#;
        assert_eq!(error(full), "");
        for (json, says) in [
            ("[{}]", "settings.proactive.0.text: 1 to 200"),
            (
                r#"[{"text":{"en":"Hi"}}]"#,
                "settings.proactive.0: say when",
            ),
            (
                r#"[{"text":{"en":"Hi"},"delay_s":3601}]"#,
                "settings.proactive.0.delay_s: 0 to 3600",
            ),
            (
                r#"[{"text":{"en":"Hi"},"scroll_percent":0}]"#,
                "settings.proactive.0.scroll_percent: 1 to 100",
            ),
            (
                r#"[{"text":{"en":"Hi"},"delay_s":1,"url":"pricing"}]"#,
                "settings.proactive.0.url: a path",
            ),
        ] {
            assert!(error(json).starts_with(says), "{says}: {}", error(json));
        }
        let many = [r#"{"text":{"en":"Hi"},"delay_s":1}"#; MAX_RULES + 1].join(",");
        assert!(error(&format!("[{many}]")).starts_with("settings.proactive: at most 10"));
    }
}
