//! The kind of fact that a question asks for, and whether a text contains such a fact.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    fold::fold,
    script::{Script, is_mark},
    words::has_compounds,
};

/// A line a language, its fields apart by `|`: tag, questions for a time, words of time, questions for a price, words of
/// money, questions for a person, for a number, for a place, words of places, numbers in words. `^` marks words that
/// must begin the question, `!` words that are themselves what is asked for, `+` words that name a place only before a capital.
const LANGUAGES: &str = include_str!("kinds.txt");

/// The kind of fact that a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A time, a day, a year, how long.
    Time,
    /// A price, a fee.
    Price,
    /// A person.
    Person,
    /// How many, how large.
    Number,
    /// A place, a way to it.
    Place,
}

struct Language {
    asks: Vec<(FactKind, Vec<String>)>,
    time: Vec<String>,
    money: Vec<String>,
    place: Vec<String>,
    numbers: Vec<String>,
    /// Words that mark a place when a word with a capital follows.
    before_place: Vec<String>,
}

impl Language {
    /// Whether a text has words that ask for this kind of fact.
    fn speaks_of(&self, kind: FactKind, text: &str) -> bool {
        let plain = plain(text);
        self.asks
            .iter()
            .filter(|(asked, _)| *asked == kind)
            .any(|(_, words)| words.iter().any(|words| has(&plain, words)))
    }
}

static TABLE: LazyLock<HashMap<&str, Language>> = LazyLock::new(|| {
    let list = |cell: &str| {
        let words = |text: &str| {
            let mark: String = text
                .chars()
                .take(1)
                .filter(|c| "^+!".contains(*c))
                .collect();
            format!("{mark}{}", plain(text).trim())
        };
        cell.split(';')
            .map(words)
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
    };
    let language = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').collect();
        let [
            tag,
            when,
            time,
            price,
            money,
            who,
            number,
            place,
            places,
            numbers,
        ] = cells.as_slice()
        else {
            return None;
        };
        let asks = vec![
            (FactKind::Price, list(price)),
            (FactKind::Time, list(when)),
            (FactKind::Person, list(who)),
            (FactKind::Number, list(number)),
            (FactKind::Place, list(place)),
        ];
        let (before, place) = list(places)
            .into_iter()
            .partition::<Vec<_>, _>(|word| word.starts_with('+'));
        Some((
            *tag,
            Language {
                asks,
                time: list(time),
                money: list(money),
                place,
                numbers: list(numbers),
                before_place: before.iter().map(|word| word.replace('+', "")).collect(),
            },
        ))
    };
    LANGUAGES.lines().filter_map(language).collect()
});

/// Folded, each word between single spaces.
pub fn plain(text: &str) -> String {
    let spaced = fold(text).replace(
        |c: char| !c.is_alphanumeric() && !is_mark(c) && !"$€£¥₹".contains(c),
        " ",
    );
    format!(
        " {} ",
        spaced.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}

/// Whether a [`plain`] text has the words: as whole words, or anywhere in a script without spaces.
pub fn has(plain: &str, words: &str) -> bool {
    if let Some(words) = words.strip_prefix('^') {
        return plain.starts_with(&format!(" {words} "));
    }
    let words = words.strip_prefix('!').unwrap_or(words);
    let script = words.chars().next().and_then(Script::of);
    if script.is_some_and(Script::is_unspaced) {
        return plain.contains(words);
    }
    plain.match_indices(words).any(|(at, _)| {
        let before = plain.get(..at).is_some_and(|before| before.ends_with(' '));
        let after = plain
            .get(at + words.len()..)
            .is_some_and(|after| after.starts_with(' '));
        before && after
    })
}

/// The kind of fact that a question asks for, with the words that ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The kind of fact.
    pub kind: FactKind,
    /// The words that ask, folded.
    pub with: &'static str,
    /// The words after them, folded.
    pub then: String,
}

/// Whether the word after this folded word is a place when it is written like a name.
pub fn leads_to_place(word: &str, language: &str) -> bool {
    TABLE
        .get(language)
        .is_some_and(|table| table.before_place.iter().any(|before| before == word))
}

/// Whether the folded word is a word of time in the language, such as a day of the week.
pub fn is_time(word: &str, language: &str) -> bool {
    TABLE
        .get(language)
        .is_some_and(|table| table.time.iter().any(|time| time == word))
}

