//! Retrieval: finds the passages of the owner's documents for a question.

mod analysed;
mod fuse;
pub mod golden;
pub mod query;
mod snippet;
mod with_files;

pub use analysed::Analysed;
pub use with_files::WithFiles;

use bulle_edge_text::words::Word;
use bulle_protocol::event::Source;
use futures_util::future::join;

use crate::{
    ports::{Index, PortError, VectorIndex},
    search::{
        Found, Hit,
        rank::{self, Text, Wanted},
    },
};
use query::Terms;

/// Passages given to the model.
pub const MAX_PASSAGES: usize = 6;

/// Candidates fetched from the index before ranking.
const CANDIDATES: u32 = 40;

/// Candidates fetched from the vector index.
const NEAR: u32 = 20;

/// Longest snippet of a source, in characters.
const SNIPPET_CHARS: usize = 240;

/// A numbered passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// From 1, best first.
    pub n: u32,
    /// The chunk; its score is the final one.
    pub hit: Hit,
    /// The part of its text that is most about the question; empty when that is not known.
    pub snippet: String,
}

impl Passage {
    /// The passage as the visitor sees it.
    pub fn source(&self) -> Source {
        let Hit { title, heading, .. } = &self.hit;
        let title = match heading.rsplit(" › ").next().filter(|last| !last.is_empty()) {
            Some(section) if section != title => format!("{title} › {section}"),
            _ => title.clone(),
        };
        let snippet = match self.snippet.as_str() {
            "" => snippet::flat(&self.hit.text, 0, SNIPPET_CHARS),
            snippet => snippet.to_owned(),
        };
        Source {
            n: self.n,
            title,
            url: self.hit.url.clone(),
            snippet,
        }
    }
}

/// The result of retrieval. Only [`search`] makes one.
#[derive(Clone, Debug, Default)]
pub struct Passages {
    items: Vec<Passage>,
    terms: Terms,
    worths: Vec<f64>,
    unknown: bool,
    elsewhere: bool,
    language: String,
    without_meaning: Option<PortError>,
}

impl Passages {
    /// Best first.
    pub fn items(&self) -> &[Passage] {
        &self.items
    }

    /// The question's terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The share of the terms for which `held` is true, weighted by their rarity.
    pub fn share(&self, held: &[f64]) -> f64 {
        let all: f64 = self.worths.iter().sum();
        let found: f64 = (held.iter().zip(&self.worths))
            .map(|(held, worth)| held * worth)
            .sum();
        found / all.max(f64::MIN_POSITIVE)
    }

    /// Whether the question names a person or thing that no chunk contains.
    pub fn names_what_is_unknown(&self) -> bool {
        self.unknown
    }

    /// Whether it asks about a place that no chunk contains.
    pub fn names_an_unknown_place(&self) -> bool {
        self.elsewhere
    }

    /// Language of the question.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Why the deployment's vector index gave no hits, where it failed.
    pub fn without_meaning(&self) -> Option<&PortError> {
        self.without_meaning.as_ref()
    }

    /// The passages with these scores, best first; for tests.
    #[cfg(test)]
    pub fn scored(mut self, scores: &[f64]) -> Self {
        let mut scores = scores.to_vec();
        scores.sort_by(|a, b| b.total_cmp(a));
        for (passage, score) in self.items.iter_mut().zip(scores) {
            passage.hit.score = score;
        }
        self
    }
}

/// Searches the bot's documents. A question without terms of its own ("since when?") is read as a continuation of the
/// one before.
///
/// # Errors
/// The index failed.
pub async fn search(
    index: &(impl Index + VectorIndex),
    asked: &Analysed<'_>,
    previous: Option<&str>,
) -> Result<Passages, PortError> {
    let question = asked.question();
    let continued = previous.and_then(|previous| {
        let said = format!("{previous}\n{}", question.text());
        Some((said, asked.terms_of_previous(previous)?))
    });
    let (said, terms) =
        continued.unwrap_or_else(|| (question.text().to_owned(), asked.terms().clone()));
    let site = question.site();
    let whose = (site.tenant_id.as_str(), site.bot_id.as_str());
    passages(index, whose, &said, terms, asked.language()).await
}

