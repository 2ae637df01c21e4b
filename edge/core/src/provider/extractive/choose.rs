//! What is quoted: the shortest that is complete. One sentence where it says all that was asked, more where others say the rest; a
//! section whose heading is the question, a list, the cells of a table; and what says the same is said once.

use bulle_edge_text::{
    polarity, stop,
    words::{Word, words},
};

use super::{
    exact,
    part::Part,
    table::{self, Extracted, Fit},
    unit::{Finder, Scored, Unit, language, scored, share},
    verdict,
};
use crate::retrieval::Passages;

/// Share of the question's words, the rarer ones more, that a sentence, its heading and title must hold to be an answer.
const MIN_COVERAGE: f64 = 0.42;

/// The same for a question for yes or no of which a word stands in no document.
const MIN_WITH_UNKNOWN: f64 = 0.52;

/// Up to this share, what is quoted is introduced as no exact answer.
const SURE_COVERAGE: f64 = 0.5;

/// A sentence is quoted when it scores at least this share of the best one.
const MIN_SHARE: f64 = 0.7;

/// The same for a sentence of another passage than the best one.
const MIN_SHARE_ELSEWHERE: f64 = 0.85;

/// What a further sentence must hold of the question that none before it holds.
const ADDS: f64 = 0.12;

/// Most sentences where the question asks for no fact, and where it does.
const MAX_SENTENCES: usize = 3;
const MAX_WITH_FACT: usize = 2;

/// Most items of a list that is quoted as a whole.
const MAX_ITEMS: usize = 8;

/// Share of the words that a heading must hold to be the question itself.
const IS_QUESTION: f64 = 0.6;

/// Most characters of a section that is quoted because its heading is the question.
const MAX_SECTION: usize = 300;

/// From this share of the shorter one's words on two sentences say the same.
const SAME: f64 = 0.75;

/// A piece of an answer.
#[derive(Clone, Debug)]
pub enum Quote<'a> {
    /// A sentence, or an item of a list.
    Text {
        /// The number of its passage.
        n: u32,
        /// What it says.
        text: &'a str,
        /// Whether it is of a list.
        is_item: bool,
    },
    /// Rows of a table.
    Table {
        /// The number of its passage.
        n: u32,
        /// The cells.
        cells: Extracted<'a>,
    },
}

/// The answer to a part of a question.
#[derive(Clone, Debug)]
pub struct Answered<'a> {
    /// Yes or no, where the documents say so.
    pub verdict: Option<bool>,
    /// What they say.
    pub quotes: Vec<Quote<'a>>,
    /// Whether it holds more than half of what is asked.
    pub sure: bool,
}

/// Answers a part; `None` when the documents do not.
pub fn answer<'a>(
    passages: &'a Passages,
    part: &Part<'_>,
    units: &[Unit<'a>],
) -> Option<Answered<'a>> {
    let finder = Finder::new(passages, part.when.as_ref());
    let all = scored(passages, part, &finder, units);
    let doubtful = part.polar
        && polarity::has_polar_word(part.text, passages.language())
        && !passages.names_an_unknown_place()
        && asks_for_unknown(passages, part, &all);
    let least = if doubtful {
        MIN_WITH_UNKNOWN
    } else {
        MIN_COVERAGE
    };
    let mut good: Vec<&Scored<'_, 'a>> = all.iter().filter(|one| one.coverage >= least).collect();
    let spoken = |one: &&Scored<'_, 'a>| {
        let hit = &one.unit.passage.hit;
        hit.language.is_empty() || hit.speaks(passages.language())
    };
    if good.iter().any(spoken) {
        good.retain(spoken);
    }
    let fit = |one: &Scored<'_, 'a>| match one.unit.row {
        Some(_) => table::fit(passages, part, &finder, units, one),
        None => Fit::Whole,
    };
    let mut best = best_of(&good)?;
    if fit(best) == Fit::None {
        good.retain(|one| one.unit.row.is_none());
        best = best_of(&good)?;
    }
    if let Some((says, unit)) = by_calendar(passages, part, units, &good) {
        let quotes = quote(passages, part, &finder, units, unit);
        return Some(Answered {
            verdict: Some(says),
            quotes,
            sure: true,
        });
    }
    let verdict = verdict::of_unit(passages, part, &finder, best)
        .filter(|_| !passages.names_an_unknown_place())
        .filter(|says| !says || exact::holds_verb(passages, part, best));
    let exact = best.coverage > SURE_COVERAGE
        && !passages.names_an_unknown_place()
        && fit(best) == Fit::Whole
        && exact::is_exact(passages, part, &finder, best);
    let sure = verdict.is_some() || exact;
    let quotes = if best.unit.row.is_some() {
        quote(passages, part, &finder, units, best.unit)
    } else if best.unit.is_item {
        items(&all, best)
    } else {
        sentences(passages, part, &all, good, best, verdict.is_some())
    };
    Some(Answered {
        verdict,
        quotes,
        sure,
    })
}

