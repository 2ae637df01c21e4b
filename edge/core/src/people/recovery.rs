//! Recovery codes: ten of them let a person in, once each, who has lost password and passkeys.

use super::password::Pepper;

/// How many a person gets at once.
pub const CODES: usize = 10;

/// Characters of a code: 80 random bits, which cannot be guessed, so that a slow hash would add no protection.
const CHARS: usize = 16;

/// The letters and digits of a code (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A code as it is shown: four groups of four.
pub fn code(random: u128) -> String {
    let chars = (0..CHARS).map(|place| {
        let index = (random >> (5 * place)) as usize & 31;
        let letter = ALPHABET.get(index).copied().unwrap_or_default();
        let dash = if place > 0 && place % 4 == 0 { "-" } else { "" };
        format!("{dash}{}", char::from(letter))
    });
    chars.collect()
}

/// What is stored of a code: HMAC with the pepper of its letters and digits, however they were typed.
pub fn stored(pepper: &Pepper, code: &str) -> String {
    let typed =
        code.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            });
    pepper.mac(&format!("recovery/{}", typed.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let pepper = Pepper::new(Some(&"p".repeat(32))).unwrap_or_else(|_| panic!("long enough"));
        assert_eq!(code(0), "0000-0000-0000-0000");
        assert_eq!(code(u128::MAX), "zzzz-zzzz-zzzz-zzzz");
        assert_eq!(code(1 << 5), "0100-0000-0000-0000");
        assert_ne!(code(1 << 79), code(0));
        for same in [
            "0100-0000-0000-0000",
            "0100000000000000",
            " OIOO 0000 0000 0000 ",
            "oloo-oooo-oooo-oooo",
        ] {
            assert_eq!(
                stored(&pepper, same),
                stored(&pepper, &code(1 << 5)),
                "{same}"
            );
        }
        assert_ne!(stored(&pepper, "0"), stored(&pepper, &code(0)));
    }
}
