//! Bulle's own instructions: numbered texts, never changed once released, so that an old prompt can be built again. A
//! new wording is a new file at the end of [`TEXTS`].

use bulle_api::settings::{
    BotSettings,
    template::{Field, Part, parts},
};

/// Every version, in order: number 1 stands first.
const TEXTS: [&str; 1] = [include_str!("templates/1.txt")];

/// Number of the version that new prompts are made with.
pub const CURRENT: u32 = TEXTS.len() as u32;

/// The mark before the name of a section.
const MARK: &str = "== ";

/// A section of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Who the bot is; replaced by the owner's own template, where there is one.
    Persona,
    /// The rules that every bot needs.
    Always,
    /// Introduces the summary of a conversation.
    WithSummary,
    /// Says that no passages were found.
    WithoutPassages,
    /// Introduces an API client's own instructions.
    Owner,
    /// Asks for the rest of an answer.
    Continuation,
    /// The instructions for a summary.
    Summarise,
}

impl Section {
    #[cfg(test)]
    const ALL: [Self; 7] = [
        Self::Persona,
        Self::Always,
        Self::WithSummary,
        Self::WithoutPassages,
        Self::Owner,
        Self::Continuation,
        Self::Summarise,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Persona => "persona",
            Self::Always => "always",
            Self::WithSummary => "with a summary",
            Self::WithoutPassages => "without passages",
            Self::Owner => "owner",
            Self::Continuation => "continuation",
            Self::Summarise => "summarise",
        }
    }
}

/// A version of the instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template {
    /// From 1.
    pub number: u32,
    text: &'static str,
}

impl Template {
    /// The version that new prompts are made with.
    pub fn current() -> Self {
        let [.., text] = TEXTS;
        Self {
            number: CURRENT,
            text,
        }
    }

    /// The version with this number, if this build has it.
    pub fn numbered(number: u32) -> Option<Self> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let text = TEXTS.get(place)?;
        Some(Self { number, text })
    }

    /// The text of a section, without its last line break.
    pub fn section(&self, section: Section) -> &'static str {
        let mut sections = self.text.split(MARK).filter_map(|it| it.split_once('\n'));
        let found = sections.find(|(name, _)| *name == section.name());
        found.map_or("", |(_, text)| text.trim_end())
    }
}

/// The text with the persona's fields filled in, every line with its line break. Lines whose fields are empty are left
/// out.
pub(super) fn fill(text: &str, bot: &BotSettings) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines().filter_map(|line| filled(line, bot)) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn filled(line: &str, bot: &BotSettings) -> Option<String> {
    // Settings that were stored before this check: the line is kept as it is rather than left out.
    let Ok(parts) = parts(line) else {
        return Some(line.to_owned());
    };
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Field(field) => out.push_str(&value(field, bot)?),
            Part::Without(field) => {
                if value(field, bot).is_some() {
                    return None;
                }
            }
        }
    }
    Some(out)
}

/// The text of the field, unless it is empty.
fn value(field: Field, bot: &BotSettings) -> Option<String> {
    let persona = &bot.persona;
    let value = match field {
        Field::Name => bot.name.clone(),
        Field::Role => persona.role.clone(),
        Field::Tone => persona.tone.clone(),
        Field::Expertise => persona.expertise.join(", "),
        Field::Signature => persona.signature.clone(),
        Field::Languages => persona.languages.join(", "),
        Field::Rules => {
            let lines: Vec<String> = persona.rules.iter().map(|r| format!("- {r}")).collect();
            lines.join("\n")
        }
    };
    (!value.trim().is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digest::sha256_hex, testing::site};

    /// The prompts of earlier answers are built again from these texts, so a released text never changes. Add a file.
    #[test]
    fn released_templates_never_change() {
        let hashes: Vec<String> = TEXTS.iter().map(|t| sha256_hex([t.as_bytes()])).collect();
        assert_eq!(
            hashes,
            ["7d87cf4afab4be8b75b50439353ab6ef4e5d9b57f0035277c6071fcf8f6b6069"]
        );
        assert_eq!(CURRENT as usize, TEXTS.len());
        assert_eq!(Template::current().number, CURRENT);
    }

    #[test]
    fn every_template_has_every_section_and_names_fields_only() {
        for number in 1..=CURRENT {
            let template = Template::numbered(number).unwrap();
            for section in Section::ALL {
                let text = template.section(section);
                assert!(!text.is_empty(), "{number}: {section:?}");
                if section != Section::Summarise {
                    for line in text.lines() {
                        parts(line).unwrap();
                    }
                }
            }
            let sections = template.text.matches(MARK).count();
            assert_eq!(sections, Section::ALL.len(), "{number}");
        }
        assert!(Template::numbered(0).is_none() && Template::numbered(CURRENT + 1).is_none());
    }

    #[test]
    fn lines_of_empty_fields_vanish_and_braces_stay() {
        let mut bot = site().bot;
        let text = "{name}: {tone}{signature}\n{!role}no role\n{!signature}no signature, {name}\n\n{{{role}}} {{name}}\n{expertise}\n{rules}";
        assert_eq!(
            fill(text, &bot),
            "no signature, Jumeau\n\n{a digital twin} {name}\n- Speak of yourself as I.\n"
        );
        bot.persona.signature = "Ada {role}".into();
        bot.persona.expertise = vec!["Rust".into(), "SQL".into()];
        bot.persona.rules.push("Be\nbrief.".into());
        assert_eq!(
            fill(text, &bot),
            "Jumeau: warmAda {role}\n\n{a digital twin} {name}\nRust, SQL\n- Speak of yourself as I.\n- Be\nbrief.\n"
        );
    }

    #[test]
    fn a_template_that_was_stored_unchecked_is_not_lost() {
        assert_eq!(fill("{nmae}\n{name}", &site().bot), "{nmae}\nJumeau\n");
    }
}