fn best_of<'s, 'u, 'a>(good: &[&'s Scored<'u, 'a>]) -> Option<&'s Scored<'u, 'a>> {
    let all = good.iter().copied();
    all.max_by(|a, b| a.score.total_cmp(&b.score))
}

/// Whether a word of the part, which is not one of context, stands in none of the units and none of their headings.
fn asks_for_unknown(passages: &Passages, part: &Part<'_>, all: &[Scored<'_, '_>]) -> bool {
    (0..passages.terms().len()).any(|term| {
        let own = part.weights.get(term).is_some_and(|weight| *weight >= 1.0);
        let held = |one: &Scored<'_, '_>| {
            [&one.within, &one.above]
                .iter()
                .any(|held| held.get(term).is_some_and(|held| *held > 0.0))
        };
        own && !all.iter().any(held)
    })
}

/// What opening hours say of the day that is asked for: those of the passages that speak of what is asked, the best first.
fn by_calendar<'u, 'a>(
    passages: &Passages,
    part: &Part<'_>,
    units: &'u [Unit<'a>],
    good: &[&Scored<'_, 'a>],
) -> Option<(bool, &'u Unit<'a>)> {
    let mut ordered = good.to_vec();
    ordered.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut seen: Vec<u32> = Vec::new();
    for one in ordered {
        let n = one.unit.passage.n;
        if seen.contains(&n) {
            continue;
        }
        seen.push(n);
        if let Some(found) = verdict::of_calendar(passages, part, units, n) {
            return Some(found);
        }
    }
    None
}

/// A unit as it is quoted: of a table, the cells that are asked for.
fn quote<'a>(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    units: &[Unit<'a>],
    unit: &Unit<'a>,
) -> Vec<Quote<'a>> {
    let n = unit.passage.n;
    match table::extract(passages, part, finder, units, unit) {
        Some(cells) => vec![Quote::Table { n, cells }],
        None => vec![text(unit)],
    }
}

fn text<'a>(unit: &Unit<'a>) -> Quote<'a> {
    Quote::Text {
        n: unit.passage.n,
        text: unit.text,
        is_item: unit.is_item,
    }
}

/// An item that holds more of the question than those beside it do; else, when the heading is what was asked for, all of the
/// list.
fn items<'a>(all: &[Scored<'_, 'a>], best: &Scored<'_, 'a>) -> Vec<Quote<'a>> {
    let list: Vec<&Scored<'_, 'a>> = all
        .iter()
        .filter(|one| {
            one.unit.passage.n == best.unit.passage.n && one.unit.is_item && one.unit.row.is_none()
        })
        .collect();
    let headed = best.above.iter().any(|held| *held > 0.0);
    let special = |one: &Scored<'_, 'a>| {
        (one.within.iter().enumerate()).any(|(term, held)| {
            let holders = list
                .iter()
                .filter(|other| other.within.get(term).is_some_and(|held| *held > 0.0));
            let above = one.above.get(term).is_some_and(|above| *above > 0.0);
            *held > 0.0 && !above && holders.count() * 2 <= list.len()
        })
    };
    if !headed || special(best) {
        let near = |one: &&&Scored<'_, 'a>| {
            one.alone >= best.alone * MIN_SHARE_ELSEWHERE
                && one.score >= best.score * MIN_SHARE
                && (one.fact || !best.fact)
        };
        return list
            .iter()
            .filter(near)
            .take(MAX_SENTENCES)
            .map(|one| text(one.unit))
            .collect();
    }
    let mut shown = list.clone();
    if shown.len() > MAX_ITEMS {
        shown.retain(|one| one.coverage >= best.coverage);
        shown.truncate(MAX_ITEMS);
    }
    shown.iter().map(|one| text(one.unit)).collect()
}

