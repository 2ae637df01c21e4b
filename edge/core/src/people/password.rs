//! Passwords: which are refused, and how they are stored and verified.
//!
//! Stored is a PHC string of argon2id with the parameters that OWASP recommends, of `HMAC-SHA-256(pepper, password)`. The
//! pepper is a secret of the deployment: whoever steals the database alone cannot try passwords.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use bulle_protocol::problem::{Code, Problem};

use crate::{
    digest::same,
    model::{MIN_SECRET_BYTES, Secret},
};

/// Fewest characters.
pub const MIN_CHARS: usize = 12;

/// Most characters.
pub const MAX_CHARS: usize = 256;

/// KiB of memory, passes and lanes (OWASP Password Storage Cheat Sheet).
const PARAMETERS: (u32, u32, u32) = (19_456, 2, 1);

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// The commonest passwords of at least [`MIN_CHARS`] characters, a line each: what two published lists (zxcvbn's 30,000
/// and Django's 20,000 commonest of leaked passwords) have in that length. Shorter ones are refused by their length.
const COMMON: &str = include_str!("common_passwords.txt");

/// The deployment's secret that is mixed into every password.
pub struct Pepper(Secret);

impl Pepper {
    /// The secret `PASSWORD_PEPPER`.
    ///
    /// # Errors
    /// `misconfigured`, saying what to set.
    pub fn new(text: Option<&str>) -> Result<Self, Problem> {
        Secret::new(text).map(Self).map_err(|_| {
            Problem::new(
                Code::Misconfigured,
                format!(
                    "Sign-in is closed. Set the secret PASSWORD_PEPPER to at least {MIN_SECRET_BYTES} random characters: \
                     `npx wrangler secret put PASSWORD_PEPPER`, or a line in edge/worker/.dev.vars on a laptop."
                ),
            )
        })
    }

    /// The name under which attempts at an account are counted. It does not tell the address.
    pub fn attempts_name(&self, email: &str) -> String {
        self.0.derive(&format!("attempts/{email}"))
    }

    /// HMAC-SHA-256 of a text, 64 hexadecimal digits.
    pub fn mac(&self, text: &str) -> String {
        self.0.derive(text)
    }

    /// The stored form of a password. `None` when the platform has too little memory.
    pub fn hash(&self, password: &str, salt: u128) -> Option<String> {
        let (memory, passes, lanes) = PARAMETERS;
        let salt = salt.to_le_bytes();
        let hash = self.derive(password, &salt, PARAMETERS)?;
        Some(format!(
            "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
            BASE64.encode(salt),
            BASE64.encode(hash)
        ))
    }

    /// Whether the password is the stored one. Without a stored one the same work is done, so that the time tells
    /// nothing, and the answer is no.
    pub fn verify(&self, password: &str, stored: Option<&str>) -> bool {
        let stored = stored.and_then(Phc::parse);
        let nobody = Phc {
            parameters: PARAMETERS,
            salt: vec![0; 16],
            hash: String::new(),
        };
        let phc = stored.as_ref().unwrap_or(&nobody);
        let hash = self.derive(password, &phc.salt, phc.parameters);
        let hash = hash.map(|hash| BASE64.encode(hash)).unwrap_or_default();
        same(&hash, &phc.hash) && stored.is_some() && !hash.is_empty()
    }

    fn derive(
        &self,
        password: &str,
        salt: &[u8],
        (memory, passes, lanes): (u32, u32, u32),
    ) -> Option<[u8; HASH_BYTES]> {
        let parameters = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let peppered = self.0.derive(&format!("password/{password}"));
        let mut hash = [0; HASH_BYTES];
        argon2
            .hash_password_into(peppered.as_bytes(), salt, &mut hash)
            .ok()?;
        Some(hash)
    }
}

/// A PHC string of argon2id, version 1.3, with a hash of [`HASH_BYTES`].
struct Phc {
    parameters: (u32, u32, u32),
    salt: Vec<u8>,
    hash: String,
}

impl Phc {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (before, name, version) = (parts.next()?, parts.next()?, parts.next()?);
        let (parameters, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if !before.is_empty() || name != "argon2id" || version != "v=19" || parts.next().is_some() {
            return None;
        }
        let mut numbers = parameters.split(',');
        let mut number = |name: &str| numbers.next()?.strip_prefix(name)?.parse().ok();
        Some(Self {
            parameters: (number("m=")?, number("t=")?, number("p=")?),
            salt: BASE64.decode(salt).ok()?,
            hash: hash.to_owned(),
        })
    }
}

