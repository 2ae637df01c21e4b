//! The earlier conversation, and the part of it that goes into a prompt.

use super::BUDGET_TOKENS;
use crate::{
    model::{Exchange, Summary},
    thinking,
};
use bulle_edge_text::tokens;

/// Earlier exchanges that are offered to the prompt: no more can fit, for a text costs four tokens at least.
pub const MAX_EXCHANGES: usize = BUDGET_TOKENS / 8;

/// Characters of earlier exchanges that are offered to the prompt: eight times what fits, so that a long conversation
/// that has no summary yet can get one.
pub const MAX_HISTORY_CHARS: usize = BUDGET_TOKENS * 4 * 8;

/// Tokens of the newest exchanges that a summary leaves as they are.
const FRESH_TOKENS: usize = BUDGET_TOKENS / 4;

impl Exchange {
    /// The answer as a later prompt contains it; `None` when there is none. Its citation numbers are removed, because
    /// they refer to other passages.
    pub(super) fn told(&self) -> Option<String> {
        // An earlier release, or a client of the API for servers, may have kept what the model said to itself.
        let answer = without_citations(&thinking::without(&self.answer));
        (!answer.trim().is_empty() && !self.question.trim().is_empty()).then_some(answer)
    }

    fn cost(&self) -> usize {
        tokens(&self.question) + tokens(&self.answer)
    }
}

impl Summary {
    /// The summary as quoted data: a model wrote it from visitors' words.
    pub(super) fn quoted(&self) -> String {
        let text = self.text.replace("</summary", "< /summary");
        format!("<summary>\n{}\n</summary>", text.trim())
    }
}

/// The earlier conversation, as it is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptHistory<'a> {
    /// The summary of its beginning, if there is one.
    pub summary: Option<&'a Summary>,
    /// Its exchanges, oldest first, with or without those that the summary covers.
    pub exchanges: &'a [Exchange],
}

/// The part that goes into a prompt, oldest first: exchanges with their answers as the prompt contains them.
pub(super) struct Recalled<'a> {
    pub exchanges: Vec<(&'a Exchange, String)>,
    pub dropped: usize,
}

impl<'a> PromptHistory<'a> {
    /// The newest answered exchanges after the summary, at most `most` of them and as many as fit into `left` tokens.
    pub(super) fn recall(
        &self,
        summary: Option<&Summary>,
        most: Option<u32>,
        mut left: usize,
    ) -> Recalled<'a> {
        let since = summary.map_or(0, |summary| summary.until);
        let wanted = most.map_or(usize::MAX, |most| most as usize);
        let mut answered = (self.exchanges.iter().rev())
            .filter(|exchange| exchange.position >= since)
            .filter_map(|exchange| Some((exchange, exchange.told()?)));
        let mut exchanges = Vec::new();
        let mut dropped = 0;
        for (exchange, answer) in answered.by_ref().take(wanted) {
            let cost = exchange.cost();
            if cost > left {
                dropped = 1;
                break;
            }
            left -= cost;
            exchanges.push((exchange, answer));
        }
        exchanges.reverse();
        let dropped = match most {
            Some(_) => 0,
            None => dropped + answered.count(),
        };
        Recalled { exchanges, dropped }
    }

    /// The exchanges for a new summary when some no longer fit: all after the last summary except the newest few, so
    /// that the next summary is not needed soon.
    pub fn to_summarise(&self) -> &'a [Exchange] {
        let since = self.summary.map_or(0, |summary| summary.until);
        let first = self.exchanges.partition_point(|e| e.position < since);
        let rest = self.exchanges.get(first..).unwrap_or_default();
        let mut left = FRESH_TOKENS;
        let mut end = rest.len();
        for exchange in rest.iter().rev() {
            let cost = exchange.cost();
            if cost > left {
                break;
            }
            left -= cost;
            end -= 1;
        }
        rest.get(..end).unwrap_or_default()
    }
}

fn without_citations(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len());
    for piece in answer.split_inclusive('[') {
        let number = out.ends_with('[').then(|| piece.split_once(']')).flatten();
        match number {
            Some((n, rest)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => {
                out.pop();
                out.truncate(out.trim_end_matches(' ').len());
                out.push_str(rest);
            }
            _ => out.push_str(piece),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchanges(n: u32, words: usize) -> Vec<Exchange> {
        let exchange = |n| Exchange {
            position: 2 * n,
            question: format!("question {n}"),
            answer: "mot ".repeat(words),
        };
        (0..n).map(exchange).collect()
    }

    #[test]
    fn numbers_of_earlier_answers_are_forgotten() {
        for (answer, expected) in [
            ("Oui [1]. Non [2][3] !", "Oui. Non !"),
            ("a[x] [12", "a[x] [12"),
            ("[1]", ""),
        ] {
            assert_eq!(without_citations(answer), expected);
        }
    }

    #[test]
    fn what_holds_nothing_but_numbers_is_not_told() {
        let told = |question: &str, answer: &str| {
            let exchange = Exchange {
                position: 0,
                question: question.into(),
                answer: answer.into(),
            };
            exchange.told()
        };
        assert_eq!(told("Et ?", "Oui [1]."), Some("Oui.".into()));
        assert_eq!((told("Et ?", " [1]\n"), told("Et ?", "")), (None, None));
        assert_eq!(told("", "Oui."), None);
    }

    #[test]
    fn what_does_not_fit_and_is_not_in_the_summary_is_counted() {
        let exchanges = exchanges(10, 400);
        let summary = Summary {
            text: "Avant.".into(),
            until: 6,
        };
        let memory = PromptHistory {
            summary: Some(&summary),
            exchanges: &exchanges,
        };
        let recall = |summary, most, left| {
            let recalled = memory.recall(summary, most, left);
            let positions: Vec<u32> = recalled.exchanges.iter().map(|(e, _)| e.position).collect();
            (positions, recalled.dropped)
        };
        assert_eq!(recall(None, None, 900), (vec![16, 18], 8));
        assert_eq!(recall(Some(&summary), None, 900), (vec![16, 18], 5));
        assert_eq!(recall(Some(&summary), None, 9_000).1, 0);
        assert_eq!(recall(Some(&summary), None, 9_000).0.first(), Some(&6));
        assert_eq!(recall(None, Some(1), 900), (vec![18], 0));
        assert_eq!(recall(None, Some(0), 900), (vec![], 0));
        assert_eq!(recall(None, None, 0), (vec![], 10));
    }

    #[test]
    fn a_summary_is_made_of_all_but_the_newest() {
        let exchanges = exchanges(10, 400);
        let positions = |until: Option<u32>| {
            let summary = until.map(|until| Summary {
                text: String::new(),
                until,
            });
            let memory = PromptHistory {
                summary: summary.as_ref(),
                exchanges: &exchanges,
            };
            let chosen = memory.to_summarise();
            chosen.iter().map(|e| e.position).collect::<Vec<_>>()
        };
        // Three exchanges of 411 tokens each stay.
        assert_eq!(positions(None), [0, 2, 4, 6, 8, 10, 12]);
        assert_eq!(positions(Some(8)), [8, 10, 12]);
        assert!(positions(Some(18)).is_empty());
        assert!(positions(Some(40)).is_empty());
        assert!(PromptHistory::default().to_summarise().is_empty());
    }
}
