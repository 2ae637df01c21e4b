//! Checks of a visitor's message.

use bulle_edge_text::visible;
use bulle_protocol::{
    MAX_MESSAGE_CHARS,
    problem::{Code, Problem},
};

/// Largest request body that a route reads, in bytes: the longest message with every character escaped.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The message in NFC and trimmed, without control characters (except line breaks and tabs) and without bidirectional
/// overrides, which make a text look like another one.
///
/// # Errors
/// `message_empty`, `message_too_long`.
pub fn clean(text: &str) -> Result<String, Problem> {
    if text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(Problem::new(
            Code::MessageTooLong,
            format!(
                "At most {MAX_MESSAGE_CHARS} characters; shorten the message or send it in parts."
            ),
        ));
    }
    visible(text)
        .ok_or_else(|| Problem::new(Code::MessageEmpty, "The message has no visible character."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (text, expected) in [
            ("  Bonjour\r\n", Ok("Bonjour".to_owned())),
            ("e\u{301}", Ok("é".to_owned())),
            ("a\u{0}\u{7}b\tc\nd", Ok("ab\tc\nd".to_owned())),
            ("a\u{202e}b", Ok("ab".to_owned())),
            ("👩\u{200d}👩", Ok("👩\u{200d}👩".to_owned())),
            ("", Err(Code::MessageEmpty)),
            (" \n\u{200b}\u{2060} ", Err(Code::MessageEmpty)),
        ] {
            assert_eq!(
                clean(text).map_err(|problem| problem.code),
                expected,
                "{text:?}"
            );
        }
        assert!(clean(&"é".repeat(MAX_MESSAGE_CHARS)).is_ok());
        let long = clean(&"é".repeat(MAX_MESSAGE_CHARS + 1)).unwrap_err();
        assert_eq!(long.code, Code::MessageTooLong);
    }
}
