//! How a question is asked, and whether a clause says or denies what it speaks of.

use std::{collections::HashMap, sync::LazyLock};

use crate::kind::{has, plain};

/// A line a language, its fields apart by `|`, its words by `;`: tag, words that ask for more than yes or no, words that begin a
/// question for yes or no, words that join two questions, words that deny, phrases with such a word that deny nothing, words for
/// what is not allowed, for what is allowed or there, words that limit what is said, beginnings of an answer that says yes, that
/// says no, words for being alone, for being accompanied, words of a time or condition under which alone something holds.
const LANGUAGES: &str = include_str!("polarity.txt");

struct Language {
    open: Vec<String>,
    polar: Vec<String>,
    and: Vec<String>,
    not: Vec<String>,
    no_denial: Vec<String>,
    forbidden: Vec<String>,
    allowed: Vec<String>,
    limits: Vec<String>,
    yes: Vec<String>,
    no: Vec<String>,
    alone: Vec<String>,
    accompanied: Vec<String>,
    conditions: Vec<String>,
}

static TABLE: LazyLock<HashMap<&str, Language>> = LazyLock::new(|| {
    let list = |field: &str| -> Vec<String> {
        let words = field.split(';').map(|word| plain(word).trim().to_owned());
        words.filter(|word| !word.is_empty()).collect()
    };
    let line = |line: &'static str| {
        let fields: Vec<&str> = line.split('|').collect();
        let [
            tag,
            open,
            polar,
            and,
            not,
            no_denial,
            forbidden,
            allowed,
            limits,
            yes,
            no,
            alone,
            accompanied,
            conditions,
        ] = fields.as_slice()
        else {
            return None;
        };
        Some((
            *tag,
            Language {
                open: list(open),
                polar: list(polar),
                and: list(and),
                not: list(not),
                no_denial: list(no_denial),
                forbidden: list(forbidden),
                allowed: list(allowed),
                limits: list(limits),
                yes: list(yes),
                no: list(no),
                alone: list(alone),
                accompanied: list(accompanied),
                conditions: list(conditions),
            },
        ))
    };
    LANGUAGES.lines().filter_map(line).collect()
});

fn any(plain: &str, words: &[String]) -> bool {
    words.iter().any(|word| has(plain, word))
}

/// What a clause does with what it speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stance {
    /// It denies it, or says that it is not allowed.
    pub denies: bool,
    /// It says that it is allowed or there.
    pub allows: bool,
    /// It limits what it says: "only", "except", "without".
    pub limits: bool,
}

/// What a clause of a language does with what it speaks of.
pub fn stance(clause: &str, language: &str) -> Stance {
    let Some(table) = TABLE.get(language) else {
        return Stance::default();
    };
    let mut text = plain(clause);
    for phrase in &table.no_denial {
        text = text.replace(&format!(" {phrase} "), " ");
    }
    Stance {
        denies: any(&text, &table.not) || any(&text, &table.forbidden),
        allows: any(&text, &table.allowed),
        limits: any(&text, &table.limits),
    }
}

/// Whether a text in the language holds under a condition alone, or at a time that is no date: "during the holidays".
pub fn is_conditional(text: &str, language: &str) -> bool {
    TABLE
        .get(language)
        .is_some_and(|table| any(&plain(text), &table.conditions))
}

/// Whether an answer in the language begins with yes (true) or no.
pub fn begins(answer: &str, language: &str) -> Option<bool> {
    let table = TABLE.get(language)?;
    let text = plain(answer);
    let first = |words: &[String]| {
        words
            .iter()
            .any(|word| text.starts_with(&format!(" {word} ")))
    };
    match (first(&table.yes), first(&table.no)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Whether a question in the language can be answered with yes or no.
pub fn is_polar(question: &str, language: &str) -> bool {
    let Some(table) = TABLE.get(language) else {
        return false;
    };
    let text = plain(question);
    let starts = table
        .polar
        .iter()
        .any(|word| text.starts_with(&format!(" {word} ")));
    if starts {
        // "Is it known when you open?" is rare, "do you know what it costs" is not.
        return !any(&text, &table.open) || language == "hi" || text.starts_with(" est ce que ");
    }
    let marked = question.contains(['?', '？', '؟'])
        || table
            .polar
            .iter()
            .any(|word| text.trim_end().ends_with(&format!(" {word}")));
    let unspaced = text.contains(|c: char| {
        crate::script::Script::of(c).is_some_and(crate::script::Script::joins_words)
    });
    (marked || (unspaced && any(&text, &table.polar))) && !any(&text, &table.open)
}

/// Whether a question in the language has a verb that asks for yes or no, not a question mark alone ("phone number?").
pub fn has_polar_word(question: &str, language: &str) -> bool {
    TABLE
        .get(language)
        .is_some_and(|table| any(&plain(question), &table.polar))
}

/// Whether a text in the language speaks of being alone (true) or accompanied (false).
pub fn alone(text: &str, language: &str) -> Option<bool> {
    let table = TABLE.get(language)?;
    let text = plain(text);
    match (any(&text, &table.accompanied), any(&text, &table.alone)) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    }
}

/// The questions of which a text in the language is made, in order: by their signs, and where a word that joins is followed by one
/// that asks ("… and can I pay in cash?").
pub fn questions<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let Some(table) = TABLE.get(language) else {
        return vec![text];
    };
    let mut out = Vec::new();
    for sentence in crate::sentences(text) {
        let mut from = 0;
        for (at, space) in sentence.match_indices(' ') {
            let Some(rest) = sentence.get(at + space.len()..) else {
                continue;
            };
            let mut words = rest.split(' ');
            let joins = words
                .next()
                .is_some_and(|word| table.and.iter().any(|and| *and == plain(word).trim()));
            let Some(second) = rest
                .split_once(' ')
                .map(|(_, second)| second)
                .filter(|_| joins)
            else {
                continue;
            };
            // "et quand", "und ab wann", "and for how long"
            let asks = plain(&second.split(' ').take(3).collect::<Vec<_>>().join(" "));
            let first = plain(second.split(' ').next().unwrap_or_default());
            let first_asks = (table.open.iter().chain(&table.polar))
                .any(|word| asks.starts_with(&format!(" {word} ")));
            let inverted = second
                .split([' ', '?'])
                .next()
                .is_some_and(|word| INVERTED.iter().any(|end| word.ends_with(end)));
            let short = any(&asks, &table.open) && first.trim().chars().count() <= 4;
            if (first_asks || short || inverted) && at > from {
                out.extend(sentence.get(from..at));
                from = sentence.len() - second.len();
            }
        }
        out.extend(sentence.get(from..));
    }
    if out.is_empty() { vec![text] } else { out }
}

