//! Scripts of letters.

/// A script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Most of Europe, Turkish, Vietnamese, Indonesian.
    Latin,
    /// Russian and its neighbours.
    Cyrillic,
    /// Arabic, Persian, Urdu.
    Arabic,
    /// Hindi, Marathi, Nepali.
    Devanagari,
    /// Chinese, and much of Japanese.
    Han,
    /// The rest of Japanese.
    Kana,
    /// A script of one language.
    Only(&'static str),
}

/// The first and last character of each range of letters.
const RANGES: [(u32, u32, Script); 31] = [
    (0x41, 0x5a, Script::Latin),
    (0x61, 0x7a, Script::Latin),
    (0xc0, 0xd6, Script::Latin),
    (0xd8, 0xf6, Script::Latin),
    (0xf8, 0x24f, Script::Latin),
    (0x1e00, 0x1eff, Script::Latin),
    (0x370, 0x3ff, Script::Only("el")),
    (0x1f00, 0x1fff, Script::Only("el")),
    (0x400, 0x52f, Script::Cyrillic),
    (0x531, 0x587, Script::Only("hy")),
    (0x5d0, 0x5ea, Script::Only("he")),
    (0x620, 0x64a, Script::Arabic),
    (0x66e, 0x6d3, Script::Arabic),
    (0x6fa, 0x6ff, Script::Arabic),
    (0x904, 0x939, Script::Devanagari),
    (0x958, 0x961, Script::Devanagari),
    (0x985, 0x9b9, Script::Only("bn")),
    (0xb85, 0xbb9, Script::Only("ta")),
    (0xe01, 0xe30, Script::Only("th")),
    (0xe40, 0xe46, Script::Only("th")),
    (0x10a0, 0x10ff, Script::Only("ka")),
    (0x1100, 0x11ff, Script::Only("ko")),
    (0xac00, 0xd7a3, Script::Only("ko")),
    (0x3041, 0x3096, Script::Kana),
    (0x30a1, 0x30fa, Script::Kana),
    (0x30fc, 0x30fc, Script::Kana),
    (0xff66, 0xff9d, Script::Kana),
    (0x3005, 0x3007, Script::Han),
    (0x3400, 0x4dbf, Script::Han),
    (0x4e00, 0x9fff, Script::Han),
    (0x2_0000, 0x3_134f, Script::Han),
];

impl Script {
    /// The script of a letter; `None` for everything else, and for scripts that are not known here.
    pub fn of(c: char) -> Option<Self> {
        let code = u32::from(c);
        let range = RANGES
            .iter()
            .find(|(from, to, _)| (*from..=*to).contains(&code));
        range.map(|(_, _, script)| *script)
    }

    /// The script of a word: of its first letter.
    pub fn of_word(word: &str) -> Option<Self> {
        word.chars().find_map(Self::of)
    }

    /// Whether its languages are told apart by their words.
    pub fn has_words(self) -> bool {
        use Script::{Arabic, Cyrillic, Devanagari, Latin};
        matches!(self, Latin | Cyrillic | Arabic | Devanagari)
    }

    /// Whether a text in this script has no reason to hold much of the other one. Names and terms are Latin
    /// everywhere, and Japanese has two scripts.
    pub fn is_foreign(self, other: Self) -> bool {
        let japanese = |script| matches!(script, Self::Han | Self::Kana);
        other != self && other != Self::Latin && !(japanese(self) && japanese(other))
    }

    /// Letters of a word, about.
    pub fn letters(self) -> f64 {
        match self {
            Self::Han | Self::Kana | Self::Only("ko") => 2.0,
            Self::Arabic | Self::Devanagari | Self::Only("he" | "th" | "bn") => 3.5,
            _ => 5.0,
        }
    }

    /// The language of a script that has one, else an empty tag.
    pub fn language(self) -> &'static str {
        match self {
            Self::Only(tag) => tag,
            _ => "",
        }
    }
}

/// Whether a character belongs to the letter before it: a vowel sign of the scripts whose words are compared.
pub fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x64b..=0x65f | 0x670 | 0x900..=0x903 | 0x93a..=0x957 | 0x962..=0x963)
}
