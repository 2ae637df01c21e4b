//! Full-text search in D1.

use bulle_edge_core::{
    ports::{Index, PortError},
    search::{Found, Hit, MAX_ROWS, Query},
};
use serde::Deserialize;

use super::{Edge, port_error};

/// The chunks, see the file.
const SEARCH: &str = include_str!("search.sql");

/// How frequent the words are, see the file.
const WORDS: &str = include_str!("words.sql");

/// A chunk.
#[derive(Deserialize)]
pub struct Row {
    id: i64,
    title: String,
    heading: String,
    text: String,
    url: String,
    anchor: String,
    language: String,
    score: f64,
}

#[derive(Deserialize)]
struct Count {
    term: String,
    chunks: u32,
}

impl Index for Edge {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let json = |words: &[String]| serde_json::json!(words).to_string();
        let words = query.words();
        let mut counted = words.clone();
        counted.push(query.scope.word(""));
        let db = self.db()?;
        let search = db.prepare(SEARCH).bind(&[
            tenant_id.into(),
            bot_id.into(),
            json(&words).into(),
            limit.into(),
            MAX_ROWS.into(),
        ]);
        let count = db.prepare(WORDS).bind(&[json(&counted).into()]);
        // One trip for both.
        let statements = vec![search.map_err(port_error)?, count.map_err(port_error)?];
        let done = db.batch(statements).await.map_err(port_error)?;
        let [rows, counts] = done.as_slice() else {
            return Err(PortError("a batch answered too little".to_owned()));
        };
        let rows: Vec<Row> = rows.results().map_err(port_error)?;
        let counts: Vec<Count> = counts.results().map_err(port_error)?;
        Ok(query.found(
            rows.into_iter().map(Row::into_hit).collect(),
            counts.into_iter().map(|count| (count.term, count.chunks)),
        ))
    }
}

impl Row {
    /// As the core has it.
    pub fn into_hit(self) -> Hit {
        let url = match (self.url.as_str(), self.anchor.as_str()) {
            ("", _) => None,
            (url, "") => Some(url.to_owned()),
            (url, anchor) => Some(format!("{url}#{anchor}")),
        };
        Hit {
            id: self.id,
            title: self.title,
            heading: self.heading,
            text: self.text,
            url,
            language: self.language,
            score: self.score,
        }
    }
}
