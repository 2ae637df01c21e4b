//! Folding: one spelling for all spellings of a word, for search.

use unicode_normalization::UnicodeNormalization;

/// Lower case, without the accents, points and signs that people leave out when they type: `Ἀθῆναι`, `İstanbul`,
/// `كِتاب`, `ＤＶＤ` and `½` are `αθηναι`, `istanbul`, `كتاب`, `dvd` and `1⁄2`. Signs that make another letter stay: the
/// vowel signs of Devanagari and Thai, and the marks that distinguish か from が.
///
/// Folding is lossy on purpose: different words may fold alike (`tâche`, `tache`). To compare texts for identity, use
/// [`identity`](crate::identity::identity).
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // ASCII decomposes into itself, and no mark that is kept combines with it, so most of a text takes the fast
        // path.
        let (ascii, more) = split(rest, |c| !c.is_ascii());
        folded.extend(ascii.chars().map(|c| c.to_ascii_lowercase()));
        let (other, more) = split(more, |c| c.is_ascii());
        fold_into(other, &mut folded);
        rest = more;
    }
    folded
}

/// A text before and from the first character that is asked for.
fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(at)
        .and_then(|at| text.split_at_checked(at))
        .unwrap_or((text, ""))
}

fn fold_into(text: &str, folded: &mut String) {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            _ if is_left_out(c) => {}
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            _ => out.push(letter(c)),
        }
    }
    // Composes Hangul and kana again.
    folded.extend(out.nfc());
}

/// Optional marks: accents, Arabic and Hebrew vowels, the nukta, joiners, soft hyphens.
fn is_left_out(c: char) -> bool {
    matches!(u32::from(c),
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x5bf..=0x5c7 | 0x610..=0x61a | 0x640 | 0x64b..=0x65f | 0x670
        | 0x6d6..=0x6ed | 0x93c | 0x9bc | 0xa3c | 0xabc | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff
        | 0xfe00..=0xfe2f | 0xad | 0x200b..=0x200f | 0x2060 | 0xfeff)
}

/// Letters and digits of the same value.
fn letter(c: char) -> char {
    match c {
        'ı' => 'i',
        'ø' => 'o',
        'đ' | 'ð' => 'd',
        'ł' => 'l',
        'ς' => 'σ',
        'ة' | 'ہ' => 'ه',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ँ' => 'ं',
        _ => digit(c).unwrap_or(c),
    }
}

/// The first code points of the decimal digits of each script.
const ZEROS: [u32; 19] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50,
    0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0xff10,
];

fn digit(c: char) -> Option<char> {
    let code = u32::from(c);
    ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code))
        .and_then(|zero| char::from_digit(code - zero, 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_leave_out_is_left_out_and_letters_stay() {
        for (text, expected) in [
            ("Élève", "eleve"),
            ("İSTANBUL ılık", "istanbul ilik"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("كِتَابٌ إلى مكتبة", "كتاب الي مكتبه"),
            ("שָׁלוֹם", "שלום"),
            ("ＤＶＤ ２４", "dvd 24"),
            ("ｶﾞﾗｽ がぎ", "ガラス がぎ"),
            ("हिन्दी १९५२ ज़रूर", "हिन्दी 1952 जरूर"),
            ("한국어", "한국어"),
            ("Straße ﬁn Łódź", "strasse fin lodz"),
            ("Ёлка", "елка"),
            ("", ""),
        ] {
            assert_eq!(fold(text), expected);
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_folds_as_the_plain_one_does(
            text in "([a-zA-Z0-9 .,:'’_-]|[éÉàßœİΣ\u{301}\u{323}\u{2126}架ｶ\u{ac00}]|\\PC|[\r\n\u{b}\u{85}\u{2028}]){0,60}",
        ) {
            let mut plain = String::new();
            fold_into(&text, &mut plain);
            prop_assert_eq!(fold(&text), plain);
        }

        #[test]
        fn folding_twice_is_folding_once(text in ".{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
