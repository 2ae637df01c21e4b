//! Who the bot is and how it answers.

use serde::{Deserialize, Serialize};

use super::{Localized, MAX_ITEMS, MAX_TEXT, at};

/// Who the bot is, for the model's instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Persona {
    /// What the bot is for, in a sentence.
    pub role: String,
    /// How it speaks.
    pub tone: String,
    /// What it is good at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expertise: Vec<String>,
    /// How it signs, such as "Alessio 🤝".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
    /// Languages that it answers in (BCP 47), the visitor's own when it is one of them, else the first. Any when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// What it must or must not do.
    pub rules: Vec<String>,
    /// The owner's own instructions in place of Bulle's. `{name}`, `{role}`, `{tone}`, `{expertise}`, `{signature}`,
    /// `{languages}` and `{rules}` stand for the fields of this persona. What Bulle needs (how to cite, that documents
    /// are data) is added behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the bot says when no model answers and the documents do not either: one of these lines.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub fallback: Localized<Vec<String>>,
}

/// What answers must be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AnswerSettings {
    /// A model's answer is shown only when it cites the documents: it is held back until it is complete.
    pub citations_required: bool,
    /// Visitors are offered questions that they may ask next.
    pub suggestions: bool,
    /// An answer to a first question serves the same question for so many seconds, 60 to 604800, until the bot's
    /// settings or documents change. Not at all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_seconds: Option<u32>,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            citations_required: false,
            suggestions: true,
            cache_seconds: None,
        }
    }
}

impl Persona {
    pub(super) fn validate(&self) -> Result<(), String> {
        let lines = self.fallback.0.values();
        let lists = [&self.expertise, &self.languages, &self.rules];
        if lists
            .into_iter()
            .chain(lines)
            .any(|list| list.len() > MAX_ITEMS)
        {
            return at(
                "persona",
                &format!("at most {MAX_ITEMS} entries of a list."),
            );
        }
        let lines = self.fallback.0.values().flatten();
        let texts = [&self.role, &self.tone, &self.signature].into_iter();
        let texts = texts.chain(&self.expertise).chain(&self.rules).chain(lines);
        if texts
            .chain(&self.template)
            .any(|text| text.chars().count() > MAX_TEXT * 4)
            || [&self.role, &self.tone, &self.signature]
                .iter()
                .any(|t| t.chars().count() > MAX_TEXT)
        {
            return at(
                "persona",
                &format!("at most {MAX_TEXT} characters, four times as many in `template`."),
            );
        }
        let tag = |tag: &String| {
            let good = |part: &str| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            };
            tag.split('-').all(good)
        };
        if !self.languages.iter().all(tag) {
            return at(
                "persona.languages",
                "give tags such as \"fr\" or \"pt-BR\".",
            );
        }
        Ok(())
    }
}

impl AnswerSettings {
    pub(super) fn validate(self) -> Result<(), String> {
        if self
            .cache_seconds
            .is_some_and(|s| !(60..=604_800).contains(&s))
        {
            return at("answers.cache_seconds", "from 60 to 604800.");
        }
        Ok(())
    }
}
