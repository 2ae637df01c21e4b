//! A text in pieces.

use crate::script::{Script, is_mark};

/// A folded text cut into words, numbers and signs, with whether white space stands before each. Scripts without spaces are cut
/// into their characters.
pub fn pieces(folded: &str) -> Vec<(String, bool)> {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Letters,
        Digits,
        Alone,
    }
    let mut out: Vec<(String, bool)> = Vec::new();
    let (mut before, mut spaced) = (Class::Alone, true);
    for c in folded.chars() {
        if c.is_whitespace() && c != '\n' {
            (before, spaced) = (Class::Alone, true);
            continue;
        }
        let class = match c {
            _ if c.is_ascii_digit() => Class::Digits,
            _ if Script::of(c).is_some_and(Script::joins_words) => Class::Alone,
            _ if c.is_alphabetic() || is_mark(c) => Class::Letters,
            _ => Class::Alone,
        };
        match out.last_mut() {
            Some((last, _)) if class == before && class != Class::Alone => last.push(c),
            _ => out.push((c.to_string(), spaced)),
        }
        (before, spaced) = (class, false);
    }
    out
}
