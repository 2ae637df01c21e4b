//! What ranking needs of chunks: it is stored with them, except by the releases before `0011_words.sql`.

use bulle_edge_core::{ports::PortError, search::stored_words};
use serde::{Deserialize, Serialize};

use super::{BotKey, Library, of};
use crate::d1::{Database, to_json, values};

/// Chunks that are computed at once.
const BATCH: u32 = 100;

#[derive(Deserialize)]
struct Row {
    id: i64,
    heading: String,
    text: String,
    language: String,
}

#[derive(Serialize)]
struct Computed {
    id: i64,
    words: String,
}

impl<D: Database> Library<D> {
    /// Computes and stores what ranking needs of some chunks of the bot that lack it. Returns whether there may be more.
    ///
    /// # Errors
    /// The database failed; the chunks are ranked from their texts meanwhile.
    pub async fn store_words(&self, bot_key: &BotKey) -> Result<bool, PortError> {
        let sql = "SELECT chunk.id, chunk.heading, chunk.text, source.language \
                   FROM chunk INDEXED BY chunk_without_words CROSS JOIN source ON source.tenant_id = ?1 \
                   AND source.bot_id = ?2 AND source.id = chunk.source_id AND source.generation = chunk.generation \
                   WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.words IS NULL AND chunk.generation >= 0 \
                   LIMIT ?3";
        let rows: Vec<Row> = self.0.rows(of(bot_key, sql, values![BATCH])).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let computed = rows.iter().map(|row| Computed {
            id: row.id,
            words: stored_words(&row.heading, &row.text, &row.language),
        });
        let computed: Vec<Computed> = computed.collect();
        // A chunk that was replaced in between has its words, whatever its id.
        let sql = "UPDATE chunk SET words = asked.value ->> 'words' FROM json_each(?3) AS asked \
                   WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.id = asked.value ->> 'id' \
                   AND chunk.words IS NULL";
        let update = of(bot_key, sql, values![to_json(&computed)?]);
        self.0.execute(update).await?;
        Ok(true)
    }
}
