//! The scripts of letters: the ranges of their characters, and how their languages write words.

use unicode_normalization::char::is_combining_mark;

/// A script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Most of Europe, Turkish, Vietnamese, Indonesian.
    Latin,
    /// Greek.
    Greek,
    /// Russian and its neighbours.
    Cyrillic,
    /// Armenian.
    Armenian,
    /// Hebrew.
    Hebrew,
    /// Arabic, Persian, Urdu.
    Arabic,
    /// Hindi, Marathi, Nepali.
    Devanagari,
    /// Bengali.
    Bengali,
    /// Tamil.
    Tamil,
    /// Thai.
    Thai,
    /// Lao.
    Lao,
    /// Burmese.
    Myanmar,
    /// Georgian.
    Georgian,
    /// Korean.
    Hangul,
    /// Khmer.
    Khmer,
    /// Japanese: endings and particles.
    Hiragana,
    /// Japanese: words from other languages.
    Katakana,
    /// Chinese, and much of Japanese.
    Han,
}

/// The first and last character of each range, with the marks and digits between its letters, in the order of Unicode.
const RANGES: [(u32, u32, Script); 34] = [
    (0x41, 0x5a, Script::Latin),
    (0x61, 0x7a, Script::Latin),
    (0xc0, 0xd6, Script::Latin),
    (0xd8, 0xf6, Script::Latin),
    (0xf8, 0x24f, Script::Latin),
    (0x370, 0x3ff, Script::Greek),
    (0x400, 0x52f, Script::Cyrillic),
    (0x531, 0x58f, Script::Armenian),
    (0x590, 0x5ff, Script::Hebrew),
    (0x600, 0x6ff, Script::Arabic),
    (0x900, 0x97f, Script::Devanagari),
    (0x980, 0x9ff, Script::Bengali),
    (0xb80, 0xbff, Script::Tamil),
    (0xe01, 0xe3e, Script::Thai),
    (0xe40, 0xe7f, Script::Thai),
    (0xe80, 0xeff, Script::Lao),
    (0x1000, 0x109f, Script::Myanmar),
    (0x10a0, 0x10ff, Script::Georgian),
    (0x1100, 0x11ff, Script::Hangul),
    (0x1780, 0x17ff, Script::Khmer),
    (0x1e00, 0x1eff, Script::Latin),
    (0x1f00, 0x1fff, Script::Greek),
    (0x3005, 0x3007, Script::Han),
    (0x3041, 0x309f, Script::Hiragana),
    (0x30a1, 0x30fa, Script::Katakana),
    (0x30fc, 0x30ff, Script::Katakana),
    (0x31f0, 0x31ff, Script::Katakana),
    (0x3400, 0x4dbf, Script::Han),
    (0x4e00, 0x9fff, Script::Han),
    (0xaa60, 0xaa7f, Script::Myanmar),
    (0xac00, 0xd7af, Script::Hangul),
    (0xf900, 0xfaff, Script::Han),
    (0xff66, 0xff9d, Script::Katakana),
    (0x2_0000, 0x3_23af, Script::Han),
];

impl Script {
    /// The script of a character; `None` for signs of several scripts, and for scripts that are not in the table.
    pub fn of(c: char) -> Option<Self> {
        let code = u32::from(c);
        let at = RANGES.partition_point(|(_, last, _)| *last < code);
        RANGES
            .get(at)
            .filter(|(first, _, _)| *first <= code)
            .map(|(_, _, script)| *script)
    }

    /// The script of a letter; `None` for everything else, also for the marks and digits of a script.
    pub fn of_letter(c: char) -> Option<Self> {
        Self::of(c).filter(|_| c.is_alphabetic() && !is_mark(c))
    }

    /// The script of a word: of its first letter.
    pub fn of_word(word: &str) -> Option<Self> {
        word.chars().find_map(Self::of_letter)
    }

    /// Whether the script is written without spaces between words.
    pub fn is_unspaced(self) -> bool {
        self.has_clusters() || self.is_japanese()
    }

    /// Whether function words are joined to the word before: in scripts without spaces, and in Korean.
    pub fn joins_words(self) -> bool {
        self.is_unspaced() || self == Self::Hangul
    }

    /// Whether the script is written without spaces, and its letters have signs above, below and behind them.
    pub fn has_clusters(self) -> bool {
        matches!(self, Self::Thai | Self::Lao | Self::Khmer | Self::Myanmar)
    }

    /// Whether Japanese uses the script, alone or with others.
    pub fn is_japanese(self) -> bool {
        self == Self::Han || self.is_kana()
    }

