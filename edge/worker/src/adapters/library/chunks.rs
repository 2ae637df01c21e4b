//! Texts and chunks: written beside those that answer, made to answer all at once, and taken away when they no longer do.

use bulle_edge_core::{
    ports::PortError,
    sources::content::{self, Entry, Prepared},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::wasm_bindgen::JsValue;

use super::{Shelf, Validators, json, results};
use crate::adapters::{Edge, nullable, time};

/// Most chunks that are taken away at once.
const SWEPT: usize = 500;

/// Most chunks that are looked up at once to be taken away.
const STALE: u32 = 10_000;

/// A source, and what is to be indexed of it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// Its id.
    pub id: &'t str,
    /// Of what.
    pub revision: u32,
}

/// What is written of a source's next generation.
pub struct Staged {
    /// The generation.
    pub generation: u32,
    /// Its chunks that are written.
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

/// A chunk on its way.
#[derive(Serialize)]
struct Row<'r> {
    position: usize,
    heading: &'r str,
    anchor: &'r str,
    text: &'r str,
    /// Words of the index: of the heading, and of the text.
    under: &'r str,
    body: &'r str,
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
        }
    }
}

impl Edge {
    /// Finds what is written of this content already, or begins it: text first. Nothing when the source is gone or is to
    /// be another by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn stage(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Staged>, PortError> {
        let sql = "SELECT generation + 1 AS generation, staged, (SELECT count(*) FROM chunk WHERE chunk.tenant_id = ?1 \
                   AND chunk.bot_id = ?2 AND chunk.source_id = ?3 AND chunk.generation = source.generation + 1) AS written \
                   FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let values = [target.id.into(), target.revision.into()];
        let rows: Vec<StagedRow> = self.rows(shelf, sql, &values).await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        if row.staged == prepared.fingerprint {
            return Ok(Some(Staged {
                generation: row.generation,
                written: row.written as usize,
            }));
        }
        // What was begun of something else goes first.
        let mut statements = vec![
            self.shelved(
                shelf,
                "UPDATE source SET staged = '' WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4",
                &values,
            )?,
            self.shelved(
                shelf,
                "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 AND source_id = ?3 AND generation >= ?4",
                &[target.id.into(), row.generation.into()],
            )?,
        ];
        self.batch(std::mem::take(&mut statements)).await?;
        self.sweep(shelf, &[target.id.to_owned()]).await?;
        for (number, part) in content::parts(&prepared.document.body).iter().enumerate() {
            let sql = "INSERT OR REPLACE INTO source_text (tenant_id, bot_id, source_id, generation, part, text) \
                       SELECT ?1, ?2, id, ?5, ?6, ?7 FROM source \
                       WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
            let mut values = values.to_vec();
            values.extend([
                row.generation.into(),
                (number as u32).into(),
                (*part).into(),
            ]);
            self.write_row(shelf, sql, &values).await?;
        }
        let sql = "UPDATE source SET staged = ?5, done = 0, total = ?6, attempts = 0 \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 RETURNING id";
        let mut values = values.to_vec();
        values.extend([
            prepared.fingerprint.as_str().into(),
            (prepared.chunks.len() as u32).into(),
        ]);
        let begun: Vec<Value> = self.rows(shelf, sql, &values).await?;
        Ok((!begun.is_empty()).then_some(Staged {
            generation: row.generation,
            written: 0,
        }))
    }

    /// Writes the next chunks of what is staged. Nothing is written when the source is gone or is to be another by now, or
    /// when they are written already.
    ///
    /// # Errors
    /// The database failed; then none of them is written.
    pub async fn write(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        (prepared, staged): (&Prepared, &Staged),
        batch: &[Entry<'_>],
    ) -> Result<(), PortError> {
        let rows: Vec<Row<'_>> = batch.iter().map(Row::from).collect();
        let rows = json(&rows)?;
        let done = (staged.written + batch.len()) as u32;
        // The same for all.
        let columns = batch.first().map(|entry| &entry.columns);
        let (scope, title) = columns.map_or(("", ""), |columns| (&*columns.scope, &*columns.title));
        let common = [
            target.id.into(),
            target.revision.into(),
            prepared.fingerprint.as_str().into(),
            staged.generation.into(),
        ];
        let with = |more: Vec<JsValue>| [common.to_vec(), more].concat();
        let statements = vec![
            self.shelved(
                shelf,
                "INSERT INTO chunk (tenant_id, bot_id, source_id, generation, position, heading, anchor, text) \
                 SELECT ?1, ?2, source.id, ?6, value ->> 'position', value ->> 'heading', value ->> 'anchor', \
                 value ->> 'text' FROM source, json_each(?7) WHERE source.tenant_id = ?1 AND source.bot_id = ?2 \
                 AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5 AND NOT EXISTS (SELECT 1 FROM chunk \
                 AS there WHERE there.tenant_id = ?1 AND there.bot_id = ?2 AND there.source_id = ?3 \
                 AND there.generation = ?6 AND there.position = value ->> 'position')",
                &with(vec![rows.as_str().into()]),
            )?,
            self.shelved(
                shelf,
                "INSERT INTO chunk_fts (rowid, scope, title, heading, body) \
                 SELECT chunk.id, ?8, ?9, value ->> 'under', value ->> 'body' FROM source CROSS JOIN json_each(?7) \
                 CROSS JOIN chunk ON chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = ?3 \
                 AND chunk.generation = ?6 AND chunk.position = value ->> 'position' \
                 WHERE source.tenant_id = ?1 AND source.bot_id = ?2 AND source.id = ?3 AND source.revision = ?4 \
                 AND source.staged = ?5 AND source.done < ?10",
                &with(vec![
                    rows.as_str().into(),
                    scope.into(),
                    title.into(),
                    done.into(),
                ]),
            )?,
            self.shelved(
                shelf,
                "UPDATE source SET done = ?7, attempts = 0 WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 \
                 AND revision = ?4 AND staged = ?5 AND generation + 1 = ?6",
                &with(vec![done.into()]),
            )?,
        ];
        self.batch(statements).await.map(|_| ())
    }

    /// Makes what is staged answer in place of what answered. False when the source is gone or is to be another by now.
    ///
    /// # Errors
    /// The database failed; then the old one goes on answering.
    pub async fn swap(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        (prepared, staged): (&Prepared, &Staged),
        (next_at, validators): (Option<u64>, &Validators),
        now_ms: u64,
    ) -> Result<bool, PortError> {
        let document = &prepared.document;
        let common = [
            target.id.into(),
            target.revision.into(),
            prepared.fingerprint.as_str().into(),
        ];
        let statements = vec![
            self.shelved(
                shelf,
                "UPDATE chunk SET retired_title = source.title FROM source WHERE source.tenant_id = ?1 \
                 AND source.bot_id = ?2 AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5 \
                 AND chunk.tenant_id = ?1 AND chunk.bot_id = ?2 AND chunk.source_id = ?3 \
                 AND chunk.generation = source.generation AND chunk.retired_title IS NULL",
                &common,
            )?,
            self.shelved(
                shelf,
                "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 AND source_id = ?3 AND generation < ?6 \
                 AND EXISTS (SELECT 1 FROM source WHERE source.tenant_id = ?1 AND source.bot_id = ?2 \
                 AND source.id = ?3 AND source.revision = ?4 AND source.staged = ?5)",
                &[common.to_vec(), vec![staged.generation.into()]].concat(),
            )?,
            self.shelved(
                shelf,
                "UPDATE source SET generation = ?6, staged = '', status = 'ready', reason = '', detail = '', title = ?7, \
                 language = ?8, url = ?9, checksum = ?10, bytes = ?11, done = total, attempts = 0, next_at = ?12, \
                 etag = ?13, last_modified = ?14, indexed_at = ?15, updated_at = ?15, version = version + 1 \
                 WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 AND staged = ?5 RETURNING id",
                &[
                    common.to_vec(),
                    vec![
                        staged.generation.into(),
                        document.title.as_str().into(),
                        document.language.as_str().into(),
                        document.url.as_str().into(),
                        prepared.checksum.as_str().into(),
                        time(prepared.bytes),
                        nullable(next_at.map(time)),
                        validators.etag.as_str().into(),
                        validators.last_modified.as_str().into(),
                        time(now_ms),
                    ],
                ]
                .concat(),
            )?,
        ];
        let done = self.batch(statements).await?;
        let swapped: Vec<Value> = done.last().map(results).transpose()?.unwrap_or_default();
        Ok(!swapped.is_empty())
    }

    /// Takes away the chunks of these sources that neither answer nor are being written. What an answer quoted stays, out
    /// of the index.
    ///
    /// # Errors
    /// The database failed; the rest is taken away the next time.
    pub async fn sweep(&self, shelf: &Shelf, ids: &[String]) -> Result<(), PortError> {
        let ids = json(&ids)?;
        loop {
            let sql = "SELECT chunk.id FROM chunk LEFT JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 \
                       AND source.id = chunk.source_id WHERE chunk.tenant_id = ?1 AND chunk.bot_id = ?2 \
                       AND chunk.source_id IN (SELECT value FROM json_each(?3)) AND chunk.generation >= 0 \
                       AND (source.id IS NULL OR chunk.generation <> source.generation \
                       AND (source.staged = '' OR chunk.generation <> source.generation + 1)) LIMIT ?4";
            let rows: Vec<ChunkId> = self
                .rows(shelf, sql, &[ids.as_str().into(), STALE.into()])
                .await?;
            if rows.is_empty() {
                return Ok(());
            }
            let chunks: Vec<i64> = rows.iter().map(|row| row.id).collect();
            for chunks in chunks.chunks(SWEPT) {
                self.retire(shelf, chunks).await?;
            }
        }
    }

    /// Takes chunks away, and what an answer quoted out of the index only.
    async fn retire(&self, shelf: &Shelf, chunks: &[i64]) -> Result<(), PortError> {
        let chunks = [json(&chunks)?.into()];
        // NOT INDEXED: they are found by their ids, not among all that the bot has.
        let statements = vec![
            self.shelved(
                shelf,
                "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk NOT INDEXED WHERE tenant_id = ?1 AND bot_id = ?2 \
                 AND id IN (SELECT value FROM json_each(?3)))",
                &chunks,
            )?,
            self.shelved(
                shelf,
                "DELETE FROM chunk NOT INDEXED WHERE tenant_id = ?1 AND bot_id = ?2 \
                 AND id IN (SELECT value FROM json_each(?3)) AND id NOT IN (SELECT json_each.value FROM message, \
                 json_each(message.evidence, '$.prompt.passages') \
                 WHERE message.tenant_id = ?1 AND message.role = 'assistant')",
                &chunks,
            )?,
            self.shelved(
                shelf,
                "UPDATE chunk NOT INDEXED SET generation = -1, retired_title = coalesce(retired_title, '') \
                 WHERE tenant_id = ?1 AND bot_id = ?2 AND id IN (SELECT value FROM json_each(?3))",
                &chunks,
            )?,
        ];
        self.batch(statements).await.map(|_| ())
    }

    /// Deletes parts of a collection, with all that was made of them.
    ///
    /// # Errors
    /// The database failed; what is left is deleted the next time.
    pub async fn remove_parts(
        &self,
        shelf: &Shelf,
        whole: Target<'_>,
        ids: &[String],
    ) -> Result<(), PortError> {
        if ids.is_empty() {
            return Ok(());
        }
        let values = [whole.id.into(), whole.revision.into(), json(&ids)?.into()];
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
        let statements = vec![
            self.shelved(shelf, &retire, &values)?,
            self.shelved(shelf, &texts, &values)?,
            self.shelved(shelf, &rows, &values)?,
        ];
        self.batch(statements).await?;
        self.sweep(shelf, ids).await
    }
}
