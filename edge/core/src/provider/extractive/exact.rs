//! Whether a unit answers exactly what is asked, or only speaks of the same: every word of the question that matters stands in it or
//! above it, and it holds a fact of the kind that is asked for. What is not exact is introduced as such.

use bulle_edge_text::{
    amounts::{self, Thing},
    calendar::{self, When},
    kin,
    kind::{self, FactKind},
    polarity,
};

use super::{
    part::Part,
    unit::{Finder, KIN, Scored, counts, denies, language, share},
};
use crate::retrieval::Passages;

/// Share of the words of the question that a unit must hold itself or with its heading; the others stand beside it.
const HERE: f64 = 0.6;

/// Most of the words' weight that may be missing where a fact is asked for and there, and where no kind of fact is asked for; of a
/// question for yes or no none may be.
const MISSING_WITH_FACT: f64 = 0.36;
const MISSING: f64 = 0.4;

/// The same where it names the very date.
const MISSING_WITH_DATE: f64 = 0.6;

/// From so many words of the question on, all of them held, a unit need not be known as one with a place to answer where.
const MANY: usize = 3;

/// Whether the best unit answers the part exactly.
pub fn is_exact(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
) -> bool {
    holds_all(passages, part, finder, best)
        && holds_kind(passages, part, finder, best)
        && holds_day(passages, part, finder, best)
        && holds_amount(passages, part, best)
        && holds_verb(passages, part, best)
}

/// Whether no word that matters is missing; those that only ask for the kind of fact may be, and those for what is allowed or free
/// where the text tells it in other words.
fn holds_all(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
) -> bool {
    let own = passages.language();
    let text = best.unit.text;
    let stance = polarity::stance(text, language(best.unit.passage, passages));
    let tells = stance.allows || stance.denies || FactKind::Price.is_in(text, own);
    let is_sign = |form: &str| {
        let kana = |c: char| ('ぁ'..='ん').contains(&c);
        form.chars().all(kana)
            || kin::is_own(form, own)
            || (part.polar && tells && polarity::is_form_word(form, own))
    };
    let number = |form: &str| form.starts_with(|c: char| c.is_ascii_digit());
    let mut here: Vec<f64> = Vec::with_capacity(part.weights.len());
    let mut there: Vec<f64> = Vec::with_capacity(part.weights.len());
    for (at, term) in passages.terms().words().iter().enumerate() {
        let of = |held: &[f64]| held.get(at).copied().unwrap_or_default();
        let weight = of(&part.weights);
        let asks = part
            .kind
            .is_some_and(|kind| kind::asks_with(kind, &term.form, own));
        // "Can I charge my car?" asks for no price.
        let near = match of(&best.within).max(of(&best.above)) {
            near if asks && part.polar && near <= KIN => 0.0,
            near => near,
        };
        let matters =
            (weight >= 1.0 || (weight > 0.0 && number(&term.form))) && !is_sign(&term.form);
        let asked = asks && !part.polar && (best.fact || part.kind != Some(FactKind::Price));
        let nowhere = near <= 0.0 && (of(&best.around) <= 0.0 || (asks && part.polar));
        let missing = matters && !asked && nowhere && !passages.terms().is_unit(term);
        there.push(if missing { 0.0 } else { 1.0 });
        here.push(if asked || !matters { 1.0 } else { near });
    }
    let most = match part.kind {
        _ if part.polar => 0.0,
        Some(_) if best.fact => MISSING_WITH_FACT,
        Some(_) => 0.0,
        // Pieces of words of a script without spaces are no words.
        None if passages.terms().words().iter().any(|term| term.gram) => 0.0,
        None if finder.is_dated(text, language(best.unit.passage, passages)) => MISSING_WITH_DATE,
        None => MISSING,
    };
    let least = 1.0 - most - f64::EPSILON;
    share(passages, part, &there) >= least && share(passages, part, &here) >= HERE.min(least)
}

/// Whether it holds a fact of the kind that is asked for.
fn holds_kind(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
) -> bool {
    let text = best.unit.text;
    let language = language(best.unit.passage, passages);
    if part.contact.is_some() || best.fact && part.kind != Some(FactKind::Number) {
        return true;
    }
    if part.age {
        return best.fact;
    }
    let many = |held: &[f64]| held.len() >= MANY && held.iter().all(|held| *held > 0.0);
    match part.kind {
        // "Which instruments do you teach?" is not answered by those that are not taught.
        None => part.polar || !denies(text, language) || denies(part.text, passages.language()),
        Some(FactKind::Number) => {
            best.fact && (finder.terms().counted().is_none() || counts(finder, best.unit))
        }
        Some(FactKind::Person) => {
            best.unit.row.is_none() && FactKind::Person.may_be_in(text, language)
        }
        Some(FactKind::Place) if many(&best.within) => true,
        Some(kind) => kind.may_be_in(text, language),
    }
}

/// Whether it speaks of the day, date or time that is asked for.
fn holds_day(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    best: &Scored<'_, '_>,
) -> bool {
    let Some(when) = part
        .when
        .as_ref()
        .filter(|_| part.polar || part.kind.is_some())
    else {
        return true;
    };
    let language = language(best.unit.passage, passages);
    let row = best.unit.row.is_some();
    let named = |held: &[f64]| {
        let mut terms = passages.terms().words().iter().zip(held);
        terms.any(|(term, held)| *held > 0.0 && calendar::is_word(&term.form, passages.language()))
    };
    row || named(&best.within)
        || named(&best.above)
        || finder.covers(best.unit.text, language)
        || finder.is_dated(best.unit.text, language)
        || names_others(best.unit.text, language, when)
        || (!When::names_days(when) && FactKind::Time.is_in(best.unit.text, language))
}

/// Whether the text names days where days are asked for, and dates where dates are.
fn names_others(text: &str, language: &str, when: &When) -> bool {
    let all = calendar::statements(text, language, |_| false);
    all.iter().any(|statement| statement.is_of_kind(when))
}

/// Whether a question for yes or no that names an amount finds a bound for it, or the very amount.
fn holds_amount(passages: &Passages, part: &Part<'_>, best: &Scored<'_, '_>) -> bool {
    if !part.polar || part.amounts.is_empty() || part.when.is_some() {
        return true;
    }
    let language = language(best.unit.passage, passages);
    let bounds = amounts::bounds(best.unit.text, language);
    let same = amounts::amounts(best.unit.text, language);
    part.amounts.iter().any(|asked| {
        bounds.iter().any(|bound| bound.holds(asked).is_some())
            || same.iter().any(|amount| {
                amount.number == asked.number
                    || (amount.thing == asked.thing && amount.thing == Thing::Years)
            })
    })
}

/// In Japanese, whose verbs are no words of a search: whether the sentence has the verb that asks for yes or no, or denies.
pub fn holds_verb(passages: &Passages, part: &Part<'_>, best: &Scored<'_, '_>) -> bool {
    let text = best.unit.text;
    let verb = |ending: &str| {
        let (before, _) = part.text.rsplit_once(ending)?;
        let verb: String = before
            .chars()
            .rev()
            .take(2)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        Some(verb)
    };
    if passages.language() != "ja" {
        return true;
    }
    verb("ますか").is_none_or(|verb| text.contains(&verb)) || denies(text, "ja")
}
