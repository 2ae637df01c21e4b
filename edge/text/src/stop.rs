//! Stop words: words of a question that a search leaves out, because they do not name its subject.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::{fold::fold, kind::plain, script::Script};

/// Stop words of languages with spaces between words: `tag|word word`.
const SPACED: &str = include_str!("stop.txt");

/// Function words of languages without spaces, and of Korean: `tag|word word`.
const JOINED: &str = include_str!("joined.txt");

/// Phrases of politeness: `tag|phrase;phrase`.
const PHRASES: &str = include_str!("phrases.txt");

/// [`SPACED`], folded.
static WORDS: LazyLock<HashMap<&str, HashSet<String>>> = LazyLock::new(|| {
    lines(SPACED)
        .map(|(tag, words)| (tag, words.split(' ').map(fold).collect()))
        .collect()
});

/// [`PHRASES`], as [`plain`] writes them.
static PHRASE: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    lines(PHRASES)
        .map(|(tag, phrases)| (tag, phrases.split(';').map(plain).collect()))
        .collect()
});

/// [`JOINED`], folded, the longest first.
static PARTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut parts: Vec<String> = lines(JOINED)
        .flat_map(|(_, words)| words.split(' ').map(fold))
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.chars().count()));
    parts
});

/// Tag and words of each line of a table.
fn lines(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter_map(|line| line.split_once('|'))
}

/// The languages that have a list of stop words.
pub fn languages() -> impl Iterator<Item = &'static str> {
    lines(SPACED).map(|(tag, _)| tag)
}

/// Whether the language has a list of stop words.
pub fn has_words(language: &str) -> bool {
    WORDS.contains_key(language)
}

/// Whether the folded word is a stop word of the language; of any known language when `None`.
pub fn is_stopword(word: &str, language: Option<&str>) -> bool {
    match language {
        Some(language) => WORDS
            .get(language)
            .is_some_and(|words| words.contains(word)),
        None => WORDS.values().any(|words| words.contains(word)),
    }
}

/// Greetings and thanks, folded.
const GREETINGS: &str = "hello hi hey thanks thank bonjour bonsoir salut coucou merci hola gracias hallo danke ciao \
                         grazie ola obrigado obrigada dank";

/// Whether a folded word greets or thanks.
pub fn is_greeting(word: &str) -> bool {
    GREETINGS
        .split_ascii_whitespace()
        .any(|greeting| greeting == word)
}

/// A folded question without the phrases of politeness of its language; the whole question when it consists of them.
pub fn without_phrases(question: String, language: &str) -> String {
    let Some((_, phrases)) = PHRASE.iter().find(|(tag, _)| *tag == language) else {
        return question;
    };
    let words = plain(&question);
    if !phrases.iter().any(|phrase| words.contains(phrase.as_str())) {
        return question;
    }
    let short = phrases.iter().fold(words.clone(), |words, phrase| {
        words.replace(phrase.as_str(), " ")
    });
    if short.trim().is_empty() {
        question
    } else {
        short
    }
}

/// Whether the folded word differs from a stop word of the language in one letter.
pub fn is_slip(word: &str, language: &str) -> bool {
    let near = |known: &String| known.chars().nth(MIN_SLIP - 1).is_some() && one_apart(word, known);
    word.chars().nth(MIN_SLIP - 1).is_some()
        && WORDS
            .get(language)
            .is_some_and(|words| words.iter().any(near))
}

/// Fewest letters of a word that is recognised as misspelled.
const MIN_SLIP: usize = 5;

/// Whether two words differ in one letter: an additional, missing or different one.
fn one_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - start;
    let end = (a.iter().rev().zip(b.iter().rev()))
        .take(most)
        .take_while(|(a, b)| a == b)
        .count();
    a.len().max(b.len()) - start - end == 1
}

/// A folded question with a space in place of each function word that is joined to its neighbours, as in Chinese.
pub fn cut(question: &str) -> String {
    let joins_words = |c: char| Script::of(c).is_some_and(Script::joins_words);
    if !question.contains(joins_words) {
        return question.to_owned();
    }
    let mut out = question.to_owned();
    for part in PARTS.iter() {
        if out.contains(part.as_str()) {
            out = out.replace(part.as_str(), " ");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_letter_of_a_long_word() {
        for (word, language, slip) in [
            ("coment", "fr", true),
            ("commment", "fr", true),
            ("cpmment", "fr", true),
            ("comment", "fr", false),
            ("moment", "fr", false),
            ("quo", "fr", false),
            ("coment", "xx", false),
            ("", "fr", false),
        ] {
            assert_eq!(is_slip(word, language), slip, "{word}");
        }
    }

    #[test]
    fn politeness_is_left_out_unless_nothing_else_is_said() {
        let short = |text: &str, language| without_phrases(fold(text), language);
        let text = "Bonjour, êtes-vous titulaire du permis ? Merci d'avance.";
        assert_eq!(short(text, "fr").trim(), "bonjour etes vous permis merci");
        assert_eq!(short("c++, c#", "en"), "c++, c#");
        assert_eq!(short("Merci d'avance", "xx"), "merci d'avance");
        assert_eq!(short("In advance", "en"), "in advance");
    }
}
