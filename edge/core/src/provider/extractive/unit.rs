//! What the passages say, in units that are quoted whole: sentences, items of lists, rows of tables; and how much of a question
//! each holds.

use bulle_edge_text::{
    amounts::{self, Thing},
    calendar::{self, When},
    kin,
    kind::{self, FactKind},
    polarity, sentences,
    words::{Word, words},
};

use super::{part::Part, row::Row};
use crate::retrieval::{Passage, Passages, query::Terms};

/// What a sentence gains that holds the fact that is asked for: who, when, how much.
const FACT: f64 = 0.35;

/// What it gains more where the number stands beside what is counted.
const COUNTED: f64 = 0.3;

/// What a row of a table gains whose name the question says.
const NAMED: f64 = 0.25;

/// What a sentence gains that names the dates that are asked for, or some of them.
const DATED: f64 = 0.3;

/// What it gains that names the very day that is asked for.
const DAY: f64 = 0.15;

/// What a sentence loses that denies, where neither yes or no nor a fact is asked for.
const DENIAL: f64 = 0.2;

/// What remains of the coverage of a sentence that holds a part of a name: an apple tart is no Apple Pay.
const HALF_A_NAME: f64 = 0.6;

/// How surely a word must be what is counted: a membership is no member.
const SURELY: f64 = 0.65;

/// How far they may be apart, in words.
const BESIDE: usize = 3;

/// What remains of the coverage of a sentence without a price, when that is asked for; without a name, when somebody is; without a
/// number of what is counted.
const NO_PRICE: f64 = 0.4;
const NOBODY: f64 = 0.55;
const NO_COUNT: f64 = 0.6;

/// The same without a time, when that is asked for.
const NO_TIME: f64 = 0.6;

/// What a sentence gains that has the very words of the question, not other forms of them.
const EXACT: f64 = 0.15;

/// What the rank of its passage adds to a sentence: nothing for the last, this for the first.
const PASSAGE_WEIGHT: f64 = 0.4;

/// What a word of the question that stands elsewhere in the passage is worth to a sentence with the fact that is asked
/// for; and to any other, which is no better than others for that.
const FACT_CONTEXT: f64 = 0.4;
const CONTEXT: f64 = 0.2;

/// What a word of the question is worth in the heading, where 1 is its worth in the sentence itself.
const HEADING_WEIGHT: f64 = 0.7;

/// What another form of a word is worth, and another word for the same.
const RELATED: f64 = 0.9;
pub const KIN: f64 = 0.8;

/// A sentence, an item of a list or a row of a table.
#[derive(Clone, Debug)]
pub struct Unit<'a> {
    /// Where it stands.
    pub passage: &'a Passage,
    /// Position among the units of its passage.
    pub position: usize,
    /// What it says.
    pub text: &'a str,
    /// Whether it is of a list or a table.
    pub is_item: bool,
    /// Its cells, when it is of a table.
    pub row: Option<Row<'a>>,
    words: Vec<Word>,
}

/// The units of all passages, in order.
pub fn units(passages: &Passages) -> Vec<Unit<'_>> {
    let mut out = Vec::new();
    for passage in passages.items() {
        let lines = passage.hit.text.lines();
        let texts = lines.flat_map(|line| match line.strip_prefix("- ") {
            Some(item) => vec![(item, true)],
            None => sentences(line)
                .into_iter()
                .map(|sentence| (sentence, false))
                .collect(),
        });
        for (position, (text, is_item)) in texts.enumerate() {
            let row = is_item.then(|| Row::of(text)).flatten();
            out.push(Unit {
                passage,
                position,
                text,
                is_item,
                row,
                words: words(text),
            });
        }
    }
    out
}

/// The language of a passage: a document that does not say it may be in that of the question.
pub fn language<'a>(passage: &'a Passage, passages: &'a Passages) -> &'a str {
    match passage
        .hit
        .language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
    {
        "" => passages.language(),
        language => language,
    }
}

/// Finds the words of a part of a question in a text: the same, other forms, other words for the same, and days in what covers
/// them.
pub struct Finder<'p> {
    terms: &'p Terms,
    kin: Vec<Vec<&'static Word>>,
    /// The terms that name a day or a month.
    days: Vec<bool>,
    when: Option<&'p When>,
}

