//! The embedded model, which answers only with the best sentences of the owner's documents. It needs no network and no
//! key, it cannot invent, and it says so when the documents do not answer.

mod rows;

use crate::{
    guard::Question,
    retrieval::{Passage, Passages, query::Terms},
    strings::{self, AnswerTexts},
};
use bulle_edge_text::{
    kind::FactKind,
    sentences,
    words::{Word, words},
};
use rows::{cells_asked_for, is_named, is_row};

/// Name of the provider and of its model.
pub const NAME: &str = "extractive";

/// Most sentences of an answer.
const MAX_SENTENCES: usize = 5;

/// Most items of a list that is quoted as a whole.
const MAX_ITEMS: usize = 8;

/// Most passages that an answer quotes.
const MAX_QUOTED: usize = 3;

/// Share of the question's words, weighted by rarity, that a sentence with its heading and title must hold to be an
/// answer.
const MIN_COVERAGE: f64 = 0.42;

/// Up to this share, the quotations are introduced as not exactly an answer.
const SURE_COVERAGE: f64 = 0.5;

/// A sentence is quoted when it scores at least this share of the best one.
const MIN_SHARE: f64 = 0.7;

/// The share for a sentence of another passage than the best one.
const MIN_SHARE_ELSEWHERE: f64 = 0.85;

/// The score added to a sentence with the kind of fact that is asked for: a person, a time, an amount.
const FACT: f64 = 0.35;

/// The score added when the number stands next to the thing that is counted.
const COUNTED: f64 = 0.3;

/// The largest distance between that number and that thing, in words.
const BESIDE: usize = 3;

/// The factor on the coverage of a sentence without a price when the question asks for one, and without a name when it
/// asks for a person.
const NO_PRICE: f64 = 0.4;
const NOBODY: f64 = 0.55;

/// The score that the rank of its passage adds to a sentence: this for the first passage, down to 0 for the last.
const PASSAGE_WEIGHT: f64 = 0.4;

/// The worth of a word of the question that stands elsewhere in the passage: for a sentence with the fact that is asked
/// for, and for any other sentence.
const FACT_CONTEXT: f64 = 0.4;
const CONTEXT: f64 = 0.2;

/// The worth of a word of the question in the heading, where 1 is its worth in the sentence itself.
const HEADING_WEIGHT: f64 = 0.7;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    /// Markdown in pieces, one a sentence, with `[n]` for passage `n`.
    pub pieces: Vec<String>,
    /// Topics to ask about, when the documents do not answer.
    pub suggestions: Vec<String>,
    /// False when the documents do not answer.
    pub found: bool,
}

/// A sentence or list item of a passage.
struct Unit<'a> {
    passage: &'a Passage,
    /// Position among the units of its passage.
    position: usize,
    text: &'a str,
    is_item: bool,
    /// Whether its heading holds a word of the question.
    headed: bool,
    /// Share of the question's words that the sentence and its heading hold.
    coverage: f64,
    score: f64,
}

/// Answers from the passages.
pub fn answer(question: &Question, passages: &Passages) -> Extract {
    let locale = strings::negotiate(&[passages.language(), question.locale()]);
    let texts = strings::texts(locale).answers;
    if passages.terms().is_empty() {
        return hello(question, locale, &texts);
    }
    if passages.names_what_is_unknown() {
        return nothing(question, locale, &texts);
    }
    let all = score(passages);
    let mut units: Vec<&Unit> = (all.iter())
        .filter(|unit| unit.coverage >= MIN_COVERAGE)
        .collect();
    let spoken = |unit: &&Unit| {
        let hit = &unit.passage.hit;
        hit.language.is_empty() || hit.speaks(passages.language())
    };
    if units.iter().any(spoken) {
        units.retain(spoken);
    }
    let best = units.iter().max_by(|a, b| a.score.total_cmp(&b.score));
    let Some(best) = best.copied() else {
        return nothing(question, locale, &texts);
    };
    let mut pieces = Vec::new();
    // An answer that holds half of the question's words is introduced as the closest one found.
    if best.coverage <= SURE_COVERAGE || passages.names_an_unknown_place() {
        pieces.push(format!("{}\n\n", texts.closest));
    }
    let mut chosen = if best.is_item && best.headed {
        list_of(&all, best)
    } else {
        best_of(units, best)
    };
    // "E-bike" and "City bike" have the same words of the question; the question says the name of one.
    let named = |unit: &&Unit| unit.is_item && is_named(question.text(), unit.text);
    if chosen.iter().any(named) {
        chosen.retain(|unit| named(&unit) || !is_row(unit.text));
    }
    pieces.extend(write(&chosen, passages.terms()));
    Extract {
        pieces,
        suggestions: Vec::new(),
        found: true,
    }
}

