//! Words, sentences and languages: what retrieval and the embedded model need to know about text.

use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

pub use crate::search::stop::is_stopword;

/// SHA-256 of the pieces, one after the other, hexadecimal.
pub fn sha256_hex<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece);
    }
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

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

/// The sentences of a paragraph, trimmed, in order (UAX #29). A full stop after an initial or inside an
/// abbreviation of one letter does not end a sentence.
pub fn sentences(paragraph: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut start = 0;
    for (at, piece) in paragraph.split_sentence_bound_indices() {
        let end = at + piece.len();
        let so_far = paragraph.get(start..end).unwrap_or_default().trim_end();
        let last_word = so_far.rsplit([' ', '\u{a0}']).next().unwrap_or_default();
        let abbreviation = last_word.ends_with('.') && last_word.chars().count() <= 2;
        if !abbreviation || end == paragraph.len() {
            ends.push((start, end));
            start = end;
        }
    }
    ends.iter()
        .filter_map(|&(from, to)| paragraph.get(from..to))
        .flat_map(phrases)
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .collect()
}

/// Fewest characters of a phrase that is taken for a sentence.
const MIN_PHRASE: usize = 25;

/// Thai and Lao have no full stop: a space ends a phrase, and a phrase that is long enough stands for a sentence.
fn phrases(sentence: &str) -> Vec<&str> {
    if !sentence.contains(|c| matches!(c, '\u{e00}'..='\u{eff}')) {
        return vec![sentence];
    }
    let mut out = Vec::new();
    let mut rest = sentence;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|tail| tail.find(' ')) {
        let end = from + at;
        let (Some(head), Some(tail)) = (rest.get(..end), rest.get(end + 1..)) else {
            break;
        };
        if head.chars().count() >= MIN_PHRASE && tail.chars().count() >= MIN_PHRASE {
            out.push(head);
            (rest, from) = (tail, 0);
        } else {
            from = end + 1;
        }
    }
    out.push(rest);
    out
}

/// A fragment identifier for a heading: folded, every run of other characters than `a-z0-9` one hyphen.
pub fn slug(heading: &str) -> String {
    let mut out = String::new();
    for c in fold(heading).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// Greetings and thanks, folded.
const GREETINGS: &str = "hello hi hey thanks thank bonjour bonsoir salut coucou merci hola gracias hallo danke ciao \
                         grazie ola obrigado obrigada dank";

/// True when a folded word greets or thanks.
pub fn is_greeting(word: &str) -> bool {
    GREETINGS
        .split_ascii_whitespace()
        .any(|greeting| greeting == word)
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
    for tag in crate::search::stop::languages() {
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
    fn sentences_keep_initials_and_numbers_together() {
        assert_eq!(
            sentences("J. Dupont gère 3.5 To. Elle vit à Rennes ! Et toi ?"),
            ["J. Dupont gère 3.5 To.", "Elle vit à Rennes !", "Et toi ?"]
        );
        assert_eq!(sentences("  "), Vec::<&str>::new());
        for (text, count) in [
            ("今天休息。明天开门！谁来？", 3),
            ("यह पहला है। यह दूसरा है।", 2),
            ("أين المكتبة؟ في الطابق الثاني.", 2),
            ("ሰላም ነው። ደህና ነህ፧ አዎ።", 3),
            ("ก๋วยเตี๋ยวเรือชามละยี่สิบบาทถ้วน ส่วนก๋วยเตี๋ยวต้มยำชามละสี่สิบบาท ฟรี", 2),
        ] {
            assert_eq!(sentences(text).len(), count, "{:?}", sentences(text));
        }
    }

    #[test]
    fn slugs() {
        for (heading, expected) in [
            ("Compétences techniques", "competences-techniques"),
            ("Puis-je télétravailler ?", "puis-je-teletravailler"),
            ("Kubernetes & « GitOps »", "kubernetes-gitops"),
            ("  ", ""),
        ] {
            assert_eq!(slug(heading), expected);
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
