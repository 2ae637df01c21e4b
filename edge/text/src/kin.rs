//! Words that visitors and owners use for the same thing: "fix" and "repair", "kid" and "child".
//!
//! These are words of everyday business, not a dictionary, and two of a line are alike, not the same: a sentence with the very
//! word of the question goes before one with its kin. Languages without a line have none.

use std::{collections::HashMap, sync::LazyLock};

use crate::words::{Word, words};

/// A line a language: tag, then groups apart by `|`, their words by spaces. The group that begins with `@` are words for the
/// business itself, that with `~` are words of which any question may be full.
const LANGUAGES: &str = include_str!("kin.txt");

static TABLE: LazyLock<HashMap<&str, Vec<Vec<Word>>>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (tag, groups) = line.split_once('|')?;
        let groups = groups
            .split('|')
            .filter(|group| !group.starts_with(['@', '~']))
            .map(words)
            .filter(|group| group.len() > 1);
        Some((tag, groups.collect()))
    };
    LANGUAGES.lines().filter_map(line).collect()
});

/// The words of the language that mean nearly the same as this one, without itself.
pub fn of(word: &Word, language: &str) -> Vec<&'static Word> {
    let groups = TABLE.get(language).into_iter().flatten();
    let found = groups.filter(|group| group.iter().any(|other| other.form == word.form));
    found
        .flatten()
        .filter(|other| other.form != word.form)
        .collect()
}

/// Words of a language that tell little of what a question asks for.
#[derive(Default)]
struct Light {
    own: Vec<String>,
    weak: Vec<String>,
}

static LIGHT: LazyLock<HashMap<&str, Light>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (tag, groups) = line.split_once('|')?;
        let of = |mark: char| -> Vec<String> {
            let marked = groups
                .split('|')
                .filter_map(|group| group.strip_prefix(mark));
            marked.flat_map(words).map(|word| word.form).collect()
        };
        Some((
            tag,
            Light {
                own: of('@'),
                weak: of('~'),
            },
        ))
    };
    LANGUAGES.lines().filter_map(line).collect()
});

/// Whether the folded word is one for the business itself: who founded "the company" is told of it by its name.
pub fn is_own(word: &str, language: &str) -> bool {
    LIGHT
        .get(language)
        .is_some_and(|light| light.own.iter().any(|own| own == word))
}

/// Whether the folded word is one of which any question may be full, such as "bring" or "do".
pub fn is_weak(word: &str, language: &str) -> bool {
    LIGHT
        .get(language)
        .is_some_and(|light| light.weak.iter().any(|weak| weak == word))
}

/// Endings that a longer form of a word may have, of which little is left when the stem is short: `ride`, `riders`.
const ENDINGS: [&str; 17] = [
    "s", "es", "r", "rs", "er", "ers", "ing", "ings", "d", "ed", "ment", "ments", "al", "als", "n",
    "en", "e",
];

/// Whether two folded words begin alike and differ in their endings only.
pub fn is_related(one: &str, other: &str) -> bool {
    let common: usize = (one.chars().zip(other.chars()))
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let (Some(one), Some(other)) = (one.get(common..), other.get(common..)) else {
        return false;
    };
    let ends = |rest: &str| rest.is_empty() || ENDINGS.contains(&rest);
    common >= 4 && (one.len() <= 1 || other.len() <= 1) && ends(one) && ends(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kin_and_forms_are_found_and_others_not() {
        let kin = |word: &str, language: &str, other: &str| {
            let word = words(word).remove(0);
            of(&word, language).iter().any(|kin| kin.form == other)
        };
        assert!(kin("kid", "en", "children"));
        assert!(kin("garer", "fr", "parking"));
        assert!(!kin("kid", "en", "kid"));
        assert!(!kin("kid", "xx", "child"));
        for (one, other, related) in [
            ("ride", "riders", true),
            ("rent", "rental", true),
            ("park", "parking", true),
            ("pay", "payment", false),
            ("plan", "plant", false),
            ("care", "cart", false),
            ("restaurant", "restoration", false),
            ("booking", "books", true),
        ] {
            assert_eq!(is_related(one, other), related, "{one} {other}");
        }
    }
}
