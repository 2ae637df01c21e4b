//! Orders candidates, and chooses the passages.

use bulle_edge_text::words::{Word, words};
use std::{collections::HashMap, rc::Rc};

use super::{MAX_PASSAGES, Passage, SNIPPET_CHARS, fuse, held, query::Terms, snippet};
use crate::{
    ports::{Index, PortError},
    search::{
        Candidate, Found, Hit, Indexed,
        rank::{self, Wanted},
    },
};

/// The factor on the score of a text with the kind of fact that is asked for.
const FACT: f64 = 1.4;

/// The factor on the score of a text in another language than the question's.
const FOREIGN: f64 = 0.6;

/// The weight of a single character of Chinese, where a pair of characters has 1.
const LETTER: f64 = 0.5;

/// The share of the shorter text's words from which on two texts count as duplicates.
const REPEATED: f64 = 0.9;

/// What ranking knows of a hit, and whether its text is there.
struct Known {
    indexed: Indexed,
    whole: bool,
}

/// The passages, best first. The index is asked again only for texts that were left out of the search and are chosen.
///
/// # Errors
/// The index failed.
pub async fn passages(
    index: &impl Index,
    (tenant_id, bot_id): (&str, &str),
    found: Found,
    terms: &Terms,
    language: &str,
) -> Result<Vec<Passage>, PortError> {
    let mut order = ordered(found, terms, language);
    let missing = missing(&order);
    if !missing.is_empty() {
        let texts = index.texts(tenant_id, bot_id, &missing).await?;
        fill(&mut order, texts);
    }
    let chosen = chosen(order);
    let passages = chosen.into_iter().zip(1..).map(|(hit, n)| Passage {
        n,
        snippet: snippet::of(&hit, terms, SNIPPET_CHARS),
        hit,
    });
    Ok(passages.collect())
}

/// Orders hits by the question's words, by the fact that is asked for and by language, and, where it is known, by meaning.
fn ordered<'a>(mut found: Found, terms: &'a Terms, language: &str) -> Vec<(Hit, Known)> {
    let nearest: Vec<i64> = found.near.iter().map(|hit| hit.id).collect();
    for near in std::mem::take(&mut found.near) {
        match found.hits.iter_mut().find(|other| other.hit.id == near.id) {
            Some(candidate) => candidate.fill(near),
            None => found.hits.push(near.into()),
        }
    }
    let wanted = |word: &'a Word, share: f64| Wanted {
        word,
        worth: share * rarity(word, &found),
    };
    let words = terms.words().iter().map(|word| wanted(word, 1.0));
    let letters = terms.letters().iter().map(|word| wanted(word, LETTER));
    let wanted: Vec<Wanted<'_>> = words.chain(letters).collect();
    let indexed = indexed(&found.hits);
    let scores = rank::scores(&wanted, &indexed, terms.compounds());
    let hits = found.hits.into_iter().zip(indexed).zip(scores);
    let mut order: Vec<(Hit, Known)> = hits
        .map(|((Candidate { mut hit, whole, .. }, indexed), score)| {
            hit.score = score;
            if terms.kind().is_some_and(|kind| indexed.has(kind)) {
                hit.score *= FACT;
            }
            if !hit.language.is_empty() && !hit.speaks(language) {
                hit.score *= FOREIGN;
            }
            (hit, Known { indexed, whole })
        })
        .collect();
    order.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
    fuse::fuse(&mut order, &nearest);
    order
}

/// How rare a word is among the bot's chunks.
fn rarity(word: &Word, found: &Found) -> f64 {
    rank::rarity(held(word, found).into(), found.all.max(1).into())
}

/// What was stored of each candidate; where nothing was, it is computed.
fn indexed(candidates: &[Candidate]) -> Vec<Indexed> {
    let mut titles: HashMap<&str, Rc<[Word]>> = HashMap::new();
    let mut all = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let hit = &candidate.hit;
        let title = titles.entry(&hit.title);
        let title = Rc::clone(title.or_insert_with(|| words(&hit.title).into()));
        let stored = candidate.words.as_ref();
        let stored = stored.and_then(|words| Indexed::read(Rc::clone(&title), words));
        all.push(
            stored.unwrap_or_else(|| Indexed::of(title, &hit.heading, &hit.text, &hit.language)),
        );
    }
    all
}

