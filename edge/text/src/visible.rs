//! The visible characters of a text.

use unicode_normalization::UnicodeNormalization;

/// The text in NFC and trimmed, without control characters (except line breaks and tabs) and without bidirectional
/// overrides, which make a text look like another one; `None` when no character of it is visible.
pub fn visible(text: &str) -> Option<String> {
    let cleaned: String = text
        .replace("\r\n", "\n")
        .nfc()
        .filter(|c| !is_forbidden(*c))
        .collect();
    let cleaned = cleaned.trim();
    cleaned.chars().any(is_visible).then(|| cleaned.to_owned())
}

fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_overrides_go_and_visible_text_stays() {
        for (text, expected) in [
            ("  Bonjour\r\n", Some("Bonjour")),
            ("e\u{301}", Some("é")),
            ("a\u{0}\u{7}b\tc\nd", Some("ab\tc\nd")),
            ("a\u{202e}b", Some("ab")),
            ("👩\u{200d}👩", Some("👩\u{200d}👩")),
            ("", None),
            (" \n\u{200b}\u{2060} ", None),
        ] {
            assert_eq!(visible(text).as_deref(), expected, "{text:?}");
        }
    }
}