/// The sentences whose scores are close to the best one's, of few passages; the best passage first, then in the order
/// of the text.
fn best_of<'u>(mut units: Vec<&'u Unit<'u>>, best: &Unit) -> Vec<&'u Unit<'u>> {
    units.retain(|unit| {
        let share = if unit.passage.n == best.passage.n {
            MIN_SHARE
        } else {
            MIN_SHARE_ELSEWHERE
        };
        unit.score >= best.score * share
    });
    units.sort_by(|a, b| (b.score.total_cmp(&a.score)).then(a.passage.n.cmp(&b.passage.n)));
    let mut quoted: Vec<u32> = Vec::new();
    units.retain(|unit| {
        let n = unit.passage.n;
        if !quoted.contains(&n) && quoted.len() < MAX_QUOTED {
            quoted.push(n);
        }
        quoted.contains(&n)
    });
    units.truncate(MAX_SENTENCES);
    let rank = |unit: &Unit| quoted.iter().position(|n| *n == unit.passage.n);
    units.sort_by_key(|unit| (rank(unit), unit.position));
    units
}

/// Every unit of every passage, scored by the share of the question's words that it and its heading hold, and
/// by the rank of its passage.
fn score(passages: &Passages) -> Vec<Unit<'_>> {
    let terms = passages.terms();
    let top = passages
        .items()
        .first()
        .map_or(0.0, |passage| passage.hit.score);
    let mut units = Vec::new();
    for passage in passages.items() {
        let above = terms.matches(&format!("{} {}", passage.hit.title, passage.hit.heading));
        let around = terms.matches(&passage.hit.text);
        // A document without a language is treated as one in the language of the question.
        let language = match passage.hit.language.as_str() {
            "" => passages.language(),
            language => language,
        };
        let lines = passage.hit.text.lines();
        let texts = lines.flat_map(|line| match line.strip_prefix("- ") {
            Some(item) => vec![(item, true)],
            None => sentences(line)
                .into_iter()
                .map(|sentence| (sentence, false))
                .collect(),
        });
        for (position, (text, is_item)) in texts.enumerate() {
            let within = terms.matches(text);
            let (fact, credible) = fact(terms, text, language);
            let share = |elsewhere: f64| {
                let places = within.iter().zip(&above).zip(&around);
                let held = places.map(|places| match places {
                    ((true, _), _) => 1.0,
                    ((_, true), _) => HEADING_WEIGHT,
                    (_, true) => elsewhere,
                    _ => 0.0,
                });
                passages.share(&held.collect::<Vec<_>>()) * credible
            };
            let (coverage, told) = match fact > 0.0 {
                true => (share(FACT_CONTEXT), share(FACT_CONTEXT)),
                false => (share(CONTEXT), share(0.0)),
            };
            let rank = passage.hit.score / top.max(f64::MIN_POSITIVE);
            units.push(Unit {
                passage,
                position,
                text,
                is_item,
                headed: above.contains(&true),
                coverage,
                score: told + fact + PASSAGE_WEIGHT * rank - 0.001 * position as f64,
            });
        }
    }
    units
}

/// The score added for the fact that is asked for, and the factor on the coverage of a sentence without it.
fn fact(terms: &Terms, text: &str, language: &str) -> (f64, f64) {
    let Some(kind) = terms.kind() else {
        return (0.0, 1.0);
    };
    match (kind.is_in(text, language), kind) {
        (true, FactKind::Number) if counts(terms, text) => (FACT + COUNTED, 1.0),
        (true, _) => (FACT, 1.0),
        (false, FactKind::Price) if !kind.may_be_in(text, language) => (0.0, NO_PRICE),
        (false, FactKind::Person) if !kind.may_be_in(text, language) => (0.0, NOBODY),
        (false, _) => (0.0, 1.0),
    }
}