/// The hits without a text up to the last one that may be chosen.
fn missing(order: &[(Hit, Known)]) -> Vec<i64> {
    let mut kept: Vec<&Indexed> = Vec::new();
    let mut missing = Vec::new();
    for (hit, known) in order {
        if kept.len() == MAX_PASSAGES {
            break;
        }
        if !known.whole {
            missing.push(hit.id);
        }
        if !kept.iter().any(|kept| kept.seems_to_repeat(&known.indexed)) {
            kept.push(&known.indexed);
        }
    }
    missing
}

/// Completes the hits with these texts.
fn fill(order: &mut [(Hit, Known)], texts: Vec<Hit>) {
    for text in texts {
        if let Some((hit, known)) = order.iter_mut().find(|(hit, _)| hit.id == text.id) {
            let score = hit.score;
            *hit = Hit { score, ..text };
            known.whole = true;
        }
    }
}

/// The best hits without those that repeat a better one. Hits without a text are passed over: they are worse than all that
/// may be chosen, or no longer answer.
fn chosen(order: Vec<(Hit, Known)>) -> Vec<Hit> {
    let mut kept: Vec<(Hit, Known)> = Vec::new();
    for (hit, known) in order.into_iter().filter(|(_, known)| known.whole) {
        let repeats = |(other, before): &(Hit, Known)| {
            before.indexed.may_repeat(&known.indexed)
                && rank::shared(&hit.text, &other.text) >= REPEATED
        };
        if kept.len() < MAX_PASSAGES && !kept.iter().any(repeats) {
            kept.push((hit, known));
        }
    }
    kept.into_iter().map(|(hit, _)| hit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::tests::hit;

    fn ranked(found: Found, terms: &Terms, language: &str) -> Vec<Passage> {
        let ports = crate::testing::Fakes::default();
        let passages = passages(&ports, ("t", "b"), found, terms, language);
        crate::testing::block_on(passages).unwrap()
    }

    #[test]
    fn ranking_prefers_coverage_and_language_and_drops_copies() {
        let terms = Terms::of("Kubernetes à Rennes", "fr");
        let hits = vec![
            hit("Rennes en hiver", "fr", 2.0),
            hit("Kubernetes at Rennes", "en", 2.0),
            hit("Kubernetes à Rennes", "fr-FR", 2.0),
            hit("Kubernetes à  Rennes !", "fr", 1.0),
            hit("Kubernetes 2019", "fr", 1.0),
            hit("Kubernetes 2020", "fr", 1.0),
        ];
        let found = Found {
            hits: hits.into_iter().map(Candidate::from).collect(),
            ..Found::default()
        };
        let texts: Vec<_> = ranked(found, &terms, "fr")
            .into_iter()
            .map(|passage| passage.hit.text)
            .collect();
        let expected = [
            "Kubernetes à Rennes",
            "Kubernetes 2019",
            "Kubernetes 2020",
            "Kubernetes at Rennes",
            "Rennes en hiver",
        ];
        assert_eq!(texts[0], expected[0]);
        assert_eq!(texts.len(), expected.len());
        assert!(
            expected
                .iter()
                .all(|text| texts.iter().any(|other| other == text)),
            "{texts:?}"
        );
    }

    #[test]
    fn rare_words_count_for_more_than_common_ones() {
        let terms = Terms::of("Prix du seigle", "fr");
        let found = Found {
            hits: vec![
                hit("Prix des tartes", "fr", 2.0).into(),
                hit("Le seigle", "fr", 1.0).into(),
            ],
            chunks: [("prix".to_owned(), 40), ("seigl".to_owned(), 1)].into(),
            all: 50,
            ..Found::default()
        };
        assert_eq!(ranked(found, &terms, "fr")[0].hit.text, "Le seigle");
    }

    #[test]
    fn the_paragraph_with_the_fact_comes_first() {
        for (question, language, with, without) in [
            (
                "Wie viel kostet der Kurs?",
                "de",
                "Der Kurs kostet 90 Euro.",
                "Der Kurs ist schön und kostet Mühe.",
            ),
            (
                "متى تفتح المكتبة؟",
                "ar",
                "المكتبة تفتح الساعة التاسعة.",
                "المكتبة تفتح للجميع.",
            ),
            (
                "博物馆什么时候开门？",
                "zh",
                "博物馆上午九点开门。",
                "博物馆大门开门见山。",
            ),
        ] {
            let found = Found {
                hits: vec![
                    hit(without, language, 1.0).into(),
                    hit(with, language, 1.0).into(),
                ],
                ..Found::default()
            };
            let terms = Terms::of(question, language);
            assert_eq!(ranked(found, &terms, language)[0].hit.text, with);
        }
    }
}