impl<'p> Finder<'p> {
    /// For the terms of a question, of which a part names this day.
    pub fn new(passages: &'p Passages, when: Option<&'p When>) -> Self {
        let (terms, language) = (passages.terms(), passages.language());
        Self {
            terms,
            kin: terms
                .words()
                .iter()
                .map(|term| kin::of(term, language))
                .collect(),
            days: terms
                .words()
                .iter()
                .map(|term| calendar::is_word(&term.form, language))
                .collect(),
            when,
        }
    }

    /// The terms of the question.
    pub fn terms(&self) -> &Terms {
        self.terms
    }

    /// How surely each term stands in the text, 0 to 1.
    pub fn strengths(&self, text: &str) -> Vec<f64> {
        self.among(&words(text))
    }

    /// The same without other words for the same.
    pub fn exact(&self, text: &str) -> Vec<f64> {
        let words = words(text);
        let held = |term: &Word| words.iter().any(|word| self.terms.is_form(term, word));
        self.terms
            .words()
            .iter()
            .map(|term| if held(term) { 1.0 } else { 0.0 })
            .collect()
    }

    fn among(&self, words: &[Word]) -> Vec<f64> {
        let strength = |(term, kin): (&Word, &Vec<&'static Word>)| {
            let one = |word: &Word| self.strength(term, kin, word);
            words.iter().map(one).fold(0.0, f64::max)
        };
        self.terms
            .words()
            .iter()
            .zip(&self.kin)
            .map(strength)
            .collect()
    }

