//! Which chunks have a vector in the index of meanings, and which vectors nobody wants any more.
//!
//! A chunk says that it may have one before it is sent, and that it has one afterwards. Whatever dies in between is done
//! again under the same id, and a chunk that goes leaves the id to be deleted (a trigger, `0007_meaning.sql`).

use bulle_edge_core::ports::PortError;
use serde::Deserialize;
use serde_json::Value;

use super::{Shelf, json, results};
use crate::adapters::{Edge, port_error, time};

/// Sources whose chunks are asked for at once.
const SOURCES: u32 = 20;

/// Vectors that are deleted at once.
const UNWANTED: u32 = 100;

/// A chunk without a vector.
#[derive(Deserialize)]
pub struct Unembedded {
    /// Of its vector.
    pub id: String,
    title: String,
    heading: String,
    text: String,
}

impl Unembedded {
    /// What its meaning is taken from.
    pub fn text(&self) -> String {
        let Self {
            title,
            heading,
            text,
            ..
        } = self;
        format!("{title}\n{heading}\n{text}")
    }
}

#[derive(Deserialize)]
struct VectorId {
    id: String,
}

impl Edge {
    /// At most `most` answering chunks of the bot without a vector; and whether there may be more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unembedded(
        &self,
        shelf: &Shelf,
        most: u32,
        now_ms: u64,
    ) -> Result<(Vec<Unembedded>, bool), PortError> {
        let statements = vec![
            // The plus signs keep SQLite from reading all chunks of the bot.
            self.shelved(
                shelf,
                "UPDATE chunk SET embedded = -?3 WHERE +tenant_id = ?1 AND +bot_id = ?2 AND embedded = 0 AND id IN \
                 (SELECT chunk.id FROM (SELECT id, generation FROM source INDEXED BY source_to_embed \
                 WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded <> generation ORDER BY id LIMIT ?4) AS unasked \
                 CROSS JOIN chunk ON chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = unasked.id \
                 AND chunk.generation = unasked.generation)",
                &[time(now_ms), SOURCES.into()],
            )?,
            self.shelved(
                shelf,
                "UPDATE source SET embedded = generation WHERE tenant_id = ?1 AND bot_id = ?2 AND id IN (SELECT id \
                 FROM source INDEXED BY source_to_embed WHERE tenant_id = ?1 AND bot_id = ?2 \
                 AND embedded <> generation ORDER BY id LIMIT ?3) RETURNING id",
                &[SOURCES.into()],
            )?,
            self.shelved(
                shelf,
                "SELECT chunk.id || '-' || -chunk.embedded AS id, source.title, chunk.heading, chunk.text \
                 FROM chunk INDEXED BY chunk_to_embed CROSS JOIN source ON source.tenant_id = ?1 \
                 AND source.bot_id = ?2 AND source.id = chunk.source_id AND source.generation = chunk.generation \
                 WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.embedded < 0 LIMIT ?3",
                &[most.into()],
            )?,
        ];
        let done = self.batch(statements).await?;
        let [_, asked, chunks] = done.as_slice() else {
            return Err(PortError("a batch answered too little".to_owned()));
        };
        let asked: Vec<VectorId> = results(asked)?;
        let chunks: Vec<Unembedded> = results(chunks)?;
        let more = !asked.is_empty() || !chunks.is_empty();
        Ok((chunks, more))
    }

    /// Notes that the vectors of these chunks are in the index.
    ///
    /// # Errors
    /// The database failed; then they are sent again.
    pub async fn embedded(&self, shelf: &Shelf, chunks: &[Unembedded]) -> Result<(), PortError> {
        let ids: Vec<&str> = chunks.iter().map(|chunk| chunk.id.as_str()).collect();
        let sql = "UPDATE chunk SET embedded = -embedded WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded < 0 \
                   AND id IN (SELECT CAST(value AS INTEGER) FROM json_each(?3)) \
                   AND id || '-' || -embedded IN (SELECT value FROM json_each(?3))";
        self.write_row(shelf, sql, &[json(&ids)?.into()]).await
    }

    /// Vectors that nobody wants any more, of whatever bot: they belong to none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unwanted_vectors(&self) -> Result<Vec<String>, PortError> {
        let sql = "SELECT id FROM vector_unwanted LIMIT ?1";
        let statement = self.db()?.prepare(sql).bind(&[UNWANTED.into()]);
        let found = statement.map_err(port_error)?.all().await;
        let rows: Vec<VectorId> = results(&found.map_err(port_error)?)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Notes that these vectors are deleted.
    ///
    /// # Errors
    /// The database failed; then they are deleted again.
    pub async fn vectors_deleted(&self, ids: &[String]) -> Result<(), PortError> {
        let sql = "DELETE FROM vector_unwanted WHERE id IN (SELECT value FROM json_each(?1))";
        let statement = self.db()?.prepare(sql).bind(&[json(&ids)?.into()]);
        let done = statement.map_err(port_error)?.run().await;
        done.map_err(port_error).map(|_| ())
    }

    /// Has the bot's sources looked after when nobody has asked for vectors of their chunks.
    ///
    /// # Errors
    /// The database failed, or the object cannot be reached.
    pub async fn wake_embedder(&self, shelf: &Shelf) -> Result<(), PortError> {
        let sql = "SELECT 1 AS found FROM source INDEXED BY source_to_embed \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded <> generation LIMIT 1";
        let found: Vec<Value> = self.rows(shelf, sql, &[]).await?;
        if found.is_empty() {
            return Ok(());
        }
        self.look(shelf, "", "", 0).await
    }
}
