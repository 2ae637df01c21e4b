//! The confidence of an answer, computed from evidence. No model is asked how sure it is.
//!
//! ```text
//! confidence = finish × honesty × held × (BASE + STANDOUT · standout + CITED · cited)
//! ```
//!
//! Each factor is described where it is computed, and in docs/answers.md.

use bulle_protocol::event::Finish;

use super::{Finished, claims::AnswerClaims};
use crate::retrieval::{Passage, Passages};

/// The value of passages that hold all of the question's words when no passage stands out and nothing is cited.
const BASE: f64 = 0.35;

/// The value added when the best passage stands out completely from the others.
const STANDOUT: f64 = 0.15;

/// The value added when every claim is cited. The three make 1.
const CITED: f64 = 0.5;

/// The worth of a question's word in a passage that the answer does not cite.
const UNCITED: f64 = 0.5;

/// The share of its worth that a word loses which all passages hold, because it does not distinguish them.
const COMMON: f64 = 0.5;

/// Factor for an answer with an admission: it says that it does not know, or not exactly.
const ADMITTED: f64 = 0.4;

/// Factor for an answer that was cut: a part of it is missing.
const CUT: f64 = 0.7;

/// Factor for an answer that the visitor stopped: the text so far is sound.
const STOPPED: f64 = 0.8;

/// Factor for an answer from the documents in place of a model's.
const FALLBACK: f64 = 0.8;

/// The confidence, 0 to 1, to two decimals; `None` when the question has no words to search for, such as a greeting, or
/// when the documents could not be searched.
pub fn confidence(answer: &Finished) -> Option<f32> {
    if answer.passages.terms().is_empty() {
        return None;
    }
    let claims = AnswerClaims::of(answer.blocks);
    let finish = match answer.finish {
        Finish::Stop => 1.0,
        Finish::Length => CUT,
        Finish::Stopped => STOPPED,
        Finish::Fallback => FALLBACK,
    };
    let honesty = if claims.admissions > 0 { ADMITTED } else { 1.0 };
    let support =
        BASE + STANDOUT * standout(answer.passages) + CITED * claims.share().unwrap_or(0.0);
    let confidence = finish * honesty * held(answer) * support;
    Some((confidence.clamp(0.0, 1.0) * 100.0).round() as f32 / 100.0)
}

/// The share of the question's words that the cited passages hold together; at least half of the share that the best
/// passage holds. A word that is in every passage found counts half.
fn held(answer: &Finished) -> f64 {
    let terms = answer.passages.terms();
    let items = answer.passages.items();
    let matches = |passage: &Passage| {
        let hit = &passage.hit;
        terms.matches(&format!("{}\n{}\n{}", hit.title, hit.heading, hit.text))
    };
    let found: Vec<Vec<bool>> = items.iter().map(matches).collect();
    let holds = |held: &Vec<bool>, term: usize| held.get(term).copied().unwrap_or(false);
    let weights: Vec<f64> = (0..terms.len())
        .map(|term| {
            let holding = found.iter().filter(|held| holds(held, term)).count();
            1.0 - COMMON * holding as f64 / items.len().max(1) as f64
        })
        .collect();
    let all: f64 = weights.iter().sum();
    let share = |passages: &[&Vec<bool>]| {
        let held = (0..).zip(&weights).filter(|(term, _)| {
            let term = *term;
            passages.iter().any(|held| holds(held, term))
        });
        held.fold(0.0, |sum, (_, weight)| sum + weight) / all
    };
    let cited: Vec<&Vec<bool>> = (items.iter().zip(&found))
        .filter(|(passage, _)| answer.cites.contains(&passage.n))
        .map(|(_, held)| held)
        .collect();
    let best: Vec<&Vec<bool>> = found.iter().take(1).collect();
    share(&cited).max(UNCITED * share(&best))
}

/// How far the score of the best passage is above the mean of the others: 0 when all are equal, towards 1 when the
/// others are near 0; 1 when there is only one.
fn standout(passages: &Passages) -> f64 {
    let mut scores = passages.items().iter().map(|passage| passage.hit.score);
    let Some(best) = scores.next().filter(|best| *best > 0.0) else {
        return 0.0;
    };
    let others = scores.len().max(1) as f64;
    let below = 1.0 - scores.map(|score| score.max(0.0)).sum::<f64>() / others / best;
    if below.is_nan() {
        return 0.0;
    }
    below.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