    fn strength(&self, term: &Word, kin: &[&'static Word], word: &Word) -> f64 {
        if self.terms.is_form(term, word) {
            self.terms.likeness(term, word)
        } else if !term.gram && !word.gram && kin::is_related(&term.form, &word.form) {
            RELATED
        } else if kin
            .iter()
            .any(|other| other.form == word.form || (other.stem == word.stem && !word.gram))
        {
            KIN
        } else {
            0.0
        }
    }

    /// Whether the word is one of the terms, or means the same.
    pub fn is_asked(&self, word: &Word) -> bool {
        let mut terms = self.terms.words().iter().zip(&self.kin);
        terms.any(|(term, kin)| self.strength(term, kin, word) > 0.0)
    }

    /// Whether a text in the language names the day that is asked for, by itself or within others.
    pub fn covers(&self, text: &str, language: &str) -> bool {
        self.when
            .filter(|when| when.names_days())
            .is_some_and(|when| {
                let denies = |_: &str| false;
                calendar::statements(text, language, denies)
                    .iter()
                    .any(|statement| statement.names(when))
            })
    }

    /// Whether a text in the language names the dates that are asked for, or some of them.
    pub fn is_dated(&self, text: &str, language: &str) -> bool {
        self.when
            .filter(|when| when.names_dates())
            .is_some_and(|when| {
                let denies = |_: &str| false;
                calendar::statements(text, language, denies)
                    .iter()
                    .any(|statement| statement.names_dates(when))
            })
    }

    /// [`strengths`](Self::strengths) of a unit, with the days that it covers.
    fn of_unit(&self, unit: &Unit<'_>, language: &str) -> Vec<f64> {
        let mut found = self.among(&unit.words);
        if self.days.contains(&true) && self.covers(unit.text, language) {
            let days = found.iter_mut().zip(&self.days).filter(|(_, day)| **day);
            days.for_each(|(found, _)| *found = 1.0);
        }
        found
    }
}

/// A unit with how much of a part of a question it holds.
#[derive(Clone, Debug)]
pub struct Scored<'u, 'a> {
    /// The unit.
    pub unit: &'u Unit<'a>,
    /// How surely each term stands in it.
    pub within: Vec<f64>,
    /// The same for its heading and title.
    pub above: Vec<f64>,
    /// The same for the rest of its passage.
    pub around: Vec<f64>,
    /// Share of the part's words that it and its heading hold.
    pub coverage: f64,
    /// What it holds of the part by itself, without its heading.
    pub alone: f64,
    /// Whether it holds the fact that is asked for.
    pub fact: bool,
    /// What it is worth beside others.
    pub score: f64,
}

/// Every unit, scored.
pub fn scored<'u, 'a>(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    units: &'u [Unit<'a>],
) -> Vec<Scored<'u, 'a>> {
    let top = passages
        .items()
        .first()
        .map_or(0.0, |passage| passage.hit.score);
    let open = part.kind.is_none() && !part.polar && !denies(part.text, passages.language());
    let mut out = Vec::with_capacity(units.len());
    let mut of_passage: Option<(u32, Vec<f64>, Vec<f64>)> = None;
    for unit in units {
        let hit = &unit.passage.hit;
        let known = of_passage.take().filter(|(n, ..)| *n == unit.passage.n);
        let (n, above, around) = known.unwrap_or_else(|| {
            let above = finder.strengths(&format!("{} {}", hit.title, hit.heading));
            (unit.passage.n, above, finder.strengths(&hit.text))
        });
        let language = language(unit.passage, passages);
        let mut within = finder.of_unit(unit, language);
        if let Some(contact) = part.contact.filter(|contact| contact.is_in(unit.text)) {
            let terms = within.iter_mut().zip(finder.terms.words());
            terms
                .filter(|(_, term)| contact.is_word(&term.form))
                .for_each(|(held, _)| *held = 1.0);
        }
        let (fact, gain, credible) = fact(part, finder, unit, language);
        // "What does it cost?" is asked with words that a price need not have beside it, if it is one of what is asked.
        let asks = |term: &Word| kind::asks_with(FactKind::Price, &term.form, passages.language());
        let price = fact && part.kind == Some(FactKind::Price) && !part.polar;
        let of_it = (finder.terms.words().iter().zip(&part.weights))
            .zip(within.iter().zip(&above))
            .any(|((term, weight), (within, above))| {
                *weight >= 1.0 && within.max(*above) > 0.0 && !asks(term)
            });
        if price && of_it {
            let terms = within.iter_mut().zip(finder.terms.words());
            terms
                .filter(|(_, term)| asks(term))
                .for_each(|(held, _)| *held = 1.0);
        }
        let share = |elsewhere: f64| {
            let places = within.iter().zip(&above).zip(&around);
            let held = places.map(|((within, above), around)| {
                within.max(above * HEADING_WEIGHT).max(around * elsewhere)
            });
            share(passages, part, &held.collect::<Vec<_>>()) * credible
        };
        let half = part.names.iter().any(|name| {
            let held = |at: &&usize| {
                [&within, &above, &around]
                    .iter()
                    .any(|held| held.get(**at).is_some_and(|held| *held > 0.0))
            };
            (1..name.len()).contains(&name.iter().filter(held).count())
        });
        let named_whole = if half { HALF_A_NAME } else { 1.0 };
        let (coverage, told) = match fact {
            true => (share(FACT_CONTEXT), share(FACT_CONTEXT)),
            false => (share(CONTEXT), share(0.0)),
        };
        let (coverage, told) = (coverage * named_whole, told * named_whole);
        let dated = if finder.is_dated(unit.text, language) {
            DATED
        } else {
            0.0
        };
        // The day itself rather than a range that has it.
        let day = finder.terms.words().iter().zip(&finder.days);
        let day = day
            .filter(|(_, day)| **day)
            .any(|(term, _)| unit.words.iter().any(|word| word.form == term.form));
        let day = if day { DAY } else { 0.0 };
        let denial = if open && denies(unit.text, language) {
            DENIAL
        } else {
            0.0
        };
        let rank = hit.score / top.max(f64::MIN_POSITIVE);
        let exact: Vec<f64> = (finder.terms.words().iter())
            .map(|term| f64::from(unit.words.iter().any(|word| word.form == term.form)))
            .collect();
        let exact = EXACT * self::share(passages, part, &exact);
        out.push(Scored {
            unit,
            alone: self::share(passages, part, &within),
            coverage,
            fact,
            score: told + gain + exact + dated + day - denial
                + named(finder, unit)
                + PASSAGE_WEIGHT * rank
                - 0.001 * unit.position as f64,
            within,
            above: above.clone(),
            around: around.clone(),
        });
        of_passage = Some((n, above, around));
    }
    out
}

