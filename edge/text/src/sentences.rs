//! Cuts a paragraph into sentences.

use crate::{calendar, fold::fold, script::Script};
use unicode_segmentation::UnicodeSegmentation;

/// The sentences of a paragraph, trimmed, in order (UAX #29). A full stop after an initial, after an abbreviation that something
/// follows (`Dr. Sommer`) or after the day of a month (`23. Dezember`) does not end a sentence.
pub fn sentences(paragraph: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut start = 0;
    for (at, piece) in paragraph.split_sentence_bound_indices() {
        let end = at + piece.len();
        let so_far = paragraph.get(start..end).unwrap_or_default().trim_end();
        let last_word = so_far.rsplit([' ', '\u{a0}']).next().unwrap_or_default();
        let abbreviation = last_word.ends_with('.')
            && (is_initial(last_word, so_far)
                || ABBREVIATIONS.contains(&fold(last_word).as_str())
                || is_day(last_word, paragraph.get(end..).unwrap_or_default()));
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

/// What stands before a name or a number with a full stop, folded.
const ABBREVIATIONS: [&str; 20] = [
    "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "str.", "nr.", "tel.", "vs.", "ca.", "bzw.",
    "inkl.", "zzgl.", "ggf.", "dott.", "sr.", "sra.", "mme.", "av.",
];

/// Whether a word with a full stop is one letter, or the number before an item: `J. Dupont`, `2. Open the file`.
fn is_initial(word: &str, so_far: &str) -> bool {
    word.chars().count() <= 2
        && (word.len() == so_far.len() || !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a number with a full stop is the day of a month: `23. Dezember`.
fn is_day(word: &str, after: &str) -> bool {
    let number = word.trim_end_matches('.');
    let next = after.split_whitespace().next().unwrap_or_default();
    number.len() <= 2
        && number.parse::<u8>().is_ok()
        && calendar::is_month(fold(next).trim_end_matches(|c: char| !c.is_alphanumeric()))
}

/// Fewest characters of a phrase that counts as a sentence.
const MIN_PHRASE: usize = 25;

/// Thai and Lao have no full stop: a space ends a phrase, and a phrase that is long enough counts as a sentence.
fn phrases(sentence: &str) -> Vec<&str> {
    let without_stops = |c: char| matches!(Script::of(c), Some(Script::Thai | Script::Lao));
    if !sentence.contains(without_stops) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_keep_initials_and_numbers_together() {
        assert_eq!(
            sentences("J. Dupont gère 3.5 To. Elle vit à Rennes ! Et toi ?"),
            ["J. Dupont gère 3.5 To.", "Elle vit à Rennes !", "Et toi ?"]
        );
        assert_eq!(
            sentences(
                "Vom 23. Dezember bis 6. Januar ist zu. Dr. Sommer kam 2009. Es waren 15. Danke, wir 6. Ja."
            ),
            [
                "Vom 23. Dezember bis 6. Januar ist zu.",
                "Dr. Sommer kam 2009.",
                "Es waren 15.",
                "Danke, wir 6.",
                "Ja."
            ]
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
}
