//! Bounds in a text ("at least 16", "children under 12", "up to 18 people"), and the amount that a question names ("my son is 14",
//! "25 people").
//!
//! A bound is compared with an amount of the same thing only: years with years, people with people.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    kind::{has, plain},
    script::Script,
    stem::stem,
};

/// A line a language, its fields apart by `|`, its words by `;`: tag, before a number that is the least, the most, the first too
/// many, the last too few; behind one that is the least, the most; words of years of age; who has an age; numbers from one on; how one asks for an age; words of
/// paying and of what is free.
const LANGUAGES: &str = include_str!("amounts.txt");

struct Language {
    least: Vec<String>,
    most: Vec<String>,
    below: Vec<String>,
    above: Vec<String>,
    least_behind: Vec<String>,
    most_behind: Vec<String>,
    years: Vec<String>,
    aged: Vec<String>,
    numbers: Vec<String>,
    asks: Vec<String>,
    pays: Vec<String>,
}

static TABLE: LazyLock<HashMap<&str, Language>> = LazyLock::new(|| {
    let list = |field: &&str| -> Vec<String> {
        let words = field.split(';').map(|word| plain(word).trim().to_owned());
        let mut words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words
    };
    let line = |line: &'static str| {
        let fields: Vec<&str> = line.split('|').collect();
        let [
            tag,
            least,
            most,
            below,
            above,
            least_behind,
            most_behind,
            years,
            aged,
            numbers,
            asks,
            pays,
        ] = fields.as_slice()
        else {
            return None;
        };
        let numbers = numbers.split(';').map(|word| plain(word).trim().to_owned());
        Some((
            *tag,
            Language {
                least: list(least),
                most: list(most),
                below: list(below),
                above: list(above),
                least_behind: list(least_behind),
                most_behind: list(most_behind),
                years: list(years),
                aged: list(aged),
                numbers: numbers.collect(),
                asks: list(asks),
                pays: list(pays),
            },
        ))
    };
    LANGUAGES.lines().filter_map(line).collect()
});

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// Years of age.
    Years,
    /// A thing, by its stem.
    Named(String),
    /// It is not said: of the age of somebody, or of what was named before.
    Unsaid,
}

/// A number of something.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// How many.
    pub number: f64,
    /// Of what.
    pub thing: Thing,
}

/// What a text bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The number that is named, and of what.
    pub amount: Amount,
    least: bool,
    /// Whether the number itself is within.
    included: bool,
}

impl Bound {
    /// Whether the amount is within; `None` when it is one of another thing.
    pub fn holds(&self, amount: &Amount) -> Option<bool> {
        let same = match (&self.amount.thing, &amount.thing) {
            (Thing::Named(a), Thing::Named(b)) => a == b,
            (Thing::Named(_), _) | (_, Thing::Named(_)) => false,
            _ => true,
        };
        let (bound, asked) = (self.amount.number, amount.number);
        same.then_some(match (self.least, self.included) {
            (true, true) => asked >= bound,
            (true, false) => asked > bound,
            (false, true) => asked <= bound,
            (false, false) => asked < bound,
        })
    }
}

/// The words of a text, each with the end of its clause behind it or not.
fn split(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let mut from = 0;
    for part in text.split_inclusive([
        ',', ';', '.', '!', '?', ':', '(', ')', '，', '。', '？', '、',
    ]) {
        from += part.len();
        let decimal = text
            .get(from..)
            .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        let spaced: String = part
            .chars()
            .flat_map(|c| {
                let joined = Script::of(c).is_some_and(Script::joins_words);
                if joined { vec![' ', c, ' '] } else { vec![c] }
            })
            .collect();
        let plain = plain(&spaced);
        let words: Vec<&str> = plain.split_whitespace().collect();
        let last = words.len().saturating_sub(1);
        let ends = part.ends_with(|c: char| !c.is_alphanumeric() && !c.is_whitespace()) && !decimal;
        for (at, word) in words.iter().enumerate() {
            // `16years`, `12jähriges`
            let digits = word.chars().take_while(char::is_ascii_digit).count();
            match word.split_at_checked(digits) {
                Some((number, rest)) if digits > 0 && !rest.is_empty() => {
                    out.push((number.to_owned(), false));
                    out.push((rest.to_owned(), at == last && ends));
                }
                _ => out.push(((*word).to_owned(), at == last && ends)),
            }
        }
    }
    out
}

impl Language {
    fn number(&self, word: &str) -> Option<f64> {
        if let Ok(number) = word.parse::<u32>() {
            return Some(number.into());
        }
        let at = self.numbers.iter().position(|number| number == word)?;
        u32::try_from(at + 1).ok().map(f64::from)
    }

    /// The longest of the phrases that stands at this place.
    fn at(words: &[(String, bool)], at: usize, phrases: &[String]) -> Option<usize> {
        phrases.iter().find_map(|phrase| {
            let phrase = spread(phrase);
            let found = phrase.iter().enumerate().all(|(n, part)| {
                words
                    .get(at + n)
                    .is_some_and(|(word, ends)| word == part && (!ends || n + 1 == phrase.len()))
            });
            (found && !phrase.is_empty()).then_some(phrase.len())
        })
    }

