//! The sources of bots with their texts and chunks, as the indexer writes them.
//!
//! Every statement has the tenant as `?1` and the bot as `?2`. Nothing is written for a source that was deleted or has
//! another revision by now: the statement looks at the row of the source itself.

mod chunks;
mod vectors;
mod words;

pub use chunks::Target;
pub use vectors::Unembedded;

use bulle_edge_core::{
    ports::PortError,
    sources::{Failure, SourceKind, spec::SourceFields},
};
use serde::Deserialize;
use std::borrow::Cow;

use crate::d1::{Database, Statement, Value, from_json, to_json, to_name, values};

/// The index of the bots' sources, as the indexer writes it.
pub struct Library<D>(pub D);

/// The key of a bot.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct BotKey {
    /// The tenant.
    pub tenant_id: String,
    /// The bot.
    pub bot_id: String,
}

/// A source and the time at which it is due.
#[derive(Deserialize)]
pub struct DueSource {
    /// Its id.
    pub id: String,
    /// Kind of the source.
    pub kind: SourceKind,
    /// Unix milliseconds.
    pub next_at: f64,
}

/// The columns of a source that the indexer needs.
#[derive(Deserialize)]
pub struct IngestJob {
    /// Unique within the bot.
    pub id: String,
    /// Decides how it is read.
    pub kind: SourceKind,
    given: String,
    /// Grows when the owner asks for other content: an attempt at an older revision is given up.
    pub revision: u32,
    /// Attempts since the last progress.
    pub attempts: u32,
    /// SHA-256 of the content that was indexed last.
    pub checksum: String,
    /// `ETag` of the page, for conditional requests.
    pub etag: String,
    /// `Last-Modified` of the page, for conditional requests.
    pub last_modified: String,
    /// Seconds after which the source is fetched again.
    pub refresh_seconds: Option<u32>,
}

impl IngestJob {
    /// The owner's description of the source.
    ///
    /// # Errors
    /// The column cannot be read.
    pub fn given(&self) -> Result<SourceFields, PortError> {
        from_json(&self.given).map_err(|e| PortError(format!("source {}: {e}", self.id)))
    }
}

/// Headers of a response that make the next request for the same address conditional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: String,
    /// `Last-Modified`.
    pub last_modified: String,
}

/// The outcome of an attempt.
pub enum AttemptResult {
    /// The content is the one that is indexed.
    Unchanged {
        /// When it is fetched again.
        next_at: Option<u64>,
        /// For the next request.
        validators: Validators,
    },
    /// A collection is read.
    Collected {
        /// When it is fetched again.
        next_at: Option<u64>,
        /// The title of the collection itself, which an owner's title overrides.
        title: Option<String>,
        /// For the next request.
        validators: Validators,
        /// What could not be read of it, though the rest is.
        note: Option<Failure>,
    },
    /// The attempt failed for good until the time, if any, of the next refresh.
    Failed(Failure, Option<u64>),
    /// The attempt failed and is repeated at the time.
    Again(Failure, u64),
}

#[derive(Deserialize)]
struct Attempts {
    attempts: u32,
}

#[derive(Deserialize)]
struct At {
    at: Option<f64>,
}

/// A source that exists.
#[derive(Deserialize)]
pub struct StoredFile {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file.
    pub checksum: Option<String>,
}

/// A part of a collection.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// Its id.
    pub id: String,
    /// Its address.
    pub url: String,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

