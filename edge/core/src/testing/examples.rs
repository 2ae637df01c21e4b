//! The bots of `examples/` with their documents, in an index in memory that searches as the database does.

use bulle_edge_text::Document;
use serde::Deserialize;
use std::{fs, path::Path, sync::LazyLock};

use crate::{
    guard::Question,
    knowledge::chunk::chunks,
    ports::{Index, PortError, Sections, VectorIndex},
    provider::extractive,
    quality::Finished,
    reply::Reply,
    retrieval::Passages,
    search::{Candidate, Found, Hit, Query, Scope, Section, index_columns},
    settings::BotSettings,
    testing,
};
use bulle_protocol::event::Finish;

/// BM25 weights of the columns: title, heading, body.
const WEIGHTS: [f64; 3] = [2.0, 2.0, 1.0];

/// An example.
pub struct Example {
    pub bot: BotSettings,
    rows: Vec<(Hit, [Vec<String>; 3])>,
}

#[derive(Deserialize)]
struct Manifest {
    bot: BotSettings,
}

/// The bakery: documents in English.
pub static PLAIN: LazyLock<Example> = LazyLock::new(|| Example::read("plain"));

/// The digital twin: documents in French.
pub static TWIN: LazyLock<Example> = LazyLock::new(|| Example::read("digital-twin"));

impl Example {
    #[expect(
        clippy::disallowed_methods,
        reason = "the examples are files of the repository"
    )]
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples")
            .join(name);
        let manifest = fs::read_to_string(folder.join("bulle.toml")).unwrap();
        let mut files: Vec<_> = fs::read_dir(folder.join("knowledge"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let documents = files.iter().map(|file| fs::read_to_string(file).unwrap());
        let bot = toml::from_str::<Manifest>(&manifest).unwrap().bot;
        Self::of(bot, documents)
    }

    /// A bot with these documents.
    pub fn of(bot: BotSettings, documents: impl IntoIterator<Item = String>) -> Self {
        let mut rows = Vec::new();
        for document in documents {
            let document = Document::parse(&document);
            for chunk in chunks(&document) {
                let url = format!("{}#{}", document.url, chunk.anchor);
                let hit = Hit {
                    id: i64::try_from(rows.len()).unwrap(),
                    title: document.title.clone(),
                    heading: chunk.heading,
                    text: chunk.text,
                    url: Some(url),
                    language: document.language.clone(),
                    score: 0.0,
                };
                let scope = Scope::of("", "");
                let columns =
                    index_columns(&scope, &hit.title, &hit.heading, &hit.text, &hit.language);
                let columns = [columns.title, columns.heading, columns.body]
                    .map(|column| column.split(' ').map(str::to_owned).collect());
                rows.push((hit, columns));
            }
        }
        Self { bot, rows }
    }

    /// Text and language of each chunk.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.rows.iter()).map(|(hit, _)| (hit.text.as_str(), hit.language.as_str()))
    }

    pub fn question(&self, text: &str) -> Question {
        self.question_in("fr", text)
    }

    pub fn question_in(&self, locale: &str, text: &str) -> Question {
        let mut site = testing::site();
        site.bot = self.bot.clone();
        testing::question_in(site, locale, text)
    }

    pub fn search(&self, text: &str) -> Passages {
        testing::searched(self, &self.question(text))
    }

    /// The embedded model's answer.
    pub fn extract(&self, text: &str) -> (Reply, Passages) {
        let passages = self.search(text);
        let reply = reply(
            &extractive::answer(&self.question(text), &passages)
                .pieces
                .concat(),
            &passages,
        );
        (reply, passages)
    }
}

/// A whole answer.
pub fn reply(markdown: &str, passages: &Passages) -> Reply {
    let mut reply = Reply::new(passages.items().len());
    reply.push(markdown);
    reply.finish();
    reply
}

/// A reply as the turn has it when it has ended.
pub fn finished<'a>(
    question: &'a str,
    reply: &'a Reply,
    passages: &'a Passages,
    finish: Finish,
) -> Finished<'a> {
    Finished {
        question,
        blocks: reply.blocks(),
        cites: reply.cites(),
        passages,
        finish,
    }
}

impl VectorIndex for Example {}

impl Index for Example {
    async fn search(
        &self,
        _: &str,
        _: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let scope = Scope::of("", "");
        let count = self.rows.len() as f64;
        let size = |columns: &[Vec<String>; 3]| columns.iter().map(Vec::len).sum::<usize>() as f64;
        let mean = self
            .rows
            .iter()
            .map(|(_, columns)| size(columns))
            .sum::<f64>()
            / count;
        let frequency = |columns: &[Vec<String>; 3], key: &str| -> f64 {
            let is = |word: &&String| **word == scope.word(key);
            let found = columns
                .iter()
                .map(|column| column.iter().filter(is).count() as f64);
            found
                .zip(WEIGHTS)
                .map(|(found, weight)| found * weight)
                .sum()
        };
        let mut scores = vec![0.0; self.rows.len()];
        let mut counts = vec![(query.scope.word(""), self.rows.len() as u32)];
        for key in &query.keys {
            let found: Vec<f64> = (self.rows.iter())
                .map(|(_, columns)| frequency(columns, key))
                .collect();
            let holding = found.iter().filter(|found| **found > 0.0).count() as f64;
            counts.push((query.scope.word(key), holding as u32));
            let idf = ((count - holding + 0.5) / (holding + 0.5)).ln().max(1e-6);
            for ((score, found), (_, columns)) in scores.iter_mut().zip(found).zip(&self.rows) {
                *score += idf * found * 2.2 / (found + 1.2 * (0.25 + 0.75 * size(columns) / mean));
            }
        }
        let mut hits: Vec<Hit> = (self.rows.iter().zip(scores))
            .filter(|(_, score)| *score > 0.0)
            .map(|((hit, _), score)| Hit {
                score,
                ..hit.clone()
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(limit as usize);
        let hits = hits.into_iter().map(Candidate::from).collect();
        Ok(query.found(hits, counts))
    }
}

impl Sections for Example {
    async fn sections(&self, _: &str, _: &str) -> Result<Vec<Section>, PortError> {
        let section = |(hit, _): &(Hit, _)| Section {
            title: hit.title.clone(),
            heading: hit.heading.clone(),
            language: hit.language.clone(),
        };
        Ok(self.rows.iter().map(section).collect())
    }
}