/// Whether the folded word is one of those that ask for this kind of fact in the language: "cost", "prix", "heure".
pub fn asks_with(kind: FactKind, word: &str, language: &str) -> bool {
    TABLE.get(language).is_some_and(|table| {
        let asks = table.asks.iter().filter(|(asked, _)| *asked == kind);
        asks.flat_map(|(_, phrases)| phrases.iter().filter(|phrase| !phrase.starts_with('!')))
            .any(|phrase| {
                phrase
                    .trim_start_matches('^')
                    .split(' ')
                    .any(|one| one == word)
            })
    })
}

impl FactKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Time,
        Self::Price,
        Self::Person,
        Self::Number,
        Self::Place,
    ];

    /// The kind of fact that the question asks for; `None` when that is not clear.
    pub fn of(question: &str, language: &str) -> Option<Asked> {
        let table = TABLE.get(language)?;
        let question = plain(question);
        let asked = table
            .asks
            .iter()
            .flat_map(|(kind, asks)| asks.iter().map(move |words| (*kind, words)));
        // `how long` is more specific than `how`.
        let mut best: Option<(Self, &'static String)> = None;
        for (kind, words) in asked.filter(|(_, words)| has(&question, words)) {
            let length = words.chars().count();
            if best.is_none_or(|(_, longest)| length > longest.chars().count()) {
                best = Some((kind, words));
            }
        }
        let (kind, with) = best?;
        let with = with.trim_start_matches(['^', '!']);
        let (_, then) = question.split_once(with)?;
        Some(Asked {
            kind,
            with,
            then: then.to_owned(),
        })
    }

    /// The word for an address in the language: the last of the questions for a place ends with it.
    pub fn word_of_place(language: &str) -> Option<&'static str> {
        let table = TABLE.get(language)?;
        let asks = table.asks.iter().find(|(kind, _)| *kind == Self::Place)?;
        asks.1.last()?.split(' ').next_back()
    }

    /// Whether a text may contain such a fact although [`is_in`](Self::is_in) finds none: a single name, or a language
    /// without a table.
    pub fn may_be_in(self, text: &str, language: &str) -> bool {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        match self {
            Self::Person => may_name_somebody(text),
            _ => !TABLE.contains_key(primary),
        }
    }

    /// Whether a text in the language contains such a fact.
    pub fn is_in(self, text: &str, language: &str) -> bool {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        let table = TABLE.get(primary);
        let any = |words: fn(&Language) -> &Vec<String>| {
            let plain = plain(text);
            table.is_some_and(|table| words(table).iter().any(|words| has(&plain, words)))
        };
        match self {
            Self::Time => has_clock(text) || any(|table| &table.time),
            Self::Price => {
                text.contains(['$', '€', '£', '¥', '₹', '₽', '₺', '฿'])
                    || any(|table| &table.money)
                    // "It costs 7 crowns": the table does not have every currency.
                    || table.is_some_and(|table| table.speaks_of(self, text))
                        && Self::Number.is_in(text, language)
            }
            Self::Person => names_somebody(text),
            Self::Place => {
                any(|table| &table.place)
                    || has_address(text)
                    || table.is_some_and(|table| leads(text, &table.before_place, &table.time))
            }
            Self::Number => {
                fold(text).contains(|c: char| c.is_ascii_digit())
                    || table
                        .is_some_and(|table| counts(text, &table.numbers, has_compounds(language)))
            }
        }
    }
}

/// Whether there is a capital inside a sentence; true when the script has no capitals.
fn may_name_somebody(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let begins = |word: &str| word.ends_with(['.', '!', '?', ':']);
    let mut after = words.next().is_none_or(begins);
    let named = words.any(|word| {
        let first = std::mem::replace(&mut after, begins(word));
        !first
            && word
                .chars()
                .find(|c| c.is_alphabetic())
                .is_some_and(char::is_uppercase)
    });
    named || !text.contains(|c: char| c.is_lowercase() || c.is_uppercase())
}

/// Whether the text has one of the numerals; in a language with compounds also at the end of a word: `einundzwanzig`.
fn counts(text: &str, numbers: &[String], compounds: bool) -> bool {
    let text = plain(text);
    let ends = |number: &String| number.len() > 4 && text.contains(&format!("{number} "));
    (numbers.iter()).any(|number| has(&text, number) || (compounds && ends(number)))
}

/// Whether one of the words is directly before a word with a capital that is no letter alone ("in C") and no time ("in June").
fn leads(text: &str, before: &[String], times: &[String]) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|two| {
        let [first, second] = two else { return false };
        let name = second.trim_matches(|c: char| !c.is_alphanumeric());
        name.starts_with(char::is_uppercase)
            && name.chars().nth(1).is_some()
            && before.contains(&fold(first))
            && !times.contains(&fold(name))
    })
}

