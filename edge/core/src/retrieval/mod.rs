//! From a question to the passages of the owner's documents that speak of it.

mod fuse;
pub mod query;
mod snippet;

use bulle_protocol::event::Source;
use futures_util::future::join;

use crate::{
    guard::Question,
    ports::{Index, Meaning, PortError},
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

/// Those of the index of meanings.
const NEAR: u32 = 20;

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
    /// What of its text speaks most of the question; empty when that is not known.
    pub snippet: String,
}

impl Passage {
    /// What the visitor sees of the passage.
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

/// What retrieval found. Only [`search`] makes one.
#[derive(Clone, Debug, Default)]
pub struct Passages {
    items: Vec<Passage>,
    terms: Terms,
    language: String,
    without_meaning: Option<PortError>,
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

    /// Why they were found by their words alone, where a deployment looks for their meaning, too.
    pub fn without_meaning(&self) -> Option<&PortError> {
        self.without_meaning.as_ref()
    }

    /// As if they had these scores, the best first.
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

/// Searches the bot's documents. A question without a word of its own ("since when?") is read as a
/// continuation of the one before.
///
/// # Errors
/// The index failed.
pub async fn search(
    index: &(impl Index + Meaning),
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
    let mut said = question.text().to_owned();
    if let (true, Some(previous)) = (continues, previous) {
        terms = Terms::of(previous, &language).without_name(name);
        said = format!("{previous}\n{said}");
    }
    let site = question.site();
    let whose = (site.tenant_id.as_str(), site.bot_id.as_str());
    let (items, without_meaning) = look_up(index, whose, &said, &terms, &language).await?;
    Ok(Passages {
        items,
        terms,
        language,
        without_meaning,
    })
}

/// The bot's chunks that speak of the terms of what was said, best first.
///
/// # Errors
/// The index failed.
pub async fn find(
    index: &(impl Index + Meaning),
    whose: (&str, &str),
    said: &str,
    terms: &Terms,
    language: &str,
) -> Result<Vec<Passage>, PortError> {
    let (items, _) = look_up(index, whose, said, terms, language).await?;
    Ok(items)
}

async fn look_up(
    index: &(impl Index + Meaning),
    whose: (&str, &str),
    said: &str,
    terms: &Terms,
    language: &str,
) -> Result<(Vec<Passage>, Option<PortError>), PortError> {
    if terms.is_empty() {
        return Ok((Vec::new(), None));
    }
    let (found, without_meaning) = candidates(index, whose, said, terms).await?;
    Ok((ranked(found, terms, language), without_meaning))
}

/// What both indexes have found; and why not the one of meanings, which nothing depends on.
async fn candidates(
    index: &(impl Index + Meaning),
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

/// What a text's score is multiplied by that holds a fact of the kind that is asked for.
const FACT: f64 = 1.4;

/// The same for one that is not in the language of the question.
const FOREIGN: f64 = 0.6;

/// What a single character of Chinese is worth, where two that stand together are worth 1.
const LETTER: f64 = 0.5;

/// Share of the words of the shorter text from which on two texts say the same.
const REPEATED: f64 = 0.9;

/// Orders hits by the words of the question, by the fact that is asked for and by language, and, where that is known, by
/// meaning; drops what repeats a better one.
fn ranked<'a>(found: Found, terms: &'a Terms, language: &str) -> Vec<Passage> {
    let Found {
        mut hits,
        near,
        chunks,
        all,
    } = found;
    let nearest: Vec<i64> = near.iter().map(|hit| hit.id).collect();
    let others = near
        .into_iter()
        .filter(|near| !hits.iter().any(|hit| hit.id == near.id));
    let others: Vec<Hit> = others.collect();
    hits.extend(others);
    let wanted = |word: &'a Word, share: f64| {
        let held = chunks.get(&word.key).copied().unwrap_or(0);
        let worth = share * rank::rarity(held.into(), all.max(1).into());
        Wanted { word, worth }
    };
    let words = terms.words().iter().map(|word| wanted(word, 1.0));
    let letters = terms.letters().iter().map(|word| wanted(word, LETTER));
    let wanted: Vec<Wanted<'_>> = words.chain(letters).collect();
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
            let found = block_on(search(&ports, &question(text), Some("Kubernetes ?")));
            found.unwrap().terms().len()
        };
        assert_eq!(
            (terms("Depuis quand ?"), terms("Merci !"), terms("Rust ?")),
            (1, 0, 1)
        );
    }

    /// Texts of what is found by words (the same words in all of them) and by meaning.
    fn both(ports: &Fakes, asked: &str, previous: Option<&str>) -> (Vec<String>, Passages) {
        let found = block_on(search(ports, &question(asked), previous)).unwrap();
        let texts = found.items().iter().map(|passage| passage.hit.text.clone());
        (texts.collect(), found)
    }

    fn numbered(id: i64, text: &str, score: f64) -> Hit {
        Hit {
            id,
            ..hit(text, "fr", score)
        }
    }

    #[test]
    fn what_the_words_do_not_find_is_found_by_its_meaning_and_counted_once() {
        let ports = Fakes::default();
        for (id, text) in [(1, "L'automobile rouge"), (2, "Le vélo rouge")] {
            ports.add_hit(numbered(id, text, 1.0));
        }
        assert_eq!(both(&ports, "Rouge ?", None).0.len(), 2);
        *ports.near.borrow_mut() = vec![
            numbered(7, "La voiture carmin", 0.9),
            numbered(2, "Le vélo rouge", 0.85),
            numbered(8, "Un piano", 0.2),
        ];
        let (texts, found) = both(&ports, "Rouge ?", None);
        assert_eq!(
            texts,
            ["Le vélo rouge", "L'automobile rouge", "La voiture carmin"]
        );
        assert_eq!(found.items()[2].n, 3);
        assert!(found.without_meaning().is_none());
        // Both are asked for the same.
        both(&ports, "Depuis quand ?", Some("Rouge ?"));
        both(&ports, "Merci !", Some("Rouge ?"));
        assert_eq!(
            *ports.meant.borrow(),
            ["Rouge ?", "Rouge ?", "Rouge ?\nDepuis quand ?"]
        );
    }

    #[test]
    fn what_repeats_another_by_meaning_is_dropped_too() {
        let ports = Fakes::default();
        ports.add_hit(numbered(1, "Kubernetes à Rennes", 1.0));
        *ports.near.borrow_mut() = vec![numbered(2, "Kubernetes à Rennes !", 0.9)];
        assert_eq!(both(&ports, "Kubernetes ?", None).0.len(), 1);
    }

    #[test]
    fn words_find_what_they_find_when_the_index_of_meanings_fails() {
        let ports = Fakes::default();
        ports.add_hit(numbered(1, "Kubernetes à Rennes", 1.0));
        *ports.near.borrow_mut() = vec![numbered(2, "Des conteneurs", 0.9)];
        ports.fail("meaning");
        let (texts, found) = both(&ports, "Kubernetes ?", None);
        assert_eq!(texts, ["Kubernetes à Rennes"]);
        assert!(found.without_meaning().is_some());
        ports.mend("meaning");
        ports.fail("index");
        assert!(block_on(search(&ports, &question("Kubernetes ?"), None)).is_err());
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
