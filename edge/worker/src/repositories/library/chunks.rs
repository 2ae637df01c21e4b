//! Texts and chunks: the next generation is written beside the one that answers, replaces it in one update, and the old one
//! is deleted.

use bulle_edge_core::{
    ports::PortError,
    sources::content::{self, Entry, Prepared},
};
use serde::{Deserialize, Serialize};

use super::{BotKey, Library, Validators, of};
use crate::d1::{Database, Value, to_json, values};

/// Most chunks that are deleted at once.
const SWEPT: usize = 500;

/// Most chunks that are looked up at once for deletion.
const STALE: u32 = 10_000;

/// A revision of a source.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The source.
    pub id: &'t str,
    /// The revision that is indexed.
    pub revision: u32,
}

/// The next generation of a source, as far as it is written.
pub struct Staged {
    /// The generation.
    pub generation: u32,
    /// Chunks of it that are written.
    pub written: usize,
}

#[derive(Deserialize)]
struct StagedRow {
    generation: u32,
    staged: String,
    written: u32,
}

#[derive(Deserialize)]
struct ChunkId {
    id: i64,
}

/// A chunk as a member of a JSON parameter.
#[derive(Serialize)]
struct Row<'r> {
    position: usize,
    heading: &'r str,
    anchor: &'r str,
    text: &'r str,
    /// Index words of the heading.
    under: &'r str,
    /// Index words of the text.
    body: &'r str,
    /// What ranking needs.
    words: &'r str,
}

impl<'r> From<&'r Entry<'_>> for Row<'r> {
    fn from(entry: &'r Entry<'_>) -> Self {
        Self {
            position: entry.position,
            heading: &entry.chunk.heading,
            anchor: &entry.chunk.anchor,
            text: &entry.chunk.text,
            under: &entry.columns.heading,
            body: &entry.columns.body,
            words: &entry.columns.words,
        }
    }
}

