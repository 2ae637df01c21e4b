//! Estimates how many tokens a model counts for a text, without its tokenizer.

/// Tokens of a message beside those of its text.
const MESSAGE: usize = 4;

/// An estimate of the tokens of a message: four characters a token, one of a script without spaces, and [`MESSAGE`].
/// docs/costs.md compares it with two vendors' tokenizers, by language.
pub fn tokens(text: &str) -> usize {
    text.chars().map(quarters).sum::<usize>() / 4 + MESSAGE
}

/// The quarters of a token that a character counts for.
pub fn quarters(c: char) -> usize {
    if u32::from(c) >= 0x2e80 { 4 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_letters_are_a_token_and_one_character_of_chinese() {
        for (text, expected) in [
            ("", MESSAGE),
            ("abc", MESSAGE),
            ("Bonjour.", 2 + MESSAGE),
            ("Привет!!", 2 + MESSAGE),
            ("你好", 2 + MESSAGE),
            ("你好 abc", 3 + MESSAGE),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }
}
