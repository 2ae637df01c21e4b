//! Headings of documents as questions that a visitor would ask.
//!
//! A heading is written for a reader who sees the page around it ("Age", "What we do not repair"). On a button it stands
//! alone, and what a visitor presses is asked. So a heading that is a question stays as it is; any other is put into the
//! question "What can you tell me about …?" in the visitor's language, and a heading of one word takes what it belongs to
//! with it ("E-bikes – Age"), unless that is the bot's name, which says nothing.

use bulle_edge_text::{
    stop::is_stopword,
    words::{Word, words},
};

use crate::strings;

/// Marks that end a question.
pub const MARKS: [char; 3] = ['?', '？', '؟'];

/// Longest question, in characters.
const MAX_CHARS: usize = 120;

/// The question about a section of a document, in a language that the section is written in. `None` where the heading
/// names nothing but the bot, or nothing at all, such as "1.", or is too long. In a language without texts of Bulle's, the
/// heading itself.
pub fn question(bot_name: &str, title: &str, path: &str, language: &str) -> Option<String> {
    let names = path.rsplit(" › ").chain([title]).map(name);
    let mut names = names.filter(|name| !name.is_empty() && *name != bot_name);
    let own = names.next()?;
    let asked = if own.ends_with(MARKS) {
        own.to_owned()
    } else {
        let topic = match names.find(|name| *name != own) {
            Some(around) if is_vague(own, language) => format!("{around} – {own}"),
            _ => own.to_owned(),
        };
        match strings::negotiate(&[language]) {
            served if served == language => {
                let texts = strings::texts(served).answers;
                texts.about.replace("{topic}", &topic)
            }
            _ => topic,
        }
    };
    (asked.chars().count() <= MAX_CHARS).then_some(asked)
}

/// The heading without its number and final mark: "2.1 Prices:" names "Prices". Empty without a letter.
fn name(heading: &str) -> &str {
    let text = heading.trim();
    let named = text.trim_start_matches(|c: char| !c.is_alphabetic());
    // "24 hours" is a name with a number; "2. Hours" is a numbered name.
    let number = text.strip_suffix(named).unwrap_or_default();
    let is_counter = number.contains(['.', ')', ':', '#', '§']);
    let text = if is_counter || named.is_empty() {
        named
    } else {
        text
    };
    text.trim_end_matches([' ', '.', ':', '-', '–', '…'])
}

/// Whether a heading says little without what is around it: "Age", "The deposit", but not "What we do not repair".
fn is_vague(heading: &str, language: &str) -> bool {
    let words = words(heading);
    let is_naming = |word: &&Word| !is_stopword(&word.form, Some(language));
    words.len() <= 2 && words.iter().filter(is_naming).count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_becomes_a_question() {
        for (title, path, language, expected) in [
            (
                "E-bikes",
                "Age",
                "en",
                "What can you tell me about “E-bikes – Age”?",
            ),
            (
                "Repairs",
                "Bikes › What we do not repair",
                "en",
                "What can you tell me about “What we do not repair”?",
            ),
            (
                "Repairs",
                "How long does it take?",
                "en",
                "How long does it take?",
            ),
            ("FAQ", "هل توصلون؟", "ar", "هل توصلون؟"),
            (
                "Guide",
                "Rental › 2.1 Deposit and payment:",
                "en",
                "What can you tell me about “Deposit and payment”?",
            ),
            (
                "Guide",
                "24 hours of service",
                "en",
                "What can you tell me about “24 hours of service”?",
            ),
            (
                "Louer un vélo",
                "Caution",
                "fr",
                "Que pouvez-vous me dire sur «\u{a0}Louer un vélo – Caution\u{a0}»\u{202f}?",
            ),
            (
                "Opening hours",
                "",
                "en",
                "What can you tell me about “Opening hours”?",
            ),
            (
                "Prices",
                "Prices",
                "en",
                "What can you tell me about “Prices”?",
            ),
            (
                "Boulangerie Nord",
                "Holidays",
                "en",
                "What can you tell me about “Holidays”?",
            ),
            ("Прокат", "Залог и оплата", "ru", "Залог и оплата"),
            (
                "料金",
                "営業時間",
                "ja",
                "「営業時間」について教えてください。",
            ),
        ] {
            assert_eq!(
                question("Boulangerie Nord", title, path, language).as_deref(),
                Some(expected),
                "{title} {path}"
            );
        }
        for path in ["1.", "", "Boulangerie Nord", &"long ".repeat(40)] {
            assert_eq!(question("Boulangerie Nord", "", path, "en"), None);
        }
    }

    #[test]
    fn the_question_about_a_section_finds_it() {
        use crate::{
            ports::Sections,
            search::Section,
            testing::{
                block_on,
                examples::{PLAIN, TWIN},
            },
        };
        for example in [&*PLAIN, &*TWIN] {
            let sections = block_on(example.sections("", "")).unwrap();
            let missed: Vec<(String, String)> = sections
                .into_iter()
                .filter_map(|section| {
                    let Section {
                        title,
                        heading,
                        language,
                    } = &section;
                    let asked = question(&example.bot.name, title, heading, language)?;
                    let found = example.search(&asked);
                    let mut first = found.items().iter().take(3);
                    let is_found = first.any(|passage| passage.hit.heading == section.heading);
                    (!is_found).then_some((asked, section.heading))
                })
                .collect();
            assert!(missed.is_empty(), "{missed:#?}");
        }
    }

    #[test]
    fn the_question_is_searched_for_its_heading_alone() {
        use crate::retrieval::query::Terms;
        for locale in strings::locales() {
            let asked = question("", "", "Xylophon Quartz", locale).unwrap();
            let terms = Terms::of(&asked, locale);
            let bare = Terms::of("Xylophon Quartz", locale);
            assert_eq!(
                terms.query("a", "b").words(),
                bare.query("a", "b").words(),
                "{locale}: {asked}"
            );
            assert!(asked.contains("Xylophon Quartz"));
        }
    }
}
