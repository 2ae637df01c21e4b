//! Words that say what kind of answer is wanted, not where it is.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::fold::fold;

/// By language: a line each.
const SPACED: &str = include_str!("stop.txt");

/// Of languages that write without spaces, and of Korean.
const JOINED: &str = include_str!("joined.txt");

static WORDS: LazyLock<HashMap<&str, HashSet<String>>> = LazyLock::new(|| {
    let lines = SPACED.lines().filter_map(|line| line.split_once('|'));
    lines
        .map(|(tag, words)| (tag, words.split(' ').map(fold).collect()))
        .collect()
});

/// The longest first.
static PARTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = JOINED.lines().filter_map(|line| line.split_once('|'));
    let mut parts: Vec<String> = lines
        .flat_map(|(_, words)| words.split(' ').map(fold))
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.chars().count()));
    parts
});

/// The languages that have a list of words.
pub fn languages() -> impl Iterator<Item = &'static str> {
    SPACED
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(tag, _)| tag)
}

/// True when the language has a list.
pub fn has_words(language: &str) -> bool {
    WORDS.contains_key(language)
}

/// True when the folded word is a stopword of the language; of any known language when `None`.
pub fn is_stopword(word: &str, language: Option<&str>) -> bool {
    match language {
        Some(language) => WORDS
            .get(language)
            .is_some_and(|words| words.contains(word)),
        None => WORDS.values().any(|words| words.contains(word)),
    }
}

/// A folded question with a space for each function word that stands in it without spaces around.
pub fn cut(question: &str) -> String {
    if question.chars().all(|c| c < '\u{e00}') {
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