/// The bot's chunks with the terms of the messages, best first.
///
/// # Errors
/// The index failed.
pub async fn find(
    index: &(impl Index + VectorIndex),
    whose: (&str, &str),
    said: &str,
    terms: &Terms,
    language: &str,
) -> Result<Vec<Passage>, PortError> {
    let found = passages(index, whose, said, terms.clone(), language).await?;
    Ok(found.items)
}

/// The same with what was looked for, as the embedded model needs it.
///
/// # Errors
/// The index failed.
pub async fn passages(
    index: &(impl Index + VectorIndex),
    whose: (&str, &str),
    said: &str,
    terms: Terms,
    language: &str,
) -> Result<Passages, PortError> {
    let language = language.to_owned();
    if terms.is_empty() {
        return Ok(Passages {
            language,
            ..Passages::default()
        });
    }
    let (found, without_meaning) = candidates(index, whose, said, &terms).await?;
    let terms = terms.without_slips(&found, &language);
    let worth = |word: &Word| {
        let held = f64::from(held(word, &found));
        let worth = ANY_WORD + rank::rarity(held, f64::from(found.all).max(FEW));
        match word {
            _ if terms.is_unit(word) => 0.0,
            _ if terms.is_unknown_place(word, &found) => worth * UNKNOWN_PLACE,
            _ => worth,
        }
    };
    Ok(Passages {
        worths: terms.words().iter().map(worth).collect(),
        unknown: terms.names_what_is_unknown(&found),
        elsewhere: (terms.words().iter()).any(|word| terms.is_unknown_place(word, &found)),
        items: ranked(found, &terms, &language),
        terms,
        language,
        without_meaning,
    })
}

/// The hits of both indexes, and the error of the vector index, whose failure is not an error of the search.
async fn candidates(
    index: &(impl Index + VectorIndex),
    (tenant_id, bot_id): (&str, &str),
    said: &str,
    terms: &Terms,
) -> Result<(Found, Option<PortError>), PortError> {
    let query = terms.query(tenant_id, bot_id);
    let by_words = index.search(tenant_id, bot_id, &query, CANDIDATES);
    let by_meaning = index.near(tenant_id, bot_id, said, NEAR);
    let (found, near) = join(by_words, by_meaning).await;
    let mut found = found?;
    let failed = match near {
        Ok(near) => {
            found.near = fuse::near_enough(near);
            None
        }
        Err(error) => Some(error),
    };
    Ok((found, failed))
}

/// The share of its weight that the name of a place keeps which no chunk contains.
const UNKNOWN_PLACE: f64 = 0.5;

/// The least weight of a term, added to its rarity.
const ANY_WORD: f64 = 2.0;

/// The rarity of a term (IDF) is computed as if the bot had at least this many chunks, because rarity is not
/// significant among fewer.
const FEW: f64 = 30.0;

/// How rare a word is among the bot's chunks.
fn rarity(word: &Word, found: &Found) -> f64 {
    rank::rarity(held(word, found).into(), found.all.max(1).into())
}

/// The number of the bot's chunks with a word.
fn held(word: &Word, found: &Found) -> u32 {
    found.chunks.get(&word.key).copied().unwrap_or(0)
}

/// The factor on the score of a text with the kind of fact that is asked for.
const FACT: f64 = 1.4;

/// The factor on the score of a text in another language than the question's.
const FOREIGN: f64 = 0.6;

/// The weight of a single character of Chinese, where a pair of characters has 1.
const LETTER: f64 = 0.5;

/// The share of the shorter text's words from which on two texts count as duplicates.
const REPEATED: f64 = 0.9;