impl<D: Database> Library<D> {
    /// Continues the next generation of a source when it was begun with this content, or begins it: its text is written
    /// before its chunks. `None` when the source is gone or has another revision by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn stage(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Staged>, PortError> {
        let this = values![target.id, target.revision];
        let with = |more: Vec<Value>| [this.clone(), more].concat();
        let sql = "SELECT generation + 1 AS generation, staged, (SELECT count(*) FROM chunk WHERE chunk.tenant_id = ?1 \
                   AND chunk.bot_id = ?2 AND chunk.source_id = ?3 AND chunk.generation = source.generation + 1) AS written \
                   FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let row: Option<StagedRow> = self.0.first(of(bot_key, sql, this.clone())).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        if row.staged == prepared.fingerprint {
            return Ok(Some(Staged {
                generation: row.generation,
                written: row.written as usize,
            }));
        }
        // Chunks of other content that were written before are deleted first.
        let unstage = "UPDATE source SET staged = '' WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let texts = "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 AND source_id = ?3 AND generation >= ?4";
        let unstage = of(bot_key, unstage, this.clone());
        let texts = of(bot_key, texts, values![target.id, row.generation]);
        self.0.batch([unstage, texts]).await?;
        self.sweep(bot_key, &[target.id.to_owned()]).await?;
        for (number, part) in content::parts(&prepared.document.body).iter().enumerate() {
            let sql = "INSERT OR REPLACE INTO source_text (tenant_id, bot_id, source_id, generation, part, text) \
                       SELECT ?1, ?2, id, ?5, ?6, ?7 FROM source \
                       WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
            let values = with(values![row.generation, number as u32, *part]);
            self.0.execute(of(bot_key, sql, values)).await?;
        }
        let sql = "UPDATE source SET staged = ?5, done = 0, total = ?6, attempts = 0 \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 RETURNING id";
        let values = with(values![&prepared.fingerprint, prepared.chunks.len() as u32]);
        let begun = self.0.any(of(bot_key, sql, values)).await?;
        Ok(begun.then_some(Staged {
            generation: row.generation,
            written: 0,
        }))
    }

    /// Writes the next chunks of the staged generation. Nothing is written when the source is gone or has another revision
    /// by now, or when the chunks are written already.
    ///
    /// # Errors
    /// The database failed; then none of them is written.
    pub async fn write(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        (prepared, staged): (&Prepared, &Staged),
        batch: &[Entry<'_>],
    ) -> Result<(), PortError> {
        let rows: Vec<Row<'_>> = batch.iter().map(Row::from).collect();
        let rows = to_json(&rows)?;
        let done = (staged.written + batch.len()) as u32;
        // All chunks of a document have the same scope and title.
        let columns = batch.first().map(|entry| &entry.columns);
        let (scope, title) = columns.map_or(("", ""), |columns| (&*columns.scope, &*columns.title));
        let this = values![
            target.id,
            target.revision,
            &prepared.fingerprint,
            staged.generation,
        ];
        let with = |more: Vec<Value>| [this.clone(), more].concat();
        let chunks = of(
            bot_key,
            "INSERT INTO chunk (tenant_id, bot_id, source_id, generation, position, heading, anchor, text, words) \
             SELECT ?1, ?2, source.id, ?6, value ->> 'position', value ->> 'heading', value ->> 'anchor', \
             value ->> 'text', value ->> 'words' FROM source, json_each(?7) WHERE source.tenant_id = ?1 AND source.bot_id = ?2 \
             AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5 AND NOT EXISTS (SELECT 1 FROM chunk \
             AS there WHERE there.tenant_id = ?1 AND there.bot_id = ?2 AND there.source_id = ?3 \
             AND there.generation = ?6 AND there.position = value ->> 'position')",
            with(values![&rows]),
        );
        let index = of(
            bot_key,
            "INSERT INTO chunk_fts (rowid, scope, title, heading, body) \
             SELECT chunk.id, ?8, ?9, value ->> 'under', value ->> 'body' FROM source CROSS JOIN json_each(?7) \
             CROSS JOIN chunk ON chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = ?3 \
             AND chunk.generation = ?6 AND chunk.position = value ->> 'position' \
             WHERE source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = ?3 AND source.revision = ?4 \
             AND source.staged = ?5 AND source.done < ?10",
            with(values![&rows, scope, title, done]),
        );
        let progress = of(
            bot_key,
            "UPDATE source SET done = ?7, attempts = 0 WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 \
             AND revision = ?4 AND staged = ?5 AND generation + 1 = ?6",
            with(values![done]),
        );
        self.0.batch([chunks, index, progress]).await.map(drop)
    }

    /// Makes the staged generation answer in place of the present one. False when the source is gone or has another revision
    /// by now.
    ///
    /// # Errors
    /// The database failed; then the present generation goes on answering.
    pub async fn swap(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        (prepared, staged): (&Prepared, &Staged),
        (next_at, validators): (Option<u64>, &Validators),
        now_ms: u64,
    ) -> Result<bool, PortError> {
        let document = &prepared.document;
        let this = values![target.id, target.revision, &prepared.fingerprint];
        let with = |more: Vec<Value>| [this.clone(), more].concat();
        let retire = of(
            bot_key,
            "UPDATE chunk SET retired_title = source.title FROM source WHERE source.tenant_id = ?1 \
             AND source.bot_id = ?2 AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5 \
             AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = ?3 \
             AND chunk.generation = source.generation AND chunk.retired_title IS NULL",
            this.clone(),
        );
        let texts = of(
            bot_key,
            "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 AND source_id = ?3 AND generation < ?6 \
             AND EXISTS (SELECT 1 FROM source WHERE source.tenant_id = ?1 AND source.bot_id = ?2 \
             AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5)",
            with(values![staged.generation]),
        );
        let source = of(
            bot_key,
            "UPDATE source SET generation = ?6, staged = '', status = 'ready', reason = '', detail = '', title = ?7, \
             language = ?8, url = ?9, checksum = ?10, bytes = ?11, done = total, attempts = 0, next_at = ?12, \
             etag = ?13, last_modified = ?14, indexed_at = ?15, updated_at = ?15, version = version + 1 \
             WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 AND staged = ?5 RETURNING id",
            with(values![
                staged.generation,
                &document.title,
                &document.language,
                &document.url,
                &prepared.checksum,
                prepared.bytes,
                next_at,
                &validators.etag,
                &validators.last_modified,
                now_ms,
            ]),
        );
        let [.., swapped] = self.0.batch([retire, texts, source]).await?;
        Ok(!swapped.is_empty())
    }

    /// Deletes the chunks of these sources that neither answer nor are being written. Chunks that an answer quoted are only
    /// taken out of the index.
    ///
    /// # Errors
    /// The database failed; the rest is deleted the next time.
    pub async fn sweep(&self, bot_key: &BotKey, ids: &[String]) -> Result<(), PortError> {
        let ids = to_json(ids)?;
        loop {
            let sql = "SELECT chunk.id FROM chunk LEFT JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 \
                       AND source.id = chunk.source_id WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 \
                       AND chunk.source_id IN (SELECT value FROM json_each(?3)) AND chunk.generation >= 0 \
                       AND (source.id IS NULL OR chunk.generation <> source.generation \
                       AND (source.staged = '' OR chunk.generation <> source.generation + 1)) LIMIT ?4";
            let rows: Vec<ChunkId> = self.0.rows(of(bot_key, sql, values![&ids, STALE])).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let chunks: Vec<i64> = rows.iter().map(|row| row.id).collect();
            for chunks in chunks.chunks(SWEPT) {
                self.retire(bot_key, chunks).await?;
            }
        }
    }

    /// Deletes chunks; those that an answer quoted are only taken out of the index.
    async fn retire(&self, bot_key: &BotKey, chunks: &[i64]) -> Result<(), PortError> {
        let chunks = values![to_json(chunks)?];
        // NOT INDEXED makes SQLite find them by their ids, not among all chunks of the bot.
        let index = "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk NOT INDEXED WHERE tenant_id = ?1 \
                     AND bot_id = ?2 AND id IN (SELECT value FROM json_each(?3)))";
        let delete = "DELETE FROM chunk NOT INDEXED WHERE tenant_id = ?1 AND bot_id = ?2 \
                      AND id IN (SELECT value FROM json_each(?3)) AND id NOT IN (SELECT json_each.value FROM message, \
                      json_each(message.evidence, '$.prompt.passages') \
                      WHERE message.tenant_id = ?1 AND message.role = 'assistant')";
        let keep = "UPDATE chunk NOT INDEXED SET generation = -1, words = NULL, retired_title = coalesce(retired_title, '') \
                    WHERE tenant_id = ?1 AND bot_id = ?2 AND id IN (SELECT value FROM json_each(?3))";
        let statements = [index, delete, keep].map(|sql| of(bot_key, sql, chunks.clone()));
        self.0.batch(statements).await.map(drop)
    }

    /// Deletes parts of a collection with their texts and chunks.
    ///
    /// # Errors
    /// The database failed; the rest is deleted the next time.
    pub async fn remove_parts(
        &self,
        bot_key: &BotKey,
        whole: Target<'_>,
        ids: &[String],
    ) -> Result<(), PortError> {
        if ids.is_empty() {
            return Ok(());
        }
        let values = values![whole.id, whole.revision, to_json(ids)?];
        let parts = "(SELECT part.id FROM source AS part JOIN source AS whole ON whole.tenant_id = ?1 \
                     AND whole.bot_id = ?2 AND whole.id = ?3 AND whole.revision = ?4 WHERE part.tenant_id = ?1 \
                     AND part.bot_id = ?2 AND part.parent = whole.id AND part.id IN (SELECT value FROM json_each(?5)))";
        let retire = format!(
            "UPDATE chunk SET retired_title = coalesce(retired_title, (SELECT title FROM source WHERE source.tenant_id = ?1 \
             AND source.bot_id = ?2 AND source.id = chunk.source_id)) WHERE tenant_id = ?1 AND bot_id = ?2 \
             AND source_id IN {parts}"
        );
        let texts = format!(
            "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 AND source_id IN {parts}"
        );
        let rows =
            format!("DELETE FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND id IN {parts}");
        let statements = [retire, texts, rows].map(|sql| of(bot_key, sql, values.clone()));
        self.0.batch(statements).await?;
        self.sweep(bot_key, ids).await
    }
}
