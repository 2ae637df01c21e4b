//! The bot's persona, and rules for its answers.

use serde::{Deserialize, Serialize};

use super::{Localized, MAX_ITEMS, MAX_TEXT, at, template};

/// Longest template, in characters.
const MAX_TEMPLATE: usize = 4 * MAX_TEXT;

/// Persona of the bot, for the model's instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Persona {
    /// What the bot is for, in a sentence.
    pub role: String,
    /// Tone of the bot's answers.
    pub tone: String,
    /// Subjects that the bot knows well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expertise: Vec<String>,
    /// Signature of the bot, such as "Alessio 🤝".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
    /// Languages (BCP 47) in which the bot answers: the visitor's own when it is listed, else the first. Any language
    /// when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Rules for the bot.
    pub rules: Vec<String>,
    /// The owner's own instructions in place of Bulle's, at most 8,000 characters. `{name}`, `{role}`, `{tone}`,
    /// `{expertise}`, `{signature}`, `{languages}` and `{rules}` stand for the fields of this persona; a line whose field
    /// is empty vanishes. Braces are written `{{` and `}}`. What Bulle needs (how to cite, that documents are data) is
    /// added behind them. See docs/persona.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Lines of which the bot says one when neither a model nor the documents answer.
    #[serde(skip_serializing_if = "Localized::is_empty")]
    pub fallback: Localized<Vec<String>>,
}

/// Rules for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AnswerSettings {
    /// A model's answer is shown only when it cites the documents. The edge holds the answer back until it is complete.
    pub citations_required: bool,
    /// Visitors are offered suggested next questions.
    pub suggestions: bool,
    /// Seconds, 60 to 604800, for which the answer to the first question of a conversation is reused for the same
    /// question. A change of the bot's settings or documents ends the reuse. Answers are not reused when absent.
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
        let one = std::slice::from_ref::<String>;
        let lines = self.fallback.0.values();
        let fields = [
            ("role", one(&self.role)),
            ("tone", one(&self.tone)),
            ("expertise", &self.expertise),
            ("signature", one(&self.signature)),
            ("languages", &self.languages),
            ("rules", &self.rules),
        ];
        let fallback = lines.map(|lines| ("fallback", lines.as_slice()));
        for (name, texts) in fields.into_iter().chain(fallback) {
            let path = format!("persona.{name}");
            if texts.len() > MAX_ITEMS {
                return at(&path, &format!("at most {MAX_ITEMS} entries."));
            }
            if texts.iter().any(|text| text.chars().count() > MAX_TEXT) {
                return at(&path, &format!("at most {MAX_TEXT} characters."));
            }
        }
        if !self.languages.iter().all(|tag| is_tag(tag)) {
            return at(
                "persona.languages",
                "give tags such as \"fr\" or \"pt-BR\".",
            );
        }
        let template = self.template.as_deref();
        template.map_or(Ok(()), |template| {
            check_template(template).or_else(|message| at("persona.template", &message))
        })
    }
}

fn is_tag(text: &str) -> bool {
    let good = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.split('-').all(good)
}

fn check_template(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty: leave it out to use Bulle's own instructions.".to_owned());
    }
    if text.chars().count() > MAX_TEMPLATE {
        return Err(format!("at most {MAX_TEMPLATE} characters."));
    }
    text.lines()
        .try_for_each(|line| template::parts(line).map(drop))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        let persona: Persona = serde_json::from_str(json).unwrap();
        persona.validate().err().unwrap_or_default()
    }

    #[test]
    fn a_persona_that_makes_sense_is_taken() {
        let full = r#"{"role":"a guide","tone":"warm","expertise":["Rust"],"signature":"Ada 🤝",
            "languages":["fr","pt-BR"],"rules":["Be brief."],"fallback":{"en":["I cannot answer now."]},
            "template":"I am {name}, {role}.\nAnswer as {{\"text\": …}}.\n{rules}"}"#;
        assert_eq!((error("{}"), error(full)), (String::new(), String::new()));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let long = "é".repeat(MAX_TEXT + 1);
        let list = |text: &str, n: usize| format!("[{}]", vec![format!("{text:?}"); n].join(","));
        for (json, says) in [
            (
                format!(r#"{{"role":"{long}"}}"#),
                "settings.persona.role: at most 2000",
            ),
            (format!(r#"{{"tone":"{long}"}}"#), "settings.persona.tone: "),
            (
                format!(r#"{{"signature":"{long}"}}"#),
                "settings.persona.signature: ",
            ),
            (
                format!(r#"{{"rules":["{long}"]}}"#),
                "settings.persona.rules: ",
            ),
            (
                format!(r#"{{"expertise":{}}}"#, list("x", MAX_ITEMS + 1)),
                "settings.persona.expertise: at most 20 entries",
            ),
            (
                format!(r#"{{"fallback":{{"en":{}}}}}"#, list("x", MAX_ITEMS + 1)),
                "settings.persona.fallback: at most 20 entries",
            ),
            (
                r#"{"languages":["français"]}"#.to_owned(),
                "settings.persona.languages: give tags",
            ),
            (
                r#"{"languages":[""]}"#.to_owned(),
                "settings.persona.languages: ",
            ),
            (
                r#"{"template":" \n"}"#.to_owned(),
                "settings.persona.template: it is empty",
            ),
            (
                format!(r#"{{"template":"{}"}}"#, "é".repeat(MAX_TEMPLATE + 1)),
                "settings.persona.template: at most 8000",
            ),
            (
                r#"{"template":"I am {name}.\nSay {nmae}."}"#.to_owned(),
                "settings.persona.template: `{nmae}` is no field. Fields are {name}, {role}, {tone}, {expertise}, \
                 {signature}, {languages}, {rules}; for braces in the text write `{{` and `}}`.",
            ),
            (
                r#"{"template":"a } b"}"#.to_owned(),
                "settings.persona.template: `}` stands alone",
            ),
        ] {
            assert!(error(&json).starts_with(says), "{says}: {}", error(&json));
        }
    }
}