/// Ends of French verbs that are turned round to ask.
const INVERTED: [&str; 8] = [
    "-vous", "-il", "-elle", "-ils", "-elles", "-on", "-je", "-tu",
];

/// Whether a text asks, rather than telling something that is asked about next.
pub fn asks(text: &str, language: &str) -> bool {
    let Some(table) = TABLE.get(language) else {
        return true;
    };
    let words = plain(text);
    text.contains(['?', '？', '؟'])
        || any(&words, &table.open)
        || table
            .polar
            .iter()
            .any(|word| words.starts_with(&format!(" {word} ")))
}

/// Whether the folded word denies, allows or limits in the language, and names nothing.
pub fn is_form_word(word: &str, language: &str) -> bool {
    let Some(table) = TABLE.get(language) else {
        return false;
    };
    let lists = [
        &table.not,
        &table.forbidden,
        &table.allowed,
        &table.limits,
        &table.polar,
        &table.no,
    ];
    lists.iter().any(|list| {
        list.iter()
            .any(|other| other.split(' ').any(|it| it == word))
    })
}

/// Clauses of a sentence in the language: at its commas, colons and dashes.
pub fn clauses(sentence: &str) -> Vec<&str> {
    let parts = sentence.split([',', ';', ':', '–', '—', '，', '；', '、', '،']);
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_for_yes_or_no_is_told_from_others() {
        for (question, language, polar) in [
            ("are u open on sundays", "en", true),
            ("open wednesday?", "en", true),
            ("Can I bring my dog?", "en", true),
            ("where is it?", "en", false),
            ("do you know what it costs", "en", false),
            ("vous êtes ouverts le lundi ?", "fr", true),
            ("Est-ce que c'est ouvert ?", "fr", true),
            ("Quel est le prix ?", "fr", false),
            ("gibt es parkplätze", "de", true),
            ("Ab wann ist offen?", "de", false),
            ("¿Hay aparcamiento?", "es", true),
            ("¿Cuánto cuesta?", "es", false),
            ("C'è un parcheggio?", "it", true),
            ("Czy macie parking?", "pl", true),
            ("Otopark var mı?", "tr", true),
            ("周三营业吗", "zh", true),
            ("いくらですか", "ja", false),
            ("open?", "xx", false),
        ] {
            assert_eq!(is_polar(question, language), polar, "{question}");
        }
    }

    #[test]
    fn two_questions_in_one_are_parted() {
        for (text, language, parts) in [
            ("What is the deposit and can I pay it in cash?", "en", 2),
            ("who founded the museum and when?", "en", 2),
            ("Do you rent bikes and helmets?", "en", 1),
            ("My son is 14. Can he ride?", "en", 2),
            (
                "Quelle est la spécialité et quand est-elle servie ?",
                "fr",
                2,
            ),
            ("Was kostet Bleaching und wie lange dauert es?", "de", 2),
            ("wer hat die praxis gegründet und ab wann", "de", 2),
            ("¿Cuánto cuesta el desayuno y a qué hora se sirve?", "es", 2),
            ("Gibt es Brot und Butter?", "de", 1),
        ] {
            assert_eq!(
                questions(text, language).len(),
                parts,
                "{:?}",
                questions(text, language)
            );
        }
    }

    #[test]
    fn what_is_denied_is_told_from_what_is_said() {
        for (clause, language, denies) in [
            ("We do not take cash deposits", "en", true),
            ("No later than 9 am", "en", false),
            ("Dogs are welcome", "en", false),
            ("Tripods are prohibited", "en", true),
            ("Nous n'avons pas de parking", "fr", true),
            ("Kreditkarten nehmen wir leider nicht", "de", true),
            ("No se admiten mascotas", "es", true),
            ("Geen contant geld", "nl", true),
            ("x", "xx", false),
        ] {
            assert_eq!(stance(clause, language).denies, denies, "{clause}");
        }
    }
}
