//! Full-text search, and the chunks of the vector index's hits.

use bulle_edge_core::{
    ports::PortError,
    search::{Candidate, Found, Hit, MAX_ROWS, Query, Section},
};
use serde::{Deserialize, Serialize};

use crate::d1::{Database, Statement, Value, from_json, to_json, values};

/// The chunks with the words of a question; the file explains the statement.
const SEARCH: &str = include_str!("search.sql");

/// The number of chunks with each word.
const WORDS: &str = include_str!("words.sql");

/// The texts of chunks; the file explains the statement.
const TEXTS: &str = include_str!("texts.sql");

/// The chunks of vectors; the file explains the statement.
const NEAR: &str = include_str!("near.sql");

/// Documents whose sections are listed: a session of a bot without questions of its own reads them.
const SECTION_SOURCES: u32 = 12;

/// Chunks of a document whose headings are listed.
const SECTIONS: u32 = 8;

/// The search index.
pub struct Search<D>(pub D);

/// A vector that is near to a question.
#[derive(Serialize, Deserialize)]
pub struct Match {
    /// The vector: `{chunk}-{number of its embedding}`.
    pub id: String,
    /// Similarity, -1 to 1.
    pub score: f64,
}

#[derive(Deserialize)]
struct Row {
    id: i64,
    title: String,
    language: String,
    score: f64,
    words: Option<String>,
    /// JSON: see [`Whole`]. NULL where the text was left out.
    whole: Option<String>,
}

/// Heading, text, address and anchor.
type Whole = (String, String, String, String);

#[derive(Deserialize)]
struct SectionRow {
    title: String,
    heading: String,
    language: String,
}

#[derive(Deserialize)]
struct Count {
    term: String,
    chunks: u32,
}

impl<D: Database> Search<D> {
    /// At most `limit` chunks of the bot with any of the words, best first, and how frequent the words are: one round trip.
    ///
    /// # Errors
    /// The database failed.
    pub async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let words = query.words();
        let mut counted = words.clone();
        counted.push(query.scope.word(""));
        let (sql, keys, texts) = query.statement(SEARCH, limit);
        let fixed = values![tenant_id, bot_id, to_json(&words)?, limit, MAX_ROWS, texts];
        let keys = keys.iter().map(Value::from);
        let chunks = Statement::new(sql, fixed.into_iter().chain(keys).collect());
        let counts = Statement::new(WORDS, values![to_json(&counted)?]);
        let [chunks, counts] = self.0.batch([chunks, counts]).await?;
        let chunks: Vec<Row> = chunks.list()?;
        let counts: Vec<Count> = counts.list()?;
        let candidates = chunks.into_iter().map(Row::into_candidate);
        Ok(query.found(
            candidates.collect::<Result<_, _>>()?,
            counts.into_iter().map(|count| (count.term, count.chunks)),
        ))
    }

    /// The chunks of the bot with these ids, without scores; those that no longer answer are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn texts(
        &self,
        tenant_id: &str,
        bot_id: &str,
        ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        let statement = Statement::new(TEXTS, values![tenant_id, bot_id, to_json(ids)?]);
        let rows: Vec<Row> = self.0.rows(statement).await?;
        rows.into_iter().map(Row::into_hit).collect()
    }

    /// The first sections of the bot's first documents that are ready, document by document.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sections(&self, tenant_id: &str, bot_id: &str) -> Result<Vec<Section>, PortError> {
        let statement = Statement::new(
            "SELECT source.title, chunk.heading, source.language \
             FROM (SELECT id, title, language, generation FROM source \
                   WHERE tenant_id = ?1 AND bot_id = ?2 ORDER BY id LIMIT ?3) AS source \
             CROSS JOIN chunk ON chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = source.id \
               AND chunk.position < ?4 AND chunk.generation = source.generation \
             ORDER BY source.id, chunk.position",
            values![tenant_id, bot_id, SECTION_SOURCES, SECTIONS],
        );
        let rows: Vec<SectionRow> = self.0.rows(statement).await?;
        let section = |row: SectionRow| Section {
            title: row.title,
            heading: row.heading,
            language: row.language,
        };
        Ok(rows.into_iter().map(section).collect())
    }

    /// The chunks of the bot with these vectors, in their order. Vectors of another bot, of deleted chunks and of
    /// chunks that no longer answer are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn near(
        &self,
        tenant_id: &str,
        bot_id: &str,
        matches: &[Match],
    ) -> Result<Vec<Hit>, PortError> {
        let statement = Statement::new(NEAR, values![tenant_id, bot_id, to_json(matches)?]);
        let rows: Vec<Row> = self.0.rows(statement).await?;
        rows.into_iter().map(Row::into_hit).collect()
    }
}

impl Row {
    fn into_candidate(mut self) -> Result<Candidate, PortError> {
        Ok(Candidate {
            whole: self.whole.is_some(),
            words: self.words.take(),
            hit: self.into_hit()?,
        })
    }

    fn into_hit(self) -> Result<Hit, PortError> {
        let (heading, text, url, anchor) = match &self.whole {
            Some(whole) => from_json::<Whole>(whole)?,
            None => Whole::default(),
        };
        let url = match (url.as_str(), anchor.as_str()) {
            ("", _) => None,
            (_, "") => Some(url),
            (url, anchor) => Some(format!("{url}#{anchor}")),
        };
        Ok(Hit {
            id: self.id,
            title: self.title,
            heading,
            text,
            url,
            language: self.language,
            score: self.score,
        })
    }
}
