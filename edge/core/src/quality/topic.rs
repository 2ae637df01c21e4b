//! The bot's topic that a question belongs to, so that an owner sees what visitors ask about.

use crate::retrieval::Passages;
use bulle_edge_text::{
    stop::is_stopword,
    words::{Word, words},
};

/// The worth of a topic's word in the question, where 1 is its worth in the heading of the best passage.
const QUESTION: f64 = 1.5;

/// The worth of a word in the title of the document, where 1 is its worth in the heading: a document covers several
/// topics.
const TITLE: f64 = 0.6;

/// The worth of each passage, as a share of the one before it.
const NEXT: f64 = 0.6;

/// Passages whose headings count.
const LOOKED_AT: usize = 4;

/// Least score of a topic.
const MIN_SCORE: f64 = 0.3;

/// The ratio by which the best topic's score must exceed the next one's; below it, the question belongs to both.
const MIN_LEAD: f64 = 1.05;

/// The topic of the question, by its words and by those of the headings and titles of the passages found; `None` when
/// no topic scores enough, or two score about the same. `topics` should be in the language of the question.
pub fn topic(asked: &[Word], passages: &Passages, topics: &[String]) -> Option<String> {
    let mut scored: Vec<(f64, &String)> = topics
        .iter()
        .map(|topic| (score(topic, asked, passages), topic))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (best, topic) = scored.first()?;
    let next = scored.get(1).map_or(0.0, |(score, _)| *score);
    (*best >= MIN_SCORE && *best >= next * MIN_LEAD).then(|| (*topic).clone())
}

/// The score of a topic: the worth of each of its words where it is found, divided by the square root of their number, so
/// that a topic gains little by having many words.
fn score(topic: &str, asked: &[Word], passages: &Passages) -> f64 {
    let terms: Vec<Word> = words(topic)
        .into_iter()
        .filter(|word| !is_stopword(&word.form, None))
        .collect();
    let in_question = share(&terms, asked) * QUESTION;
    let mut weight = 1.0;
    let mut below = 0.0;
    for passage in passages.items().iter().take(LOOKED_AT) {
        let heading = share(&terms, &words(&passage.hit.heading));
        let title = share(&terms, &words(&passage.hit.title)) * TITLE;
        below += weight * heading.max(title);
        weight *= NEXT;
    }
    in_question + below
}

fn share(terms: &[Word], text: &[Word]) -> f64 {
    let held = terms
        .iter()
        .filter(|term| text.iter().any(|word| is_same(term, word)));
    held.count() as f64 / (terms.len().max(1) as f64).sqrt()
}

/// Whether two words are forms of one: one begins with the stem of the other, and the shorter stem is long enough to
/// rule out coincidence. Pieces of words must be equal.
fn is_same(term: &Word, word: &Word) -> bool {
    const MIN: usize = 4;
    if term.gram || word.gram {
        return term.form == word.form;
    }
    word.form.starts_with(&term.stem)
        || word.stem.chars().count() >= MIN && term.form.starts_with(&word.stem)
}

#[cfg(test)]
mod tests;