    /// Where one of the phrases begins that ends before this place, in the same clause and with at most two short words between.
    fn before(words: &[(String, bool)], at: usize, phrases: &[String]) -> Option<usize> {
        (1..=6_usize).find_map(|back| {
            let start = at.checked_sub(back)?;
            let end = start + Self::at(words, start, phrases)?;
            let short = |(word, _): &(String, bool)| word.chars().count() <= 4;
            let gap = words.get(end..at)?;
            let parted = words.get(start..at)?.iter().any(|(_, ends)| *ends);
            (gap.len() <= 2 && gap.iter().all(short) && !parted).then_some(start)
        })
    }

    /// Whether somebody who has an age stands right before this place: "children under 5".
    fn is_of_somebody(&self, words: &[(String, bool)], at: usize) -> bool {
        let word = at.checked_sub(1).and_then(|at| words.get(at));
        word.is_some_and(|(word, ends)| {
            !ends && (self.aged.iter()).any(|aged| aged == word || stem(aged) == stem(word))
        })
    }

    /// What stands behind a number, and how many words of it.
    fn thing(&self, words: &[(String, bool)], at: usize) -> (Thing, usize) {
        let ends = at
            .checked_sub(1)
            .and_then(|at| words.get(at))
            .is_none_or(|(_, ends)| *ends);
        if let Some(length) = Self::at(words, at, &self.years).filter(|_| !ends) {
            return (Thing::Years, length);
        }
        match words.get(at) {
            Some((word, _))
                if !ends
                    && word.chars().count() > 1
                    && !word.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                (Thing::Named(stem(word).to_owned()), 1)
            }
            _ => (Thing::Unsaid, 0),
        }
    }
}

/// The words of a phrase; of a script without spaces its characters.
fn spread(phrase: &str) -> Vec<String> {
    let joined = |c: char| Script::of(c).is_some_and(Script::joins_words);
    let mut out: Vec<String> = Vec::new();
    for word in phrase.split(' ') {
        if word.contains(joined) {
            out.extend(word.chars().map(String::from));
        } else {
            out.push(word.to_owned());
        }
    }
    out
}

/// The bounds in a text of the language.
pub fn bounds(text: &str, language: &str) -> Vec<Bound> {
    let Some(table) = TABLE.get(language) else {
        return Vec::new();
    };
    let words = split(text);
    let mut out = Vec::new();
    for (at, (word, _)) in words.iter().enumerate() {
        let Some(number) = table.number(word) else {
            continue;
        };
        // The hour and the minutes of `18:00`.
        let minutes = |at: Option<usize>| {
            let word = at.and_then(|at| words.get(at));
            word.is_some_and(|(word, _)| {
                word.len() == 2 && word.chars().all(|c| c.is_ascii_digit())
            })
        };
        if text.contains(&format!("{word}:")) && minutes(at.checked_add(1))
            || text.contains(&format!(":{word}")) && minutes(Some(at))
        {
            continue;
        }
        let ends = words.get(at).is_some_and(|(_, ends)| *ends);
        let near = |phrases: &[String]| !ends && Language::at(&words, at + 1, phrases).is_some();
        // "ages 7 and up": what follows is no thing.
        let (thing, length) = if near(&table.least_behind) || near(&table.most_behind) {
            (Thing::Unsaid, 0)
        } else {
            table.thing(&words, at + 1)
        };
        let behind = |phrases: &[String]| {
            near(phrases)
                || (length > 0 && Language::at(&words, at + 1 + length, phrases).is_some())
        };
        // The longer phrase tells more: `not more than` than `more than`.
        let before = |phrases: &[String]| Language::before(&words, at, phrases);
        let (least, included, start) = if behind(&table.least_behind) {
            (true, true, at)
        } else if behind(&table.most_behind) {
            (false, true, at)
        } else if let Some(start) = before(&table.most) {
            (false, true, start)
        } else if let Some(start) = before(&table.below) {
            (false, false, start)
        } else if let Some(start) = before(&table.above) {
            (true, false, start)
        } else if let Some(start) = before(&table.least) {
            (true, true, start)
        } else {
            continue;
        };
        let thing = match thing {
            Thing::Named(_) if table.is_of_somebody(&words, start) => Thing::Unsaid,
            thing => thing,
        };
        let amount = Amount { number, thing };
        out.push(Bound {
            amount,
            least,
            included,
        });
    }
    out
}

/// The amounts that a question in the language names: an age where it says so or where somebody is a number.
pub fn amounts(question: &str, language: &str) -> Vec<Amount> {
    let Some(table) = TABLE.get(language) else {
        return Vec::new();
    };
    let words = split(question);
    let mut out = Vec::new();
    for (at, (word, ends)) in words.iter().enumerate() {
        let Some(number) = table.number(word) else {
            continue;
        };
        let (thing, _) = table.thing(&words, at + 1);
        let earlier = words.get(at.saturating_sub(4)..at).unwrap_or_default();
        let aged = (0..earlier.len()).any(|n| Language::at(earlier, n, &table.aged).is_some());
        let thing = match thing {
            // "My son is 14, can he", "my daughter is 12 can she"
            Thing::Unsaid if aged => Thing::Years,
            Thing::Unsaid if *ends || at + 1 == words.len() => continue,
            other => other,
        };
        out.push(Amount { number, thing });
    }
    out
}

