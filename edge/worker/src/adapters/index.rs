//! Full-text search in D1.

use bulle_edge_core::{
    ports::{Index, PortError},
    retrieval::Hit,
};
use serde::Deserialize;

use super::{Edge, port_error};

#[derive(Deserialize)]
struct Row {
    id: i64,
    title: String,
    heading: String,
    text: String,
    url: String,
    anchor: String,
    language: String,
    score: f64,
}

impl Index for Edge {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        expression: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, PortError> {
        // bm25 weighs scope, title, heading and body; it is negative, the best the most so. CROSS JOIN keeps SQLite from
        // asking the index once for every chunk that the bot has.
        let statement = self.db()?.prepare(
            "SELECT chunk.id, source.title, chunk.heading, chunk.text, source.url, chunk.anchor, source.language, \
             -bm25(chunk_fts, 0.0, 2.0, 3.0, 1.0) AS score \
             FROM chunk_fts \
             CROSS JOIN chunk ON chunk.id = chunk_fts.rowid AND chunk.tenant_id = ?2 AND chunk.bot_id = ?3 \
             CROSS JOIN source ON source.tenant_id = ?2 AND source.bot_id = ?3 AND source.id = chunk.source_id \
             AND source.generation = chunk.generation \
             WHERE chunk_fts MATCH ?1 ORDER BY score DESC LIMIT ?4",
        );
        let statement = statement
            .bind(&[
                expression.into(),
                tenant_id.into(),
                bot_id.into(),
                limit.into(),
            ])
            .map_err(port_error)?;
        let result = statement.all().await.map_err(port_error)?;
        let rows: Vec<Row> = result.results().map_err(port_error)?;
        Ok(rows.into_iter().map(Row::into_hit).collect())
    }
}

impl Row {
    fn into_hit(self) -> Hit {
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
