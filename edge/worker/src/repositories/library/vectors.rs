//! The vectors of chunks: which chunks have one in the vector index, and which vectors are to be deleted there.
//!
//! A chunk is marked before its vector is sent and again when the vector is there. Work that was interrupted between the two
//! is repeated under the same id, and a trigger notes the vector of a deleted chunk (`0007_meaning.sql`).

use bulle_edge_core::ports::PortError;
use serde::Deserialize;

use super::{BotKey, Library, of};
use crate::d1::{Database, Statement, to_json, values};

/// Sources whose chunks are marked at once.
const SOURCES: u32 = 20;

/// Vectors that are deleted at once.
const UNWANTED: u32 = 100;

/// A chunk without a vector.
#[derive(Deserialize)]
pub struct Unembedded {
    /// The id of its vector.
    pub id: String,
    title: String,
    heading: String,
    text: String,
}

impl Unembedded {
    /// The text that is embedded.
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

impl<D: Database> Library<D> {
    /// At most `most` answering chunks of the bot without a vector; and whether there may be more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unembedded(
        &self,
        bot_key: &BotKey,
        most: u32,
        now_ms: u64,
    ) -> Result<(Vec<Unembedded>, bool), PortError> {
        // The plus signs keep SQLite from reading all chunks of the bot.
        let mark = of(
            bot_key,
            "UPDATE chunk SET embedded = -?3 WHERE +tenant_id = ?1 AND +bot_id = ?2 AND embedded = 0 AND id IN \
             (SELECT chunk.id FROM (SELECT id, generation FROM source INDEXED BY source_to_embed \
             WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded <> generation ORDER BY id LIMIT ?4) AS unasked \
             CROSS JOIN chunk ON chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = unasked.id \
             AND chunk.generation = unasked.generation)",
            values![now_ms, SOURCES],
        );
        let sources = of(
            bot_key,
            "UPDATE source SET embedded = generation WHERE tenant_id = ?1 AND bot_id = ?2 AND id IN (SELECT id \
             FROM source INDEXED BY source_to_embed WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND embedded <> generation ORDER BY id LIMIT ?3) RETURNING id",
            values![SOURCES],
        );
        let chunks = of(
            bot_key,
            "SELECT chunk.id || '-' || -chunk.embedded AS id, source.title, chunk.heading, chunk.text \
             FROM chunk INDEXED BY chunk_to_embed CROSS JOIN source ON source.tenant_id = ?1 \
             AND source.bot_id = ?2 AND source.id = chunk.source_id AND source.generation = chunk.generation \
             WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.embedded < 0 LIMIT ?3",
            values![most],
        );
        let [_, marked, chunks] = self.0.batch([mark, sources, chunks]).await?;
        let chunks: Vec<Unembedded> = chunks.list()?;
        let more = !marked.is_empty() || !chunks.is_empty();
        Ok((chunks, more))
    }

    /// Notes that the vectors of these chunks are in the index.
    ///
    /// # Errors
    /// The database failed; then they are sent again.
    pub async fn embedded(&self, bot_key: &BotKey, chunks: &[Unembedded]) -> Result<(), PortError> {
        let ids: Vec<&str> = chunks.iter().map(|chunk| chunk.id.as_str()).collect();
        let sql = "UPDATE chunk SET embedded = -embedded WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded < 0 \
                   AND id IN (SELECT CAST(value AS INTEGER) FROM json_each(?3)) \
                   AND id || '-' || -embedded IN (SELECT value FROM json_each(?3))";
        self.0
            .execute(of(bot_key, sql, values![to_json(&ids)?]))
            .await
    }

    /// At most 100 vectors that are to be deleted, of all bots: the table knows them by their ids only.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unwanted_vectors(&self) -> Result<Vec<String>, PortError> {
        let sql = "SELECT id FROM vector_unwanted LIMIT ?1";
        let rows: Vec<VectorId> = self.0.rows(Statement::new(sql, values![UNWANTED])).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Notes that these vectors are deleted.
    ///
    /// # Errors
    /// The database failed; then they are deleted again.
    pub async fn vectors_deleted(&self, ids: &[String]) -> Result<(), PortError> {
        let sql = "DELETE FROM vector_unwanted WHERE id IN (SELECT value FROM json_each(?1))";
        self.0
            .execute(Statement::new(sql, values![to_json(ids)?]))
            .await
    }

    /// Whether the bot has sources whose chunks are not marked for vectors.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_unmarked(&self, bot_key: &BotKey) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS found FROM source INDEXED BY source_to_embed \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND embedded <> generation LIMIT 1";
        self.0.any(of(bot_key, sql, values![])).await
    }
}