/// Whether a question in the language asks for an age.
pub fn asks_age(question: &str, language: &str) -> bool {
    let text = plain(question);
    TABLE
        .get(language)
        .is_some_and(|table| table.asks.iter().any(|words| has(&text, words)))
}

/// Whether a question speaks of paying as the text does: of neither, or with the same word. What is free is said of those who need
/// not pay, so the one answers no question for the other.
pub fn pays_alike(text: &str, question: &str, language: &str) -> bool {
    let Some(table) = TABLE.get(language) else {
        return false;
    };
    let (text, question) = (plain(text), plain(question));
    let said = |plain: &str| -> Vec<&String> {
        table.pays.iter().filter(|word| has(plain, word)).collect()
    };
    let (said, asked) = (said(&text), said(&question));
    (said.is_empty() && asked.is_empty()) || said.iter().any(|word| asked.contains(word))
}

/// Whether the folded word is a number of some language.
pub fn is_number(word: &str) -> bool {
    TABLE
        .values()
        .any(|table| table.numbers.iter().skip(1).any(|number| number == word))
}

/// Whether the folded word is one of those that ask for an age in the language.
pub fn asks_age_with(word: &str, language: &str) -> bool {
    TABLE.get(language).is_some_and(|table| {
        table
            .asks
            .iter()
            .any(|words| words.split(' ').any(|it| it == word))
    })
}

/// Whether the folded word names somebody who has an age, in the language.
pub fn is_aged(word: &str, language: &str) -> bool {
    TABLE
        .get(language)
        .is_some_and(|table| table.aged.iter().any(|aged| aged == word))
}

/// Whether the folded word is one of years of age in the language.
pub fn is_years(word: &str, language: &str) -> bool {
    TABLE.get(language).is_some_and(|table| {
        table
            .years
            .iter()
            .any(|years| years.split(' ').any(|it| it == word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the first amount of the question is within the first bound of the text that it can be compared with.
    fn within(text: &str, question: &str, language: &str) -> Option<bool> {
        let amounts = amounts(question, language);
        let bounds = bounds(text, language);
        bounds
            .iter()
            .find_map(|bound| amounts.iter().find_map(|amount| bound.holds(amount)))
    }

    #[test]
    fn an_age_is_within_a_bound_or_not() {
        for (language, text, question, expected) in [
            (
                "en",
                "Riders must be at least 16.",
                "My son is 14, can he ride?",
                Some(false),
            ),
            (
                "en",
                "Riders must be at least 16.",
                "can a 16 year old ride",
                Some(true),
            ),
            (
                "en",
                "Children under 5 go free.",
                "My daughter is 4, does she pay?",
                Some(true),
            ),
            (
                "en",
                "Children under 5 go free.",
                "is it free for a 5-year-old?",
                Some(false),
            ),
            (
                "en",
                "It is for ages 7 and up.",
                "can my 6 year old join?",
                Some(false),
            ),
            (
                "en",
                "Groups may have up to 18 people.",
                "can we come with 25 people?",
                Some(false),
            ),
            (
                "en",
                "Groups may have up to 18 people.",
                "can we come with 25 dogs?",
                None,
            ),
            ("en", "Doors open from 9.", "my son is 8", Some(false)),
            (
                "fr",
                "Servi jusqu'à 10 ans.",
                "Ma fille a 12 ans, a-t-elle droit ?",
                Some(false),
            ),
            (
                "fr",
                "Les enfants de moins de 8 ans doivent être accompagnés.",
                "Mon fils a 7 ans",
                Some(true),
            ),
            (
                "de",
                "Wir behandeln Kinder ab 3 Jahren.",
                "Meine Tochter ist 2, geht das?",
                Some(false),
            ),
            (
                "de",
                "Kinder unter 14 Jahren dürfen nicht allein.",
                "mein Sohn mit 12 Jahren",
                Some(true),
            ),
            (
                "de",
                "Kinder bis 5 Jahre klettern kostenlos.",
                "Muss ein 4-jähriges Kind zahlen?",
                Some(true),
            ),
            (
                "it",
                "L'età minima è di 16 anni.",
                "Mio figlio ha 15 anni",
                Some(false),
            ),
            (
                "es",
                "Los niños menores de 4 años duermen gratis.",
                "mi hija tiene 3 años",
                Some(true),
            ),
            ("ja", "12歳以上の方。", "10歳の子供", Some(false)),
            ("zh", "未满12岁免费。", "孩子10岁", Some(true)),
        ] {
            assert_eq!(
                within(text, question, language),
                expected,
                "{text} {question}"
            );
        }
    }
}
