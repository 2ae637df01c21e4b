//! Identity of texts: whether two texts are the same, for keys.

use unicode_normalization::UnicodeNormalization;

/// The text in NFC and lower case, with single spaces and without the signs that end it: texts that differ in nothing
/// else are the same. No letter, accent or vowel sign is left out: `मोटर` (motor) and `मीटर` (meter), `drucken` (print)
/// and `drücken` (press) stay apart.
pub fn identity(text: &str) -> String {
    // Lower case may decompose (`İ`), so it is composed last.
    let lower: String = text.to_lowercase().nfc().collect();
    lower
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches(|c: char| " ?!.…？！。؟।？；;".contains(c))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_spaces_and_the_last_signs_make_no_difference() {
        for (one, other) in [
            ("Où es-tu né ?", "où es-tu  né?"),
            ("Où es-tu né ?", "OÙ ES-TU NÉ"),
            ("Ou\u{300} es-tu ne\u{301}", "Où es-tu né ?!"),
            ("कीमत क्या है?", "कीमत क्या है।"),
            ("你几点开门？", "你几点开门"),
            ("متى تفتحون؟", "متى تفتحون"),
            ("Πότε ανοίγετε;", "πότε ανοίγετε"),
            ("İSTANBUL", "i\u{307}stanbul"),
        ] {
            assert_eq!(identity(one), identity(other), "{one}");
        }
    }

    #[test]
    fn words_of_other_letters_are_other_words() {
        for (one, other) in [
            ("मोटर की कीमत", "मीटर की कीमत"),
            ("ดี", "ดู"),
            ("தமிழ்", "தமழ"),
            ("drucken", "drücken"),
            ("tâche", "tache"),
            ("péché", "pêche"),
            ("ma", "mà"),
            ("má", "mạ"),
            ("năm", "nấm"),
            ("か", "が"),
            ("straße", "strasse"),
            ("C", "C++"),
            ("What is 1.5?", "What is 15?"),
        ] {
            assert_ne!(identity(one), identity(other), "{one}");
        }
    }

    proptest! {
        #[test]
        fn the_identity_of_an_identity_is_itself(text in ".{0,40}") {
            let once = identity(&text);
            prop_assert_eq!(identity(&once), once);
        }
    }
}