/// The best sentence, and what others add to it.
fn sentences<'a>(
    passages: &Passages,
    part: &Part<'_>,
    all: &[Scored<'_, 'a>],
    good: Vec<&Scored<'_, 'a>>,
    best: &Scored<'_, 'a>,
    decided: bool,
) -> Vec<Quote<'a>> {
    let section: Vec<&Scored<'_, 'a>> = all
        .iter()
        .filter(|one| one.unit.passage.n == best.unit.passage.n)
        .collect();
    // "Bring:" and the list behind it.
    if best.unit.text.ends_with([':', '：']) {
        let behind = section
            .iter()
            .filter(|one| one.unit.position > best.unit.position);
        let list: Vec<&&Scored<'_, 'a>> = behind
            .take_while(|one| one.unit.is_item && one.unit.row.is_none())
            .collect();
        if !list.is_empty() {
            return list
                .iter()
                .take(MAX_ITEMS + 2)
                .map(|one| text(one.unit))
                .collect();
        }
    }
    let above = share(passages, part, &best.above);
    let by_heading = above >= IS_QUESTION && best.alone * 0.9 <= above && !best.fact && !decided;
    if by_heading {
        return leading(&section);
    }
    let (sort, most) = (
        part.kind.is_some() || part.polar,
        if part.kind.is_some() || decided {
            MAX_WITH_FACT
        } else {
            MAX_SENTENCES
        },
    );
    let mut others = good;
    others.retain(|one| {
        let elsewhere = one.unit.passage.n != best.unit.passage.n;
        let least = if elsewhere {
            MIN_SHARE_ELSEWHERE
        } else {
            MIN_SHARE
        };
        one.score >= best.score * least && one.unit.row.is_none() && (one.fact || !best.fact)
    });
    others.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut chosen: Vec<&Scored<'_, 'a>> = vec![best];
    for one in others {
        if chosen.len() >= most
            || chosen.iter().any(|other| {
                is_same(
                    one.unit.text,
                    other.unit.text,
                    language(one.unit.passage, passages),
                )
            })
        {
            continue;
        }
        let held = |term: usize| {
            chosen
                .iter()
                .any(|other| other.within.get(term).is_some_and(|held| *held > 0.0))
        };
        let new: Vec<f64> = (one.within.iter().enumerate())
            .map(|(term, it)| if held(term) { 0.0 } else { *it })
            .collect();
        let adds = share(passages, part, &new) >= ADDS;
        // Where no single fact is asked for, what is as good as the best belongs to it.
        let as_good = !sort
            && one.score >= best.score * MIN_SHARE_ELSEWHERE
            && one.unit.passage.n == best.unit.passage.n;
        let fact = one.fact && !chosen.iter().any(|other| other.fact);
        if adds || as_good || fact {
            chosen.push(one);
        }
    }
    let rank = |one: &Scored<'_, 'a>| {
        (
            one.unit.passage.n != best.unit.passage.n,
            one.unit.passage.n,
            one.unit.position,
        )
    };
    chosen.sort_by_key(|one| rank(one));
    chosen.iter().map(|one| text(one.unit)).collect()
}

/// The beginning of a section, as far as there is room.
fn leading<'a>(section: &[&Scored<'_, 'a>]) -> Vec<Quote<'a>> {
    let mut out = Vec::new();
    let mut taken = 0;
    let list = section.first().is_some_and(|first| first.unit.is_item);
    for one in section {
        let size = one.unit.text.chars().count();
        let full = if list {
            out.len() >= MAX_ITEMS
        } else {
            taken + size > MAX_SECTION || out.len() >= MAX_SENTENCES
        };
        if one.unit.row.is_some() || (!out.is_empty() && full) {
            break;
        }
        taken += size;
        out.push(text(one.unit));
    }
    out
}

/// Whether two sentences say nearly the same: most words of the shorter one stand in the longer one, and all of its numbers.
pub fn is_same(one: &str, other: &str, language: &str) -> bool {
    let bag = |text: &str| {
        let mut all = words(text);
        all.retain(|word| !stop::is_stopword(&word.form, Some(language)));
        all
    };
    let (one, other) = (bag(one), bag(other));
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let there = |word: &&Word| {
        long.iter()
            .any(|other| other.form == word.form || (!word.gram && other.stem == word.stem))
    };
    let number = |word: &&Word| word.form.contains(|c: char| c.is_ascii_digit());
    let held = short.iter().filter(there).count();
    !short.is_empty()
        && held as f64 / short.len() as f64 >= SAME
        && short
            .iter()
            .filter(number)
            .all(|word| long.iter().any(|other| other.form == word.form))
}
