//! Yes or no, where the documents support it: days and dates in opening hours, months in a closed range, ages and other amounts
//! within bounds, and what a sentence says or denies of the very thing that is asked.
//!
//! A wrong yes is worse than none: where anything limits what a sentence says ("only", "except", "without"), where it speaks of a
//! part of what is asked or of more, or in a language whose words are not known, the sentence is quoted and nothing is concluded.

use bulle_edge_text::{
    amounts, calendar, calendar::Statement, kind::FactKind, polarity, stop, words::words,
};

use super::{
    part::Part,
    unit::{Finder, Scored, Unit, denies, language, share},
};
use crate::retrieval::Passages;

/// Share of the words that are asked which a clause must hold itself to deny them, and to affirm them.
const DENIES: f64 = 0.6;
const AFFIRMS: f64 = 0.75;

/// The same where a word says that something is allowed or there.
const ALLOWS: f64 = 0.6;

/// How surely a word must stand in a sentence to be affirmed.
const SURELY: f64 = 0.85;

/// Most other words of a clause that denies: of more it denies something else.
const MOST_BESIDE: usize = 2;

/// What the opening hours of a passage say, and the unit that says it.
pub fn of_calendar<'u, 'a>(
    passages: &Passages,
    part: &Part<'_>,
    units: &'u [Unit<'a>],
    n: u32,
) -> Option<(bool, &'u Unit<'a>)> {
    let when = part.when.as_ref().filter(|_| part.polar)?;
    let mut all: Vec<(usize, Statement)> = Vec::new();
    for (at, unit) in (units.iter().enumerate()).filter(|(_, unit)| unit.passage.n == n) {
        let language = language(unit.passage, passages);
        let texts: Vec<String> = match &unit.row {
            Some(row) => row
                .cells
                .iter()
                .skip(1)
                .map(|cell| format!("{} {} {}", row.name(), cell.head, cell.value))
                .collect(),
            None => vec![unit.text.to_owned()],
        };
        for text in texts {
            let found = calendar::statements(&text, language, |clause| denies(clause, language));
            all.extend(found.into_iter().map(|statement| (at, statement)));
        }
    }
    let (says, at) = calendar::verdict(when, &all)?;
    let unit = units.get(*at)?;
    let conditional = polarity::is_conditional(unit.text, language(unit.passage, passages));
    // "From October to May we open at weekends only" is no yes for December.
    let limited =
        when.names_dates() && polarity::stance(unit.text, language(unit.passage, passages)).limits;
    (!says || !(conditional || limited)).then_some((says, unit))
}

/// What a unit says, by an amount or by its words.
pub fn of_unit(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
) -> Option<bool> {
    let language = language(best.unit.passage, passages);
    if !part.polar
        || best.unit.row.is_some()
        || polarity::begins(best.unit.text, language).is_some()
    {
        return None;
    }
    if !part.amounts.is_empty() {
        return of_amounts(passages, part, best, language);
    }
    if part.when.is_some() {
        return None;
    }
    let affirmed = || {
        affirmed(passages, part, best, language)
            .filter(|_| polarity::has_polar_word(part.text, passages.language()))
    };
    denied(passages, part, finder, best, language).or_else(affirmed)
}

/// "My son is 14, can he ride?" of "Riders must be at least 16".
fn of_amounts(
    passages: &Passages,
    part: &Part<'_>,
    best: &Scored<'_, '_>,
    language: &str,
) -> Option<bool> {
    let text = best.unit.text;
    let bounds = amounts::bounds(text, language);
    let within = bounds
        .iter()
        .find_map(|bound| part.amounts.iter().find_map(|amount| bound.holds(amount)))?;
    let stance = polarity::stance(text, language);
    // "Children under 12 may only ride with an adult" answers whether one may ride alone, and nothing else.
    if let (Some(true), Some(false)) = (
        polarity::alone(part.text, passages.language()),
        polarity::alone(text, language),
    ) {
        return within.then_some(false);
    }
    if polarity::alone(text, language).is_some() {
        return None;
    }
    let held = share(
        passages,
        part,
        &best
            .within
            .iter()
            .zip(&best.above)
            .map(|(a, b)| a.max(*b))
            .collect::<Vec<_>>(),
    );
    if !amounts::pays_alike(text, part.text, language) {
        return None;
    }
    match (stance.denies, within) {
        (false, true) if held >= DENIES / 2.0 => Some(true),
        (false, false) | (true, true) if held >= DENIES / 2.0 => Some(false),
        _ => None,
    }
}

