//! Telephone numbers and mail addresses, and how one asks for them.

use crate::kind::plain;

/// Words for a telephone number, of all languages.
const PHONE: &str = "phone telephone tel call ring number telefon telefonnummer nummer rufnummer anrufen anruf telephoner appeler numero \
    telefono llamar numero chiamare telefone ligar telefoon telefoonnummer bellen nummer zadzwonic numer numara aramak phonenumber";

/// Those that ask for one without another.
const CERTAIN: &str = "phone telephone tel telefon telefonnummer rufnummer anrufen telephoner appeler telefono llamar chiamare telefone ligar \
    telefoon telefoonnummer bellen zadzwonic";

/// Words for a mail address.
const MAIL: &str = "mail email e-mail courriel correo mailadresse emailadresse";

/// What reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// A telephone number.
    Phone,
    /// A mail address.
    Mail,
}

fn is_among(word: &str, words: &str) -> bool {
    words.split_whitespace().any(|other| other == word)
}

impl Contact {
    /// What a question asks for.
    pub fn of(question: &str) -> Option<Self> {
        let text = plain(question);
        let any = |words: &str| {
            text.split(' ')
                .any(|word| !word.is_empty() && is_among(word, words))
        };
        if any(MAIL) {
            Some(Self::Mail)
        } else {
            any(CERTAIN).then_some(Self::Phone)
        }
    }

    /// Whether the folded word is one for it.
    pub fn is_word(self, word: &str) -> bool {
        is_among(word, if self == Self::Phone { PHONE } else { MAIL })
    }

    /// Whether a text holds one.
    pub fn is_in(self, text: &str) -> bool {
        match self {
            Self::Mail => text.split_whitespace().any(|word| {
                word.split_once('@')
                    .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
            }),
            Self::Phone => {
                let joined = |c: char| c.is_ascii_digit() || " +-/().\u{a0}\u{202f}".contains(c);
                let mut runs = text.split(|c: char| !joined(c));
                runs.any(|run| {
                    let digits = run.chars().filter(char::is_ascii_digit).count();
                    (7..=15).contains(&digits)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_found() {
        for (question, text, expected) in [
            ("phone number?", "Call us on 01632 960 123.", Some(true)),
            (
                "phone number?",
                "The number 7 bus stops here since 2019.",
                Some(false),
            ),
            ("Telefonnummer", "030 1234 5678 oder online", Some(true)),
            ("whats her email", "ada@example.com", Some(true)),
            ("email?", "Call 01632 960 123", Some(false)),
            ("number of bikes", "120", None),
        ] {
            let found = Contact::of(question).map(|contact| contact.is_in(text));
            assert_eq!(found, expected, "{question}");
        }
    }
}
