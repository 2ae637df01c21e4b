//! Stems: the common part of a word's forms, by script and without dictionaries.

use crate::script::Script;

/// Longest key, in characters.
const MAX_KEY: usize = 5;

/// The key of a stem: its beginning, by which the index finds its words.
pub fn key(stem: &str) -> String {
    stem.chars().take(MAX_KEY).collect()
}

/// Whether a key has the full length, so that its stem may be longer.
pub fn is_whole_key(key: &str) -> bool {
    key.chars().count() == MAX_KEY
}

/// The word without the endings (and in Arabic the articles) of its script's languages.
pub fn stem(word: &str) -> &str {
    match word.chars().next().and_then(Script::of) {
        Some(Script::Greek) => without(word, &GREEK, 3),
        // `музей` and `музеями` have the same stem only when a vowel is removed as well.
        Some(Script::Cyrillic) => without(
            without(word, &CYRILLIC, 3),
            &["а", "е", "и", "о", "у", "ы", "ь", "ю", "я"],
            3,
        ),
        Some(Script::Arabic) => arabic(word),
        Some(Script::Devanagari) => without(word, &DEVANAGARI, 2),
        _ => latin(word),
    }
}

/// Plurals of derived words lose both endings: `clusters`, `cluster`; short words lose only that of the plural: `dogs`.
fn latin(word: &str) -> &str {
    let stem = without(without(word, &LATIN, 4), &LATIN, 4);
    if stem == word && !word.ends_with("ss") {
        without(word, &["s"], 3)
    } else {
        stem
    }
}

/// The word without the first of these endings whose removal leaves `keep` characters.
fn without<'a>(word: &'a str, endings: &[&str], keep: usize) -> &'a str {
    endings
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.chars().nth(keep - 1).is_some())
        .unwrap_or(word)
}

fn arabic(word: &str) -> &str {
    let long = |rest: &&str, keep: usize| rest.chars().nth(keep - 1).is_some();
    let mut word = word;
    for start in ["وال", "بال", "كال", "فال", "لل", "ال", "و"] {
        if let Some(rest) = word.strip_prefix(start).filter(|rest| long(rest, 3)) {
            word = rest;
            break;
        }
    }
    without(word, &ARABIC, 3)
}

const LATIN: [&str; 63] = [
    "issements",
    "issement",
    "abilites",
    "ibilites",
    "abilite",
    "ibilite",
    "aciones",
    "iciones",
    "ations",
    "ements",
    "ungen",
    "acion",
    "icion",
    "acoes",
    "icoes",
    "azioni",
    "azione",
    "acao",
    "icao",
    "ation",
    "ement",
    "ables",
    "ibles",
    "keiten",
    "heiten",
    "keit",
    "heit",
    "isch",
    "lich",
    "able",
    "ible",
    "ants",
    "ante",
    "ando",
    "endo",
    "ados",
    "adas",
    "idos",
    "idas",
    "ado",
    "ada",
    "ido",
    "ida",
    "ings",
    "ung",
    "ant",
    "ees",
    "ing",
    "ern",
    "ed",
    "ee",
    "er",
    "en",
    "em",
    "es",
    "os",
    "as",
    "e",
    "s",
    "o",
    "a",
    "i",
    "n",
];

const CYRILLIC: [&str; 62] = [
    "иями",
    "ьями",
    "ости",
    "остью",
    "ениеи",
    "ение",
    "ения",
    "ении",
    "ями",
    "ами",
    "иеи",
    "ием",
    "иям",
    "иях",
    "ого",
    "его",
    "ому",
    "ему",
    "ыми",
    "ими",
    "уют",
    "ают",
    "яют",
    "ает",
    "яет",
    "ует",
    "ются",
    "ется",
    "ится",
    "ать",
    "ять",
    "ить",
    "еть",
    "ах",
    "ях",
    "ов",
    "ев",
    "еи",
    "ои",
    "ии",
    "ыи",
    "ая",
    "яя",
    "ое",
    "ее",
    "ие",
    "ые",
    "ую",
    "юю",
    "ом",
    "ем",
    "ам",
    "ям",
    "ть",
    "а",
    "я",
    "о",
    "е",
    "и",
    "ы",
    "у",
    "ь",
];

const GREEK: [&str; 34] = [
    "ουσαν",
    "ονται",
    "εται",
    "ουμε",
    "ετε",
    "ουν",
    "ματα",
    "ματοσ",
    "ματων",
    "ησ",
    "ουσ",
    "εισ",
    "ων",
    "εσ",
    "οσ",
    "ασ",
    "οι",
    "ου",
    "αι",
    "ει",
    "ια",
    "ιο",
    "ιασ",
    "ιου",
    "εων",
    "εωσ",
    "ισ",
    "α",
    "ο",
    "η",
    "ι",
    "ε",
    "ω",
    "υ",
];

const ARABIC: [&str; 14] = [
    "هما", "ها", "هم", "ان", "ات", "ون", "ين", "يه", "يا", "نا", "وا", "ه", "ي", "ت",
];

const DEVANAGARI: [&str; 24] = [
    "ियों",
    "ियाँ",
    "ियां",
    "ाओं",
    "ाएं",
    "ुओं",
    "ेंगे",
    "ेगा",
    "ेगी",
    "ने",
    "ना",
    "नी",
    "ता",
    "ते",
    "ती",
    "ों",
    "ें",
    "ीं",
    "ा",
    "ि",
    "ी",
    "ु",
    "े",
    "ो",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_prefixes() {
        for (word, expected) in [
            ("aks", "aks"),
            ("dogs", "dog"),
            ("cluster", "clust"),
            ("clusters", "clust"),
            ("experiences", "experienc"),
            ("working", "work"),
            ("disponibilites", "dispo"),
            ("numero", "numer"),
            ("ers", "ers"),
            ("架構", "架構"),
        ] {
            assert_eq!(stem(word), expected);
            assert!(word.starts_with(stem(word)));
        }
    }
}