/// Whether a clause denies just what is asked.
fn denied(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
    language: &str,
) -> Option<bool> {
    let own = polarity::stance(part.text, passages.language());
    if own.denies {
        return None;
    }
    let clauses = polarity::clauses(best.unit.text);
    for clause in &clauses {
        let stance = polarity::stance(clause, language);
        if !stance.denies {
            continue;
        }
        let held = finder.strengths(clause);
        let with_heading: Vec<f64> = held
            .iter()
            .zip(&best.above)
            .map(|(held, above)| held.max(above * 0.7))
            .collect();
        let own_terms: Vec<f64> = part
            .weights
            .iter()
            .map(|weight| if *weight >= 1.0 { 1.0 } else { 0.0 })
            .collect();
        let own_only = |held: &[f64]| -> f64 {
            let held: Vec<f64> = held
                .iter()
                .zip(&own_terms)
                .map(|(held, own)| held * own)
                .collect();
            passages.share(&held) / passages.share(&own_terms).max(f64::MIN_POSITIVE)
        };
        let clause_words = words(clause);
        let beside: Vec<bool> = (clause_words.iter())
            .filter(|word| {
                !stop::is_stopword(&word.form, Some(language))
                    && !polarity::is_form_word(&word.form, language)
            })
            .map(|word| finder.is_asked(word))
            .collect();
        let others = beside.iter().filter(|asked| !**asked).count();
        // "e-bike motors" is not "e-bikes": what is named is followed by another noun.
        let narrower = beside.windows(2).any(|two| two == [true, false])
            && language == "en"
            && !ends_well(&clause_words, finder, language);
        let enough = own_only(&held) >= DENIES
            || (own_only(&held) >= DENIES / 2.0 && own_only(&with_heading) >= DENIES);
        if enough && others <= MOST_BESIDE && !narrower {
            return Some(false);
        }
    }
    None
}

/// Whether what follows the last word that is asked is none that could make it another thing.
fn ends_well(words: &[bulle_edge_text::words::Word], finder: &Finder<'_>, language: &str) -> bool {
    let last = words
        .iter()
        .rposition(|word| finder.is_asked(word))
        .unwrap_or_default();
    let next = words.get(last + 1);
    next.is_none_or(|next| {
        stop::is_stopword(&next.form, Some(language))
            || polarity::is_form_word(&next.form, language)
    })
}

/// Whether the sentence affirms just what is asked.
fn affirmed(
    passages: &Passages,
    part: &Part<'_>,
    best: &Scored<'_, '_>,
    language: &str,
) -> Option<bool> {
    let text = best.unit.text;
    let stance = polarity::stance(text, language);
    if stance.denies || stance.limits || polarity::stance(part.text, passages.language()).denies {
        return None;
    }
    // "Free in winter, 3 € in summer" is no yes to "is it free?".
    let free = FactKind::Price.is_in(part.text, passages.language());
    if free && text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let said = words(text).len() <= 40;
    // A part of a compound is not the thing: a card is no credit card.
    let surely = |held: &f64| if *held >= SURELY { *held } else { 0.0 };
    let within: Vec<f64> = best.within.iter().map(surely).collect();
    let both: Vec<f64> = within
        .iter()
        .zip(&best.above)
        .map(|(within, above)| within.max(surely(above) * 0.7))
        .collect();
    let (alone, held) = (share(passages, part, &within), share(passages, part, &both));
    (said && (alone >= AFFIRMS || (stance.allows && alone >= ALLOWS && held >= AFFIRMS)))
        .then_some(true)
}