    /// Whether only Japanese uses the script: hiragana and katakana.
    pub fn is_kana(self) -> bool {
        matches!(self, Self::Hiragana | Self::Katakana)
    }

    /// The languages of the script (BCP 47), when they are few: the commonest first.
    pub fn languages(self) -> &'static [&'static str] {
        match self {
            Self::Latin | Self::Cyrillic | Self::Arabic => &[],
            Self::Greek => &["el"],
            Self::Armenian => &["hy"],
            Self::Hebrew => &["he"],
            Self::Devanagari => &["hi", "mr", "ne"],
            Self::Bengali => &["bn"],
            Self::Tamil => &["ta"],
            Self::Thai => &["th"],
            Self::Lao => &["lo"],
            Self::Myanmar => &["my"],
            Self::Georgian => &["ka"],
            Self::Hangul => &["ko"],
            Self::Khmer => &["km"],
            Self::Hiragana | Self::Katakana => &["ja"],
            Self::Han => &["zh", "ja"],
        }
    }

    /// Whether the script's languages are distinguished by their words.
    pub fn has_words(self) -> bool {
        matches!(
            self,
            Self::Latin | Self::Cyrillic | Self::Arabic | Self::Devanagari
        )
    }

    /// Whether text in this script should contain little of the other one. Names and terms are Latin everywhere, and
    /// Japanese has three scripts.
    pub fn is_foreign(self, other: Self) -> bool {
        other != self && other != Self::Latin && !(self.is_japanese() && other.is_japanese())
    }

    /// The approximate number of letters of a word.
    pub fn letters(self) -> f64 {
        match self {
            Self::Han | Self::Hiragana | Self::Katakana | Self::Hangul => 2.0,
            Self::Arabic | Self::Devanagari | Self::Hebrew | Self::Thai | Self::Bengali => 3.5,
            _ => 5.0,
        }
    }
}

/// Whether a character belongs to the letter before it, as an accent or a vowel sign. Those of the Indic scripts are
/// not all alphabetic.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_apart() {
        assert!(RANGES.iter().all(|(first, last, _)| first <= last));
        assert!(RANGES.windows(2).all(|two| two[0].1 < two[1].0));
    }

    #[test]
    fn every_letter_of_a_language_is_of_its_script() {
        for (text, script) in [
            ("AZazÀÖØöøẀƏđ", Script::Latin),
            ("Ωάλἀ", Script::Greek),
            ("Ёжїљ", Script::Cyrillic),
            ("Հայերեն", Script::Armenian),
            ("עִבְרִית", Script::Hebrew),
            ("عَرَبِي۱پگے", Script::Arabic),
            ("हिन्दी१ज़", Script::Devanagari),
            ("বাংলা", Script::Bengali),
            ("தமிழ்", Script::Tamil),
            ("ภาษาไทยที่๑", Script::Thai),
            ("ພາສາລາວ", Script::Lao),
            ("မြန်မာ", Script::Myanmar),
            ("ქართული", Script::Georgian),
            ("한국어\u{1112}\u{1161}", Script::Hangul),
            ("ខ្មែរ", Script::Khmer),
            ("ひらがなゝ", Script::Hiragana),
            ("カタカナーｶﾅ", Script::Katakana),
            ("漢字々〇𠮷", Script::Han),
        ] {
            for c in text.chars() {
                assert_eq!(Script::of(c), Some(script), "{c:?} of {text}");
            }
            assert!(
                script.languages().len() < 4 && script.letters() > 1.0,
                "{script:?}"
            );
        }
        for c in "0 !?.,;€$฿—…、。।\u{301}😀".chars() {
            assert_eq!(Script::of_letter(c), None, "{c:?}");
        }
        for c in "0 €$฿—…、。😀".chars() {
            assert_eq!(Script::of(c), None, "{c:?}");
        }
    }

    #[test]
    fn how_a_script_writes_words() {
        for (word, unspaced, joins) in [
            ("word", false, false),
            ("слово", false, false),
            ("शब्द", false, false),
            ("단어", false, true),
            ("คำ", true, true),
            ("ຄໍາ", true, true),
            ("ពាក្យ", true, true),
            ("စကားလုံး", true, true),
            ("言葉", true, true),
            ("ことば", true, true),
        ] {
            let script = Script::of_word(word).unwrap();
            let found = (script.is_unspaced(), script.joins_words());
            assert_eq!(found, (unspaced, joins), "{word}");
        }
    }
}
