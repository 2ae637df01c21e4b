//! Words, sentences and languages: what retrieval and the embedded model need to know about text.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

use crate::stop::is_stopword;

/// Lower case without diacritics, like SQLite's `unicode61 remove_diacritics 2`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // ASCII decomposes into itself and nothing is reordered across it, so most of a text is quickly done.
        let ascii = rest.find(|c: char| !c.is_ascii());
        let (plain, more) = cut(rest, ascii);
        folded.extend(plain.chars().map(|c| c.to_ascii_lowercase()));
        let other = more.find(|c: char| c.is_ascii());
        let (marked, more) = cut(more, other);
        let bare = marked.nfd().filter(|c| !is_combining_mark(*c));
        folded.extend(bare.flat_map(char::to_lowercase));
        rest = more;
    }
    folded
}

fn cut(text: &str, at: Option<usize>) -> (&str, &str) {
    let cut = at.and_then(|at| text.split_at_checked(at));
    cut.unwrap_or((text, ""))
}

/// The folded words of a text; an elided article (`l'`, `d'`, `qu'`) is cut off as a word of its own.
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .replace(['’', '\''], " ")
        .unicode_words()
        .map(str::to_owned)
        .collect()
}

/// Endings that a stem loses, folded, the longest first: those of French and English that leave the sense.
const ENDINGS: [&str; 26] = [
    "issements",
    "issement",
    "abilites",
    "ibilites",
    "abilite",
    "ibilite",
    "ations",
    "ements",
    "ation",
    "ement",
    "ables",
    "ibles",
    "able",
    "ible",
    "ants",
    "ante",
    "ings",
    "ant",
    "ees",
    "ing",
    "ed",
    "ee",
    "er",
    "es",
    "e",
    "s",
];

/// Fewest characters of a stem.
const MIN_STEM: usize = 4;

/// A crude stem: the word without its ending, so that `architecte` meets `architecture` and `working` meets
/// `worked`. Always a prefix of the word, which is what a prefix query needs.
pub fn stem(word: &str) -> &str {
    ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.chars().count() >= MIN_STEM)
        .unwrap_or(word)
}

/// The language of a question by its script and its stopwords, or the hint's language when they do not tell.
pub fn language<'a>(question: &str, hint: &'a str) -> &'a str {
    let words = words(question);
    let votes = |tag: &str| {
        words
            .iter()
            .filter(|word| is_stopword(word, Some(tag)))
            .count()
    };
    let hint = hint.split('-').next().unwrap_or_default();
    if let Some(tag) = by_script(question, hint) {
        return tag;
    }
    let mut best = (hint, votes(hint));
    for tag in crate::stop::languages() {
        let count = votes(tag);
        if count > best.1 {
            best = (tag, count);
        }
    }
    best.0
}

/// The language of a script that is written in one language, or in few of which the hint may be one.
fn by_script<'a>(text: &str, hint: &'a str) -> Option<&'a str> {
    let mut letters = text.chars().filter(|c| c.is_alphabetic());
    let of = |c: char| -> &[&'static str] {
        match u32::from(c) {
            0x370..=0x3ff => &["el"],
            0x590..=0x5ff => &["he"],
            0x900..=0x97f => &["hi", "mr", "ne"],
            0xe00..=0xe7f => &["th"],
            0xe80..=0xeff => &["lo"],
            0x1000..=0x109f => &["my"],
            0x1780..=0x17ff => &["km"],
            0x3041..=0x30ff => &["ja"],
            0xac00..=0xd7af => &["ko"],
            0x4e00..=0x9fff => &["zh", "ja"],
            _ => &[],
        }
    };
    if text
        .chars()
        .any(|c| matches!(u32::from(c), 0x3041..=0x30ff))
    {
        return Some("ja");
    }
    let tags = of(letters.next()?);
    if tags.contains(&hint) {
        Some(hint)
    } else {
        tags.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_folded_and_elisions_cut() {
        assert_eq!(
            words("L’Élève d'été, C++ !"),
            ["l", "eleve", "d", "ete", "c"]
        );
    }

    proptest! {
        #[test]
        fn the_quick_way_folds_as_the_plain_one_does(
            text in "([a-zA-Z0-9 .,:'’_-]|[éÉàßœİΣ\u{301}\u{323}\u{2126}架ｶ\u{ac00}]|\\PC|[\r\n\u{b}\u{85}\u{2028}]){0,60}",
        ) {
            let plain = text.nfd().filter(|c| !is_combining_mark(*c));
            prop_assert_eq!(fold(&text), plain.flat_map(char::to_lowercase).collect::<String>());
        }
    }

    #[test]
    fn stems_are_prefixes() {
        for (word, expected) in [
            ("aks", "aks"),
            ("cluster", "clust"),
            ("clusters", "cluster"),
            ("experiences", "experienc"),
            ("working", "work"),
            ("disponibilites", "dispon"),
            ("numero", "numero"),
            ("ers", "ers"),
            ("架構", "架構"),
        ] {
            assert_eq!(stem(word), expected);
            assert!(word.starts_with(stem(word)));
        }
    }

    #[test]
    fn languages() {
        for (question, hint, expected) in [
            ("Quelle est ton expérience avec Kubernetes ?", "en", "fr"),
            ("What is your experience with Kubernetes?", "fr-FR", "en"),
            ("Kubernetes", "fr-FR", "fr"),
            ("Was ist deine Erfahrung mit Kubernetes?", "en", "de"),
            ("東京", "ja", "ja"),
        ] {
            assert_eq!(language(question, hint), expected, "{question}");
        }
    }
}
