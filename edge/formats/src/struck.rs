//! Text that its author struck out, such as the price before a sale. It no longer holds, so no format's reader reads it.

/// Whether a space must stand where a struck text was left out, between the characters before and after it:
/// `€14<s>€13</s>€12`.
pub(crate) fn needs_space(before: Option<char>, after: Option<char>) -> bool {
    let closes = |c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']');
    match (before, after) {
        (Some(before), Some(after)) => {
            !before.is_whitespace() && !after.is_whitespace() && !closes(after)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_stay_apart_and_full_stops_stay_attached() {
        assert!(needs_space(Some('4'), Some('€')));
        assert!(needs_space(Some(','), Some('$')));
        for (before, after) in [
            (Some('a'), Some('.')),
            (Some(' '), Some('a')),
            (None, Some('a')),
        ] {
            assert!(!needs_space(before, after));
        }
    }
}
