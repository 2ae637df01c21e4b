//! From a question to the passages of the owner's documents that speak of it.

pub mod chunk;
pub mod query;

use bulle_protocol::event::Source;

use crate::{
    guard::Question,
    ports::{Index, PortError},
    search::{
        Found,
        rank::{self, Text, Wanted},
        words::Word,
    },
    text,
};
use query::Terms;

/// Passages given to the model.
pub const MAX_PASSAGES: usize = 6;

/// Candidates fetched from the index before ranking.
const CANDIDATES: u32 = 40;

/// Longest snippet of a source, in characters.
const SNIPPET_CHARS: usize = 240;

/// A chunk as the index returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its row.
    pub id: i64,
    /// Title of the document.
    pub title: String,
    /// Path of headings, `A › B`; empty before the first heading.
    pub heading: String,
    /// One unit a line: a paragraph, a list item (`- `), a table row.
    pub text: String,
    /// Address of the section.
    pub url: Option<String>,
    /// Language of the document (BCP 47), possibly empty.
    pub language: String,
    /// BM25, higher is better.
    pub score: f64,
}

impl Hit {
    /// Whether the document is in the language, whatever the region.
    pub fn speaks(&self, language: &str) -> bool {
        let primary = self.language.split('-').next().unwrap_or_default();
        primary.eq_ignore_ascii_case(language)
    }
}

/// A numbered passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// From 1, best first.
    pub n: u32,
    /// The chunk; its score is the final one.
    pub hit: Hit,
}

impl Passage {
    /// What the visitor sees of the passage.
    pub fn source(&self) -> Source {
        let Hit { title, heading, .. } = &self.hit;
        let title = match heading.rsplit(" › ").next().filter(|last| !last.is_empty()) {
            Some(section) if section != title => format!("{title} › {section}"),
            _ => title.clone(),
        };
        let flat = self.hit.text.replace("\n- ", " · ").replace('\n', " ");
        let flat = flat.trim_start_matches("- ");
        let mut snippet: String = flat.chars().take(SNIPPET_CHARS).collect();
        if flat.chars().count() > SNIPPET_CHARS {
            snippet.push('…');
        }
        Source {
            n: self.n,
            title,
            url: self.hit.url.clone(),
            snippet,
        }
    }
}

/// What retrieval found. Only [`search`] makes one.
#[derive(Clone, Debug, Default)]
pub struct Passages {
    items: Vec<Passage>,
    terms: Terms,
    language: String,
}

impl Passages {
    /// Best first.
    pub fn items(&self) -> &[Passage] {
        &self.items
    }

    /// What was looked for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Language of the question.
    pub fn language(&self) -> &str {
        &self.language
    }
}

/// Searches the bot's documents. A question without a word of its own ("since when?") is read as a
/// continuation of the one before.
///
/// # Errors
/// The index failed.
pub async fn search(
    index: &impl Index,
    question: &Question,
    previous: Option<&str>,
) -> Result<Passages, PortError> {
    let name = &question.site().bot.name;
    let language = text::language(question.text(), question.locale()).to_owned();
    let mut terms = Terms::of(question.text(), &language).without_name(name);
    let continues = terms.is_empty()
        && !text::words(question.text())
            .iter()
            .any(|word| text::is_greeting(word));
    if let (true, Some(previous)) = (continues, previous) {
        terms = Terms::of(previous, &language).without_name(name);
    }
    let mut found = Passages {
        items: Vec::new(),
        terms,
        language,
    };
    let site = question.site();
    found.items = find(
        index,
        &site.tenant_id,
        &site.bot_id,
        &found.terms,
        &found.language,
    )
    .await?;
    Ok(found)
}

/// The bot's chunks that speak of the terms, best first.
///
/// # Errors
/// The index failed.
pub async fn find(
    index: &impl Index,
    tenant_id: &str,
    bot_id: &str,
    terms: &Terms,
    language: &str,
) -> Result<Vec<Passage>, PortError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = terms.query(tenant_id, bot_id);
    let found = index.search(tenant_id, bot_id, &query, CANDIDATES).await?;
    Ok(ranked(found, terms, language))
}

/// Orders hits by the words of the question and by language; drops repeated text.
fn ranked(found: Found, terms: &Terms, language: &str) -> Vec<Passage> {
    let Found { mut hits, chunks, all } = found;
    let worth = |word: &Word| rank::rarity(chunks.get(&word.key).copied().unwrap_or(0).into(), all.max(1).into());
    let wanted: Vec<Wanted> = (terms.words().iter()).map(|word| Wanted { word, worth: worth(word) }).collect();
    let texts: Vec<Text> = hits.iter().map(|hit| Text::of(&hit.title, &hit.heading, &hit.text)).collect();
    for (hit, score) in hits.iter_mut().zip(rank::scores(&wanted, &texts)) {
        hit.score = score;
        if !hit.language.is_empty() && !hit.speaks(language) {
            hit.score *= 0.6;
        }
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        if kept.len() < MAX_PASSAGES && !kept.iter().any(|other| other.text == hit.text) {
            kept.push(hit);
        }
    }
    kept.into_iter()
        .zip(1..)
        .map(|(hit, n)| Passage { n, hit })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Fakes, block_on, question};

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
            hit("Kubernetes à Rennes", "fr", 1.0),
        ];
        let texts: Vec<_> = ranked(Found { hits, ..Found::default() }, &terms, "fr")
            .into_iter()
            .map(|p| (p.n, p.hit.text))
            .collect();
        assert_eq!(
            texts,
            [
                (1, "Kubernetes à Rennes".to_owned()),
                (2, "Rennes en hiver".to_owned()),
                (3, "Kubernetes at Rennes".to_owned()),
            ]
        );
    }

    #[test]
    fn a_question_without_words_of_its_own_continues_the_one_before_but_a_greeting_does_not() {
        let ports = Fakes::default();
        let terms = |text: &str| {
            let found = block_on(search(&ports, &question(text), Some("Kubernetes ?")));
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
        }
        .source();
        assert_eq!(source.title, "CV › Emplois");
        assert_eq!(source.snippet.chars().count(), SNIPPET_CHARS + 1);
        assert!(source.snippet.starts_with("aaa"));
    }
}