impl<D: Database> Library<D> {
    /// Whether the bot exists.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bot_exists(&self, bot_key: &BotKey) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS found FROM bot WHERE tenant_id = ?1 AND id = ?2";
        self.0.any(of(bot_key, sql, values![])).await
    }

    /// The ids of a tenant's bots.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bot_ids(&self, tenant_id: &str) -> Result<Vec<String>, PortError> {
        let sql = "SELECT id FROM bot WHERE tenant_id = ?1";
        let rows = self.0.rows(Statement::new(sql, values![tenant_id])).await?;
        Ok(ids(rows))
    }

    /// The keys of the sites that show the bot.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sites_of(&self, bot_key: &BotKey) -> Result<Vec<String>, PortError> {
        let sql = "SELECT key AS id FROM site WHERE tenant_id = ?1 AND bot_id = ?2";
        Ok(ids(self.0.rows(of(bot_key, sql, values![])).await?))
    }

    /// The sources that are due now, sites last: at most 50.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due(&self, bot_key: &BotKey, now_ms: u64) -> Result<Vec<DueSource>, PortError> {
        let sql = "SELECT id, kind, next_at FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
                   AND next_at <= ?3 ORDER BY kind = 'site', next_at LIMIT 50";
        self.0.rows(of(bot_key, sql, values![now_ms])).await
    }

    /// The time (Unix milliseconds) at which the next source that is not due now becomes due.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due_later(&self, bot_key: &BotKey, now_ms: u64) -> Result<Option<u64>, PortError> {
        let sql = "SELECT min(next_at) AS at FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND next_at > ?3";
        let row: Option<At> = self.0.first(of(bot_key, sql, values![now_ms])).await?;
        Ok(row.and_then(|row| row.at).map(|at| at as u64))
    }

    /// The existing ones of these sources, each with the checksum of its present file.
    ///
    /// # Errors
    /// The database failed.
    pub async fn files_of(
        &self,
        bot_key: &BotKey,
        ids: &[String],
    ) -> Result<Vec<StoredFile>, PortError> {
        let sql = "SELECT id, given ->> '$.file.checksum' AS checksum FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
                   AND id IN (SELECT value FROM json_each(?3))";
        self.0.rows(of(bot_key, sql, values![to_json(ids)?])).await
    }

    /// A source.
    ///
    /// # Errors
    /// The database failed.
    pub async fn job(&self, bot_key: &BotKey, id: &str) -> Result<Option<IngestJob>, PortError> {
        let sql = "SELECT id, kind, given, revision, attempts, checksum, etag, last_modified, refresh_seconds \
                   FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3";
        self.0.first(of(bot_key, sql, values![id])).await
    }

    /// Begins an attempt: its number, from 1. `None` when the source has another revision by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        now_ms: u64,
    ) -> Result<Option<u32>, PortError> {
        let sql = "UPDATE source SET attempts = attempts + 1, updated_at = ?5, \
                   version = version + (status <> 'indexing'), status = 'indexing' \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 RETURNING attempts";
        let values = values![target.id, target.revision, now_ms];
        let row: Option<Attempts> = self.0.first(of(bot_key, sql, values)).await?;
        Ok(row.map(|row| row.attempts))
    }

    /// Stores how many pages of a collection are done.
    ///
    /// # Errors
    /// The database failed.
    pub async fn show_progress(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        (done, total): (u32, u32),
    ) -> Result<(), PortError> {
        let sql = "UPDATE source SET done = ?5, total = ?6, attempts = 0 \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let values = values![target.id, target.revision, done, total];
        self.0.execute(of(bot_key, sql, values)).await
    }

    /// Ends an attempt.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end(
        &self,
        bot_key: &BotKey,
        target: Target<'_>,
        end: &AttemptResult,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let none = Validators::default();
        let (status, failure, next_at, validators, title, counted) = match end {
            AttemptResult::Unchanged {
                next_at,
                validators,
            } => ("ready", None, *next_at, validators, None, true),
            AttemptResult::Collected {
                next_at,
                title,
                validators,
                note,
            } => {
                let title = title.as_deref();
                ("ready", note.as_ref(), *next_at, validators, title, true)
            }
            AttemptResult::Failed(failure, next_at) => {
                ("failed", Some(failure), *next_at, &none, None, true)
            }
            AttemptResult::Again(failure, at) => {
                ("queued", Some(failure), Some(*at), &none, None, false)
            }
        };
        let sql = "UPDATE source SET status = ?5, reason = ?6, detail = ?7, next_at = ?8, updated_at = ?9, \
                   attempts = CASE WHEN ?10 THEN 0 ELSE attempts END, version = version + 1, \
                   etag = CASE WHEN ?11 = '' THEN etag ELSE ?11 END, \
                   last_modified = CASE WHEN ?12 = '' THEN last_modified ELSE ?12 END, \
                   title = coalesce(given ->> 'title', ?13, title), \
                   indexed_at = CASE WHEN ?5 = 'ready' AND kind IN ('site', 'feed') THEN ?9 ELSE indexed_at END \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let code = failure.map(|failure| to_name(&failure.code)).transpose()?;
        let values = values![
            target.id,
            target.revision,
            status,
            code.unwrap_or_default(),
            failure.map_or("", |failure| failure.detail.as_str()),
            next_at,
            now_ms,
            counted,
            &validators.etag,
            &validators.last_modified,
            title,
        ];
        self.0.execute(of(bot_key, sql, values)).await
    }

    /// Gives a source another file. False when it has another version by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replace_file(
        &self,
        bot_key: &BotKey,
        (id, version): (&str, u64),
        given: &SourceFields,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        // Fields that the upload does not give keep their values.
        let sql = "UPDATE source SET given = json_patch(given, ?5), revision = revision + 1, attempts = 0, reason = '', \
                   detail = '', status = 'queued', next_at = ?6, updated_at = ?6, version = version + 1, \
                   checksum = iif(json_extract(json_patch(given, ?5), '$.title', '$.language', '$.url') \
                   = json_extract(given, '$.title', '$.language', '$.url'), checksum, '') \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND version = ?4 AND kind = 'file' \
                   AND parent IS NULL RETURNING id";
        let values = values![id, version, to_json(given)?, now_ms];
        self.0.any(of(bot_key, sql, values)).await
    }

    /// Queues a source to be read again now. False when there is none with this id, or it is a part of a collection.
    ///
    /// # Errors
    /// The database failed.
    pub async fn refresh_source(
        &self,
        bot_key: &BotKey,
        id: &str,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        // An uploaded or written text cannot have changed; its checksum is removed, so that it is indexed again in any
        // case.
        let sql = "UPDATE source SET revision = revision + 1, attempts = 0, reason = '', detail = '', status = 'queued', \
                   next_at = ?4, updated_at = ?4, version = version + 1, \
                   checksum = CASE WHEN kind IN ('url', 'site', 'feed') THEN checksum ELSE '' END \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND parent IS NULL RETURNING id";
        self.0.any(of(bot_key, sql, values![id, now_ms])).await
    }

    /// Makes sure that a part of a collection has a row, and reads it. `None` when the collection has another revision by
    /// now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn part(
        &self,
        bot_key: &BotKey,
        whole: Target<'_>,
        part: &str,
        url: &str,
        now_ms: u64,
    ) -> Result<Option<IngestJob>, PortError> {
        let sql = "INSERT INTO source (tenant_id, bot_id, id, title, url, kind, status, parent, created_at, updated_at) \
                   SELECT ?1, ?2, ?5, ?6, ?6, 'url', 'indexing', id, ?7, ?7 FROM source \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 \
                   ON CONFLICT (tenant_id, bot_id, id) DO UPDATE SET attempts = 0 \
                   RETURNING id, kind, given, revision, attempts, checksum, etag, last_modified, refresh_seconds";
        let values = values![whole.id, whole.revision, part, url, now_ms];
        self.0.first(of(bot_key, sql, values)).await
    }

    /// The parts of a collection that have been read.
    ///
    /// # Errors
    /// The database failed.
    pub async fn parts(&self, bot_key: &BotKey, whole: &str) -> Result<Vec<Part>, PortError> {
        let sql = "SELECT id, url FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND parent = ?3 \
                   AND checksum <> '' ORDER BY id";
        self.0.rows(of(bot_key, sql, values![whole])).await
    }

    /// The ids of the parts of a collection that are not among those that stay.
    ///
    /// # Errors
    /// The database failed.
    pub async fn other_parts(
        &self,
        bot_key: &BotKey,
        whole: &str,
        stay: &[String],
    ) -> Result<Vec<String>, PortError> {
        let sql = "SELECT id FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND parent = ?3 \
                   AND id NOT IN (SELECT value FROM json_each(?4)) ORDER BY id";
        let statement = of(bot_key, sql, values![whole, to_json(stay)?]);
        Ok(ids(self.0.rows(statement).await?))
    }
}

/// A statement with the tenant as `?1`, the bot as `?2`, and the values from `?3` on.
fn of(bot_key: &BotKey, sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Statement {
    let bot = values![&bot_key.tenant_id, &bot_key.bot_id];
    Statement::new(sql, [bot, values].concat())
}

fn ids(rows: Vec<Identified>) -> Vec<String> {
    rows.into_iter().map(|row| row.id).collect()
}