/// Orders hits by the question's words, by the fact that is asked for and by language, and, where it is known, by
/// meaning; drops duplicates of better hits.
fn ranked<'a>(found: Found, terms: &'a Terms, language: &str) -> Vec<Passage> {
    let wanted = |word: &'a Word, share: f64| Wanted {
        word,
        worth: share * rarity(word, &found),
    };
    let words = terms.words().iter().map(|word| wanted(word, 1.0));
    let letters = terms.letters().iter().map(|word| wanted(word, LETTER));
    let wanted: Vec<Wanted<'_>> = words.chain(letters).collect();
    let Found { mut hits, near, .. } = found;
    let nearest: Vec<i64> = near.iter().map(|hit| hit.id).collect();
    let others = near
        .into_iter()
        .filter(|near| !hits.iter().any(|hit| hit.id == near.id));
    let others: Vec<Hit> = others.collect();
    hits.extend(others);
    let texts: Vec<Text> = (hits.iter())
        .map(|hit| Text::of(&hit.title, &hit.heading, &hit.text))
        .collect();
    let scores = rank::scores(&wanted, &texts, terms.compounds());
    for (hit, score) in hits.iter_mut().zip(scores) {
        hit.score = score;
        if let Some(kind) = terms.kind()
            && kind.is_in(&hit.text, &hit.language)
        {
            hit.score *= FACT;
        }
        if !hit.language.is_empty() && !hit.speaks(language) {
            hit.score *= FOREIGN;
        }
    }
    let mut order: Vec<(Hit, Text)> = hits.into_iter().zip(texts).collect();
    order.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
    fuse::fuse(&mut order, &nearest);
    let mut kept: Vec<(Hit, Text)> = Vec::new();
    for (hit, text) in order {
        let repeats = |(_, other): &(Hit, Text)| text.shared(other) >= REPEATED;
        if kept.len() < MAX_PASSAGES && !kept.iter().any(repeats) {
            kept.push((hit, text));
        }
    }
    kept.into_iter()
        .zip(1..)
        .map(|((hit, _), n)| Passage {
            n,
            snippet: snippet::of(&hit, terms, SNIPPET_CHARS),
            hit,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, question};

    fn hit(text: &str, language: &str, score: f64) -> Hit {
        Hit {
            id: 1,
            title: "CV".into(),
            heading: "Parcours › Emplois".into(),
            text: text.into(),
            url: None,
            language: language.into(),
            score,
        }
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
            hits,
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
                hit("Prix des tartes", "fr", 2.0),
                hit("Le seigle", "fr", 1.0),
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
                hits: vec![hit(without, language, 1.0), hit(with, language, 1.0)],
                ..Found::default()
            };
            let terms = Terms::of(question, language);
            assert_eq!(ranked(found, &terms, language)[0].hit.text, with);
        }
    }

    #[test]
    fn a_question_without_words_of_its_own_continues_the_one_before_but_a_greeting_does_not() {
        let ports = Fakes::default();
        let terms = |text: &str| {
            let question = question(text);
            let asked = Analysed::of(&question);
            let found = block_on(search(&ports, &asked, Some("Kubernetes ?")));
            found.unwrap().terms().len()
        };
        assert_eq!(
            (terms("Depuis quand ?"), terms("Merci !"), terms("Rust ?")),
            (1, 0, 1)
        );
    }

    #[test]
    fn a_source_names_document_and_section_and_is_cut() {
        let long = format!("- {}\n- b", "a".repeat(300));
        let source = Passage {
            n: 2,
            hit: hit(&long, "fr", 1.0),
            snippet: String::new(),
        }
        .source();
        assert_eq!(source.title, "CV › Emplois");
        assert_eq!(source.snippet.chars().count(), SNIPPET_CHARS + 1);
        assert!(source.snippet.starts_with("aaa"));
    }
}