/// A name with the number of a house before or behind it: "at 3 Mill Lane", "Langgasse 7", "18 rue Neuve".
fn has_address(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let trimmed = |word: &&str| -> String {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.to_owned()
    };
    let house = |word: &str| {
        let digits = word.chars().take_while(char::is_ascii_digit).count();
        (1..=4).contains(&digits) && word.chars().count() <= digits + 1
    };
    let name = |word: &str| word.chars().count() > 2 && word.starts_with(char::is_uppercase);
    let words: Vec<String> = words.iter().map(trimmed).collect();
    // The first word of a sentence has its capital for another reason.
    (1..words.len()).any(|at| {
        let of = |at: usize| words.get(at).map_or("", String::as_str);
        house(of(at))
            && ((at > 1 && name(of(at - 1)))
                || (name(of(at + 1)) && name(of(at + 2)))
                || (!of(at + 1).is_empty()
                    && name(of(at + 2))
                    && of(at + 1).chars().all(char::is_lowercase)
                    && of(at + 1).chars().count() <= 9
                    && STREETS.contains(&of(at + 1))))
    })
}

/// Words of streets that stand between the number of a house and a name.
const STREETS: [&str; 8] = [
    "rue",
    "quai",
    "avenue",
    "boulevard",
    "chemin",
    "place",
    "allée",
    "impasse",
];

/// `14:30`, `14h30` or a year.
fn has_clock(text: &str) -> bool {
    let mut digits = 0;
    let mut separated = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            if digits >= 4 || (separated && digits >= 2) {
                return true;
            }
        } else {
            separated = digits > 0 && digits <= 2 && matches!(c, ':' | 'h');
            digits = 0;
        }
    }
    false
}

/// Two words with capitals side by side, of which the first does not begin a sentence; or a title of respect.
fn names_somebody(text: &str) -> bool {
    const TITLES: [&str; 16] = [
        "さん",
        "先生",
        "氏",
        "老板",
        "店长",
        "师傅",
        "教练",
        "ครู",
        "คุณ",
        "ลุง",
        "الدكتور",
        "الدكتورة",
        "Mrs",
        "Mr",
        "Dr",
        "Herr",
    ];
    if TITLES.iter().any(|title| text.contains(title)) {
        return true;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let capital = |word: &&str| {
        word.chars().next().is_some_and(char::is_uppercase) && word.chars().count() > 1
    };
    words.windows(3).any(|three| {
        let [before, first, second] = three else {
            return false;
        };
        !before.ends_with(['.', '!', '?', ':'])
            && !first.ends_with(['.', ',', ';'])
            && capital(first)
            && capital(second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_one_asks_tells_what_is_wanted() {
        for (question, language, kind) in [
            ("Où a-t-elle étudié ?", "fr", Some(FactKind::Place)),
            ("Le train ou la voiture ?", "fr", None),
            ("D'où vient-elle ?", "fr", Some(FactKind::Place)),
            ("Where is the office?", "en", Some(FactKind::Place)),
            ("In which year?", "en", Some(FactKind::Time)),
            ("How many years?", "en", Some(FactKind::Time)),
            ("How many people?", "en", Some(FactKind::Number)),
            ("What does she do?", "en", None),
            ("What does it cost?", "en", Some(FactKind::Price)),
            ("图书馆在哪里？", "zh", Some(FactKind::Place)),
            ("Где музей?", "ru", Some(FactKind::Place)),
            ("Où ?", "xx", None),
        ] {
            let asked = FactKind::of(question, language).map(|asked| asked.kind);
            assert_eq!(asked, kind, "{question}");
        }
    }

    #[test]
    fn numbers_are_digits_or_words() {
        for (text, language, number) in [
            ("Room 12", "", true),
            ("Twenty-four dogs", "en", true),
            ("A dog", "en", false),
            ("Einundzwanzig Hunde", "de", true),
            ("Wenig Hunde", "de", false),
            ("Vingt-quatre chiens", "fr", true),
            ("有五只狗", "zh", true),
        ] {
            assert_eq!(FactKind::Number.is_in(text, language), number, "{text}");
        }
    }

    #[test]
    fn a_place_is_told_by_its_words_or_before_a_name() {
        for (text, language, place) in [
            ("J'ai étudié à Göteborg.", "fr", true),
            ("J'ai étudié à fond.", "fr", false),
            ("Au bout de la rue.", "fr", true),
            ("She works in Ghent.", "en", true),
            ("She works in peace.", "en", false),
            ("图书馆在三楼。", "zh", true),
            ("In Gent", "", false),
        ] {
            assert_eq!(FactKind::Place.is_in(text, language), place, "{text}");
        }
    }
}
