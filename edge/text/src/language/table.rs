//! The languages that Bulle knows, and their commonest words.

use std::{collections::HashMap, sync::LazyLock};

use crate::{fold::fold, script::Script};

/// The languages, one a line: tag (BCP 47), English name, family, its names as visitors write them, its commonest
/// words.
///
/// Languages with the same letter as family are so close that texts of one are mistaken for the other. The names that
/// visitors write are beginnings of words, folded. Languages without words are recognised by their script.
const LANGUAGES: &str = include_str!("words.txt");

/// Fewest letters of a word that is also recognised without its accents.
const MIN_BARE: usize = 3;

/// A language that Bulle knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// BCP 47, the primary subtag.
    pub tag: &'static str,
    /// In English.
    pub name: &'static str,
    /// The letter of a family of languages whose texts are mistaken for one another; `-` when there is none.
    pub kin: &'static str,
    /// Beginnings of its names as visitors write them, folded.
    pub called: &'static str,
    /// Its commonest words.
    pub words: &'static str,
}

impl Language {
    /// The language of a tag, in any region; `None` when the table does not have it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let primary = match primary.to_ascii_lowercase().as_str() {
            "no" | "nn" => "nb".to_owned(),
            "in" => "id".to_owned(),
            "fil" => "tl".to_owned(),
            other => other.to_owned(),
        };
        TABLE
            .languages
            .iter()
            .find(|language| language.tag == primary)
            .copied()
    }

    /// Whether texts of one language are mistaken for the other: Spanish and Portuguese, Danish and Norwegian.
    pub fn is_close(&self, other: &Self) -> bool {
        self.family() == other.family()
    }

    fn family(&self) -> &'static str {
        if self.kin == "-" { self.tag } else { self.kin }
    }

    /// Whether a folded text names the language, as in "in English, please".
    pub fn is_named(&self, folded: &str) -> bool {
        let name = fold(self.name);
        let beginnings = self
            .called
            .split(' ')
            .map(|word| fold(word).replace('_', " "));
        let mut beginnings = beginnings.chain([name]).filter(|word| !word.is_empty());
        beginnings.any(|word| {
            // Scripts without spaces have no marked beginnings of words.
            let anywhere =
                !word.starts_with(|c: char| Script::of(c).is_some_and(Script::has_words));
            folded.match_indices(&word).any(|(at, _)| {
                let before = folded
                    .get(..at)
                    .and_then(|before| before.chars().next_back());
                anywhere || !before.is_some_and(char::is_alphanumeric)
            })
        })
    }
}

/// The table [`LANGUAGES`], parsed once, because parsing it for each text would take longer than everything else.
pub static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

/// The languages, and the languages of each word.
pub struct Table {
    /// In the order of [`LANGUAGES`].
    pub languages: Vec<Language>,
    /// A word of a language, with or without its accents, and its index in `words`.
    numbers: HashMap<String, usize>,
    /// The languages that have the word.
    words: Vec<Vec<Word>>,
}

/// A word of a language.
pub struct Word {
    /// Index of the language in the table.
    pub language: usize,
    /// The word as it is.
    pub text: &'static str,
}

impl Table {
    fn read() -> Self {
        let mut table = Self {
            languages: LANGUAGES.lines().map(read).collect(),
            numbers: HashMap::new(),
            words: Vec::new(),
        };
        for language in 0..table.languages.len() {
            let words = table.languages.get(language).map_or("", |one| one.words);
            for text in words.split(' ') {
                table.add(text.to_owned(), Word { language, text });
                if let Some(bare) = also(text) {
                    table.add(bare, Word { language, text });
                }
            }
        }
        table
    }

    fn add(&mut self, said: String, word: Word) {
        let number = *self.numbers.entry(said).or_insert(self.words.len());
        match self.words.get_mut(number) {
            Some(words) => words.push(word),
            None => self.words.push(vec![word]),
        }
    }

    /// The languages that a word of a text may be of.
    pub fn of(&self, said: &str) -> &[Word] {
        self.numbers
            .get(said)
            .and_then(|at| self.words.get(*at))
            .map_or(&[], Vec::as_slice)
    }

    /// The number of families of languages with a word.
    pub fn families(&self, text: &str) -> usize {
        let mut families: Vec<&str> = Vec::new();
        for word in self.of(text).iter().filter(|word| word.text == text) {
            let family = self.languages.get(word.language).map(Language::family);
            families.extend(family.filter(|family| !families.contains(family)));
        }
        families.len()
    }
}

fn read(line: &'static str) -> Language {
    let mut fields = line.split('|');
    let mut next = || fields.next().unwrap_or_default();
    Language {
        tag: next(),
        name: next(),
        kin: next(),
        called: next(),
        words: next(),
    }
}

/// The word without its accents, as many people write it; `None` when that is the same word, or too short to identify a
/// language.
fn also(word: &str) -> Option<String> {
    // Vietnamese without its accents consists of other words.
    let dense = |c| matches!(u32::from(c), 0x1e00..=0x1eff);
    if word.is_ascii() || word.chars().any(dense) || Script::of_word(word) != Some(Script::Latin) {
        return None;
    }
    let bare = fold(word);
    (bare.chars().count() >= MIN_BARE && bare != word).then_some(bare)
}