/// Checks a password that a person chooses.
///
/// # Errors
/// `invalid_value`, saying what to choose instead.
pub fn check(password: &str, email: &str) -> Result<(), Problem> {
    let refused = |detail: String| Err(Problem::new(Code::InvalidValue, detail));
    let chars = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&chars) {
        return refused(format!(
            "password: choose {MIN_CHARS} to {MAX_CHARS} characters. Three or four unrelated words are good."
        ));
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let common = COMMON.lines().any(|line| line == lower);
    let named = lower == email || chars < local.chars().count() + 6 && lower.contains(local);
    if common || named || repeats(&lower) || runs(&lower) {
        return refused(
            "password: this one is among the first that are guessed. Three or four unrelated words are good.".to_owned(),
        );
    }
    Ok(())
}

/// Whether the text is one piece of at most four characters, again and again.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| {
        let shifted = chars.iter().skip(period);
        chars.iter().zip(shifted).all(|(a, b)| a == b)
    })
}

/// Whether the text goes through the alphabet, the digits or a row of the keyboard, forwards or backwards.
fn runs(text: &str) -> bool {
    const ROWS: [&str; 6] = [
        "0123456789012345678901234567890123456789",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
        "qwertzuiopasdfghjklyxcvbnmqwertzuiopasdfghjklyxcvbnm",
        "azertyuiopqsdfghjklmwxcvbnazertyuiopqsdfghjklmwxcvbn",
        "1234567890qwertyuiop",
    ];
    let backwards: String = text.chars().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(text) || row.contains(&backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper() -> Pepper {
        Pepper::new(Some(&"p".repeat(32))).unwrap_or_else(|_| panic!("long enough"))
    }

    #[test]
    fn a_password_is_verified_by_its_stored_form_only() {
        let stored = pepper().hash("correct horse battery", 7).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwAAAAAAAAAAAAAAAAAAAA$"));
        assert!(pepper().verify("correct horse battery", Some(&stored)));
        assert!(!pepper().verify("correct horse batterx", Some(&stored)));
        assert!(!pepper().verify("", Some(&stored)));
        let other = Pepper::new(Some(&"q".repeat(32))).unwrap_or_else(|_| panic!("long enough"));
        assert!(
            !other.verify("correct horse battery", Some(&stored)),
            "another pepper"
        );
        let salted = pepper().hash("correct horse battery", 8).unwrap();
        assert_ne!(stored, salted);
    }

    #[test]
    fn nobody_has_a_password_and_a_broken_row_has_none() {
        for broken in [
            None,
            Some(""),
            Some("$argon2id$v=19$m=19456,t=2,p=1$$"),
            Some("$argon2i$v=19$m=19456,t=2,p=1$BwAAAAAAAAAAAAAAAAAAAA$x"),
            Some("$argon2id$v=19$m=1,t=2,p=1$BwAAAAAAAAAAAAAAAAAAAA$"),
            Some("plain"),
        ] {
            assert!(!pepper().verify("", broken), "{broken:?}");
            assert!(!pepper().verify("plain", broken), "{broken:?}");
        }
    }

    /// The parameters stand in the row, so that later ones leave the rows of before readable.
    #[test]
    fn the_parameters_of_the_row_count() {
        let salt = [1; 16];
        let hash = pepper()
            .derive("an old password", &salt, (64, 1, 1))
            .unwrap();
        let stored = format!(
            "$argon2id$v=19$m=64,t=1,p=1${}${}",
            BASE64.encode(salt),
            BASE64.encode(hash)
        );
        assert!(pepper().verify("an old password", Some(&stored)));
        assert!(!pepper().verify("a new password", Some(&stored)));
    }

    #[test]
    fn a_missing_pepper_is_named() {
        for text in [None, Some("short")] {
            let Err(problem) = Pepper::new(text) else {
                panic!("accepted");
            };
            assert!(problem.detail.contains("PASSWORD_PEPPER"));
            assert_eq!(problem.code, Code::Misconfigured);
        }
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for bad in [
            "",
            "short",
            "elevenchars",
            "password1234",
            "PASSWORD1234",
            "qwerty123456",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "123456789012",
            "210987654321",
            "abcdefghijkl",
            "qwertyuiopas",
            "ada@example.com",
            "ada.lovelace1",
            &"x".repeat(257),
        ] {
            let email = if bad.contains('.') {
                "ada.lovelace@example.com"
            } else {
                "ada@example.com"
            };
            let email = if bad == "ada@example.com" { bad } else { email };
            let problem = check(bad, email).unwrap_err();
            assert_eq!(problem.code, Code::InvalidValue, "{bad}");
        }
        for good in [
            "correct horse battery",
            "ada likes her machine",
            "пароль не угадать",
            "x9!kQ2#mZ7&p",
            "ภาษาไทยยากมากจริงๆ",
        ] {
            assert!(check(good, "ada@example.com").is_ok(), "{good}");
        }
    }

    #[test]
    fn the_list_has_no_line_that_its_length_refuses() {
        assert!(COMMON.lines().count() > 300);
        for line in COMMON.lines() {
            assert!(
                line.chars().count() >= MIN_CHARS && line == line.to_lowercase(),
                "{line}"
            );
        }
    }
}