/// What a row gains whose name the question says.
fn named(finder: &Finder<'_>, unit: &Unit<'_>) -> f64 {
    let Some(row) = &unit.row else { return 0.0 };
    let name = words(row.name());
    if !name.is_empty() && name.iter().all(|word| finder.is_asked(word)) {
        NAMED
    } else {
        0.0
    }
}

/// The share of what the words of a part are worth that is held.
pub fn share(passages: &Passages, part: &Part<'_>, held: &[f64]) -> f64 {
    let held: Vec<f64> = held
        .iter()
        .zip(&part.weights)
        .map(|(held, weight)| held * weight)
        .collect();
    passages.share(&held) / passages.share(&part.weights).max(f64::MIN_POSITIVE)
}

/// Whether a sentence holds the fact that is asked for, what it gains by that, and how much of it counts without.
fn fact(part: &Part<'_>, finder: &Finder<'_>, unit: &Unit<'_>, language: &str) -> (bool, f64, f64) {
    let text = unit.text;
    if let Some(contact) = part.contact {
        return if contact.is_in(text) {
            (true, FACT, 1.0)
        } else {
            (false, 0.0, 1.0)
        };
    }
    let bound = || amounts::bounds(text, language);
    if !part.amounts.is_empty()
        && bound().iter().any(|bound| {
            part.amounts
                .iter()
                .any(|amount| bound.holds(amount).is_some())
        })
    {
        return (true, FACT + COUNTED, 1.0);
    }
    if part.age {
        let years = |thing: &Thing| matches!(thing, Thing::Years | Thing::Unsaid);
        let bound = amounts::bounds(text, language)
            .iter()
            .any(|bound| years(&bound.amount.thing));
        return if bound {
            (true, FACT + COUNTED, 1.0)
        } else {
            (false, 0.0, NO_COUNT)
        };
    }
    let Some(kind) = part.kind else {
        return (false, 0.0, 1.0);
    };
    match (kind.is_in(text, language), kind) {
        (true, FactKind::Number) if finder.terms.counted().is_some() => {
            match counts(finder, unit) {
                true => (true, FACT + COUNTED, 1.0),
                false => (true, 0.0, NO_COUNT),
            }
        }
        (true, _) => (true, FACT, 1.0),
        (false, FactKind::Price) if !kind.may_be_in(text, language) => (false, 0.0, NO_PRICE),
        (false, FactKind::Number) if !kind.may_be_in(text, language) => (false, 0.0, NO_COUNT),
        (false, FactKind::Person) if !kind.may_be_in(text, language) => (false, 0.0, NOBODY),
        (false, FactKind::Time) if !kind.may_be_in(text, language) => (false, 0.0, NO_TIME),
        (false, _) => (false, 0.0, 1.0),
    }
}

/// Whether a number stands beside what is counted.
pub fn counts(finder: &Finder<'_>, unit: &Unit<'_>) -> bool {
    let Some(counted) = finder.terms.counted() else {
        return false;
    };
    let kin = (finder.terms.words().iter().zip(&finder.kin))
        .find(|(term, _)| *term == counted)
        .map(|(_, kin)| kin.as_slice());
    let places = |wanted: &dyn Fn(&Word) -> bool| -> Vec<usize> {
        let all = unit
            .words
            .iter()
            .enumerate()
            .filter(|(_, word)| wanted(word));
        all.map(|(at, _)| at).collect()
    };
    let number = |word: &Word| {
        word.form.chars().all(|c| c.is_ascii_digit()) || amounts::is_number(&word.form)
    };
    let things = places(&|word| finder.strength(counted, kin.unwrap_or_default(), word) >= SURELY);
    (places(&number).iter()).any(|a| things.iter().any(|b| a.abs_diff(*b) <= BESIDE))
}

/// Whether the sentence denies what it speaks of, in its language.
pub fn denies(text: &str, language: &str) -> bool {
    polarity::stance(text, language).denies
}
