//! Retrieval: finds the passages of the owner's documents for a question.

mod analysed;
mod fuse;
pub mod golden;
pub mod query;
mod ranked;
mod snippet;
mod with_files;

pub use analysed::Analysed;
pub use with_files::WithFiles;

use bulle_edge_text::words::Word;
use bulle_protocol::event::Source;
use futures_util::future::join;

use crate::{
    ports::{Index, PortError, VectorIndex},
    search::{Found, Hit, rank},
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
    let worths = terms.words().iter().map(worth).collect();
    let unknown = terms.names_what_is_unknown(&found);
    let elsewhere = (terms.words().iter()).any(|word| terms.is_unknown_place(word, &found));
    Ok(Passages {
        worths,
        unknown,
        elsewhere,
        items: ranked::passages(index, whose, found, &terms, &language).await?,
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

/// The number of the bot's chunks with a word.
fn held(word: &Word, found: &Found) -> u32 {
    found.chunks.get(&word.key).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, question};

    pub(super) fn hit(text: &str, language: &str, score: f64) -> Hit {
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
