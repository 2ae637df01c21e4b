//! How many tokens a model reads a text as, without its tokenizer.

/// An estimate of tokens without a tokenizer: four characters of an alphabetic script a token, one of a
/// script without spaces.
pub fn tokens(text: &str) -> usize {
    let (narrow, wide) = text.chars().fold((0, 0), |(narrow, wide), c| {
        if u32::from(c) >= 0x2e80 {
            (narrow, wide + 1)
        } else {
            (narrow + 1, wide)
        }
    });
    narrow / 4 + wide + 4
}
