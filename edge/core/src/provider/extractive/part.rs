//! The questions of which a visitor's question is made: "What is the deposit, and can I pay it in cash?" is two, and each is
//! answered by itself.

use bulle_edge_text::{
    amounts::{self, Amount},
    calendar::{self, When},
    contact::Contact,
    kin,
    kind::{Asked, FactKind},
    polarity,
    words::{Word, words},
};

use crate::retrieval::Passages;

/// What a word is worth that stands in another part of the question, or in what is told before it.
const CONTEXT: f64 = 0.3;

/// What a word is worth of which any question may be full.
const WEAK: f64 = 0.4;

/// A question that is answered by itself.
#[derive(Clone, Debug)]
pub struct Part<'q> {
    /// Its words.
    pub text: &'q str,
    /// How much each of the terms of the whole counts.
    pub weights: Vec<f64>,
    /// The kind of fact that is asked for.
    pub kind: Option<FactKind>,
    /// Whether that is an age.
    pub age: bool,
    /// Whether it can be answered with yes or no.
    pub polar: bool,
    /// The day or time that it names.
    pub when: Option<When>,
    /// The amounts that it names.
    pub amounts: Vec<Amount>,
    /// The number or address that it asks for.
    pub contact: Option<Contact>,
    /// The terms of each name that has several.
    pub names: Vec<Vec<usize>>,
}

/// The parts of a question; one when it asks one thing.
pub fn parts<'q>(text: &'q str, passages: &Passages) -> Vec<Part<'q>> {
    let language = passages.language();
    let terms = passages.terms().words();
    let mut out: Vec<Part<'q>> = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for piece in polarity::questions(text, language) {
        if !polarity::asks(piece, language) {
            told.push(piece);
            continue;
        }
        let here = words(piece);
        let own: Vec<bool> = terms
            .iter()
            .map(|term| here.iter().any(|word| word.form == term.form))
            .collect();
        let kind = FactKind::of(piece, language);
        // Nothing of its own is asked: "and?"
        if !own.contains(&true) && kind.is_none() {
            told.push(piece);
            continue;
        }
        let context = |own: bool| if own { 1.0 } else { CONTEXT };
        let weights = if own.contains(&true) {
            own.into_iter().map(context).collect()
        } else {
            vec![1.0; terms.len()]
        };
        let part = Part::of(piece, weights, kind, language);
        out.push(part.told(&told, language));
    }
    let whole = || {
        Part::of(
            text,
            vec![1.0; terms.len()],
            FactKind::of(text, language),
            language,
        )
    };
    // A question that is said in one, or of which one part alone has words of its own.
    let mut out = match out.as_slice() {
        [] => vec![whole()],
        [one] if told.is_empty() || one.weights.iter().all(|weight| *weight < 1.0) => vec![whole()],
        _ => out,
    };
    out.iter_mut().for_each(|part| part.lighten(passages));
    out
}

/// Whether a word is a number that stands for many things: `at 5`, `Windows 10`.
fn is_small_number(form: &str) -> bool {
    form.len() <= 3 && form.chars().all(|c| c.is_ascii_digit())
}

/// The terms of each name of several words ("Apple Pay"), by their places; none in German, where every noun has a capital.
fn names(text: &str, terms: &[Word], language: &str) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut begins = true;
    let all: Vec<&str> = text.split_whitespace().collect();
    let capital = |word: &str| {
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        word.starts_with(char::is_uppercase)
    };
    if language == "de" || all.iter().filter(|word| capital(word)).count() * 2 > all.len() {
        return out;
    }
    for word in all {
        let start = std::mem::replace(&mut begins, word.ends_with(['.', '!', '?', ':']));
        if start || !capital(word) {
            out.push(std::mem::take(&mut run));
            continue;
        }
        let found = words(word);
        run.extend(terms.iter().enumerate().filter_map(|(at, term)| {
            (found.iter().any(|word| word.form == term.form)).then_some(at)
        }));
    }
    out.push(run);
    out.retain(|run| run.len() > 1);
    out
}

impl<'q> Part<'q> {
    fn of(text: &'q str, weights: Vec<f64>, kind: Option<Asked>, language: &str) -> Self {
        Self {
            text,
            weights,
            kind: kind.map(|asked| asked.kind),
            age: amounts::asks_age(text, language),
            polar: polarity::is_polar(text, language),
            when: When::of(text, language),
            amounts: amounts::amounts(text, language),
            contact: Contact::of(text),
            names: Vec::new(),
        }
    }

    /// With what was told before: "My daughter is 5. Can she start?"
    fn told(mut self, before: &[&str], language: &str) -> Self {
        for text in before {
            self.amounts.extend(amounts::amounts(text, language));
            self.when = self.when.or_else(|| When::of(text, language));
        }
        self
    }

    /// Takes the weight from words that a text that answers need not have: days that lie within others, ages, and the words that
    /// ask for these.
    fn lighten(&mut self, passages: &Passages) {
        let language = passages.language();
        let aged = self.age || !self.amounts.is_empty();
        let light = |form: &str| {
            let number = form.starts_with(|c: char| c.is_ascii_digit());
            (self.when.is_some() && (calendar::is_word(form, language) || number))
                || (!self.amounts.is_empty() && number)
                || (aged && (amounts::is_aged(form, language) || amounts::is_years(form, language)))
                || (self.age && amounts::asks_age_with(form, language))
                || (!self.amounts.is_empty() && polarity::alone(form, language).is_some())
        };
        let terms = passages.terms().words();
        self.names = names(self.text, terms, language);
        let texts: Vec<&str> = passages
            .items()
            .iter()
            .map(|passage| passage.hit.text.as_str())
            .collect();
        let there = passages.terms().matches(&texts.join("\n"));
        let lightened: Vec<f64> = (self.weights.iter().zip(terms).zip(there))
            .map(|((weight, term), there)| match &term.form {
                form if light(form) => 0.0,
                form if is_small_number(form) => weight * WEAK,
                form if !there && kin::is_own(form, language) => 0.0,
                form if kin::is_weak(form, language) => weight * WEAK,
                _ => *weight,
            })
            .collect();
        // Where nothing else is asked, they are what is asked.
        if lightened.iter().any(|weight| *weight >= 1.0) {
            self.weights = lightened;
        } else if lightened.iter().any(|weight| *weight > CONTEXT) {
            // Weak words alone are what is asked.
            let strong = |weight: &f64| if *weight > CONTEXT { 1.0 } else { *weight };
            self.weights = lightened.iter().map(strong).collect();
        }
    }
}
