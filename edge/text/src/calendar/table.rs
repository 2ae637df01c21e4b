//! Words of the calendar, by language.

use std::{collections::HashMap, sync::LazyLock};

use crate::{fold::fold, script::Script};

/// A line a language, its fields apart by `|`: tag, the days from Monday on, weekend, working days, every day, the months, up
/// to, except, open, closed, edges of a month (beginning, middle, end), parts of a day (morning, noon, afternoon, evening), words
/// before a day or a month, words that join two, feasts with their dates. Kinds of one field are apart by `;`, words of one kind
/// by `,`. A word that ends with `*` is the beginning of one, `~` marks words that mean something else unless a number, a range or
/// a word before a month stands beside them, `$` those that count at the end of a clause alone.
const LANGUAGES: &str = include_str!("words.txt");

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Days of the week, a bit each, Monday the lowest.
    Days(u8),
    /// A month, from 1.
    Month(u8),
    /// A feast: its month and its day.
    Feast(u8, u8),
    /// Between the ends of a range.
    To,
    /// Before what is left out.
    Except,
    /// Somebody is there.
    Open,
    /// Nobody is.
    Closed,
    /// Beginning (1), middle (15) or end (31) of a month.
    Edge(u8),
    /// A part of the day, in minutes.
    Part(u16, u16),
    /// Stands before days and months.
    Before,
    /// Joins two.
    And,
}

/// A word of the table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its parts, folded.
    pub parts: Vec<String>,
    /// Whether the last of them is a beginning.
    pub begins: bool,
    /// Whether it needs company.
    pub doubtful: bool,
    /// Whether it counts at the end of a clause only.
    pub last: bool,
    /// What it means.
    pub meaning: Meaning,
}

/// Every day.
pub const ALL_DAYS: u8 = 0b111_1111;
const WEEKEND: u8 = 0b110_0000;
const WORKING: u8 = 0b001_1111;

/// When the parts of a day are, in minutes.
const PARTS: [(u16, u16); 4] = [(360, 720), (690, 840), (780, 1080), (1080, 1440)];

/// Words of a language, the longest first.
pub fn of(language: &str) -> Option<&'static [Entry]> {
    TABLE.get(language).map(Vec::as_slice)
}

/// Whether a folded word is the name of a month in any language.
pub fn is_month(word: &str) -> bool {
    TABLE
        .values()
        .flatten()
        .any(|entry| matches!(entry.meaning, Meaning::Month(_)) && entry.parts.as_slice() == [word])
}

static TABLE: LazyLock<HashMap<&str, Vec<Entry>>> =
    LazyLock::new(|| LANGUAGES.lines().filter_map(language).collect());

fn language(line: &'static str) -> Option<(&'static str, Vec<Entry>)> {
    let (tag, fields) = line.split_once('|')?;
    let mut entries = Vec::new();
    for (place, field) in fields.split('|').enumerate() {
        for (n, kind) in (0_u8..).zip(field.split(';')) {
            for word in kind.split(',').filter(|word| !word.is_empty()) {
                if let Some((word, meaning)) = meaning(place, n, word) {
                    entries.push(entry(word, meaning));
                }
            }
        }
    }
    entries.sort_by_key(|entry| {
        let letters: usize = entry.parts.iter().map(|part| part.chars().count()).sum();
        std::cmp::Reverse((entry.parts.len(), letters))
    });
    Some((tag, entries))
}

fn meaning(field: usize, n: u8, word: &'static str) -> Option<(&'static str, Meaning)> {
    let meaning = match field {
        0 => Meaning::Days(1_u8.checked_shl(n.into())?),
        1 => Meaning::Days(WEEKEND),
        2 => Meaning::Days(WORKING),
        3 => Meaning::Days(ALL_DAYS),
        4 => Meaning::Month(n + 1),
        5 => Meaning::To,
        6 => Meaning::Except,
        7 => Meaning::Open,
        8 => Meaning::Closed,
        9 => Meaning::Edge(match n {
            0 => 1,
            1 => 15,
            _ => 31,
        }),
        10 => PARTS
            .get(usize::from(n))
            .map(|(from, to)| Meaning::Part(*from, *to))?,
        11 => Meaning::Before,
        12 => Meaning::And,
        _ => {
            let (word, date) = word.split_once('=')?;
            let (month, day) = date.split_once('-')?;
            return Some((word, Meaning::Feast(month.parse().ok()?, day.parse().ok()?)));
        }
    };
    Some((word, meaning))
}

fn entry(word: &str, meaning: Meaning) -> Entry {
    let bare = word.trim_start_matches(['~', '$']);
    let begins = bare.ends_with('*');
    let folded = fold(bare.trim_end_matches('*'));
    let parts = super::pieces::pieces(&folded)
        .into_iter()
        .map(|(piece, _)| piece);
    Entry {
        parts: parts.collect(),
        begins,
        doubtful: word.starts_with('~'),
        last: word.starts_with('$'),
        meaning,
    }
}

/// Whether the entry is of a script without spaces, in which it is found anywhere.
pub fn is_joined(entry: &Entry) -> bool {
    let first = entry
        .parts
        .iter()
        .flat_map(|part| part.chars())
        .find(|c| !c.is_ascii_digit());
    first.is_some_and(|c| Script::of(c).is_some_and(Script::joins_words))
}