/// Whether a number stands next to the thing that is counted.
fn counts(terms: &Terms, text: &str) -> bool {
    let Some(counted) = terms.counted() else {
        return false;
    };
    let words = words(text);
    let places = |wanted: &dyn Fn(&Word) -> bool| -> Vec<usize> {
        let all = words.iter().enumerate().filter(|(_, word)| wanted(word));
        all.map(|(at, _)| at).collect()
    };
    let numbers = places(&|word| word.form.contains(|c: char| c.is_ascii_digit()));
    let things = places(&|word| terms.is_form(counted, word));
    (numbers.iter()).any(|a| things.iter().any(|b| a.abs_diff(*b) <= BESIDE))
}

/// The list around an item whose heading is the thing that is asked for ("which languages?"): the whole list is the
/// answer.
fn list_of<'u>(all: &'u [Unit<'u>], item: &Unit) -> Vec<&'u Unit<'u>> {
    let same = |unit: &&Unit| unit.passage.n == item.passage.n && unit.is_item;
    let mut items: Vec<&Unit> = all.iter().filter(same).collect();
    if items.len() > MAX_ITEMS {
        items.retain(|unit| unit.coverage >= item.coverage);
        items.truncate(MAX_ITEMS);
    }
    items
}

/// The quotations as paragraphs and lists; the citation stands at the end of each run of sentences from one passage. Of the
/// rows of tables stand the cells that the question asks for.
fn write(units: &[&Unit], terms: &Terms) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for (i, unit) in units.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| units.get(i));
        let after = units.get(i + 1);
        let same =
            |other: &&Unit| other.passage.n == unit.passage.n && other.is_item == unit.is_item;
        let mut piece = match before {
            None => String::new(),
            Some(before) if same(before) && unit.is_item => "\n".to_owned(),
            Some(before) if same(before) => " ".to_owned(),
            Some(_) => "\n\n".to_owned(),
        };
        if unit.is_item {
            piece.push_str("- ");
            piece.push_str(&escape(&cells_asked_for(terms, unit.text)));
        } else {
            piece.push_str(&escape(unit.text));
        }
        if unit.is_item || !after.is_some_and(same) {
            piece.push_str(&format!(" [{}]", unit.passage.n));
        }
        pieces.push(piece);
    }
    pieces
}

/// Escapes plain text so that Markdown shows it unchanged.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    let digits = out.chars().take_while(char::is_ascii_digit).count();
    let marker = out.chars().nth(digits);
    if (digits > 0 && matches!(marker, Some('.' | ')')))
        || matches!(marker, Some('-' | '+' | '=') if digits == 0)
    {
        out.insert(digits, '\\');
    }
    out
}

fn hello(question: &Question, locale: &str, texts: &AnswerTexts) -> Extract {
    let bot = &question.site().bot;
    let greeting = bot.greeting.get(locale, &bot.locale);
    let mut pieces = vec![escape(greeting.unwrap_or(&texts.hello))];
    pieces.extend(topics(question, locale, texts));
    Extract {
        pieces,
        suggestions: suggestions(question, locale),
        found: true,
    }
}

fn nothing(question: &Question, locale: &str, texts: &AnswerTexts) -> Extract {
    let mut pieces = vec![texts.nothing_found.clone()];
    pieces.extend(topics(question, locale, texts));
    Extract {
        pieces,
        suggestions: suggestions(question, locale),
        found: false,
    }
}

fn topics(question: &Question, locale: &str, texts: &AnswerTexts) -> Vec<String> {
    let bot = &question.site().bot;
    let Some(topics) = bot
        .topics
        .get(locale, &bot.locale)
        .filter(|t| !t.is_empty())
    else {
        return Vec::new();
    };
    let items: Vec<String> = topics
        .iter()
        .map(|topic| format!("\n- {}", escape(topic)))
        .collect();
    vec![format!("\n\n{}\n{}", texts.topics, items.concat())]
}

fn suggestions(question: &Question, locale: &str) -> Vec<String> {
    let bot = &question.site().bot;
    bot.suggestions
        .get(locale, &bot.locale)
        .cloned()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
