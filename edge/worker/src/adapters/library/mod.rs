//! What bots know, in D1, as the indexer writes it: how far each source has come, and its texts and chunks.
//!
//! Every statement has the tenant as `?1` and the bot as `?2`. What belongs to a source that was deleted, or that is to
//! be another by now, is not written: the row of the source is looked at in the same transaction.

mod chunks;
mod vectors;

pub use chunks::Target;
pub use vectors::Unembedded;

use bulle_edge_core::{
    ports::PortError,
    sources::{Failure, SourceKind, given::Given},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use worker::{D1PreparedStatement, D1Result, wasm_bindgen::JsValue};

use super::{Edge, nullable, port_error, time};

/// A bot: whose, and which.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Shelf {
    /// The tenant.
    pub tenant_id: String,
    /// The bot.
    pub bot_id: String,
}

/// A source that has something to do at some time.
#[derive(Deserialize)]
pub struct Due {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: SourceKind,
    /// Unix milliseconds.
    pub next_at: f64,
}

/// A source as its indexer needs it.
#[derive(Deserialize)]
pub struct Work {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: SourceKind,
    /// What the owner gave.
    given: String,
    /// What is to be indexed.
    pub revision: u32,
    /// How often it was begun since something was achieved.
    pub attempts: u32,
    /// SHA-256 of what was indexed last.
    pub checksum: String,
    /// Of the page.
    pub etag: String,
    /// Of the page.
    pub last_modified: String,
    /// Seconds after which it is fetched again.
    pub refresh_seconds: Option<u32>,
}

impl Work {
    /// What the owner gave.
    ///
    /// # Errors
    /// The database holds what it should not.
    pub fn given(&self) -> Result<Given, PortError> {
        serde_json::from_str(&self.given).map_err(|e| PortError(format!("source {}: {e}", self.id)))
    }
}

/// What was learnt of an address for the next request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: String,
    /// `Last-Modified`.
    pub last_modified: String,
}

/// How an attempt ended.
pub enum End {
    /// What is indexed already is what there is.
    Unchanged {
        /// When it is fetched again.
        next_at: Option<u64>,
        /// For the next request.
        validators: Validators,
    },
    /// A collection is read; its title, when the owner has not said one.
    Collected {
        /// When it is fetched again.
        next_at: Option<u64>,
        /// What it calls itself.
        title: Option<String>,
        /// For the next request.
        validators: Validators,
    },
    /// It failed, and is tried again then, if ever.
    Failed(Failure, Option<u64>),
    /// It is tried again then.
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

/// A source that is there.
#[derive(Deserialize)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file, when it has one.
    pub checksum: Option<String>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

impl Edge {
    /// Whether there is such a bot.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bot_exists(&self, shelf: &Shelf) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS found FROM bot WHERE tenant_id = ?1 AND id = ?2";
        let found: Option<Value> = self
            .shelved(shelf, sql, &[])?
            .first(None)
            .await
            .map_err(port_error)?;
        Ok(found.is_some())
    }

    /// The ids of a tenant's bots.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bot_ids(&self, tenant_id: &str) -> Result<Vec<String>, PortError> {
        let statement = self
            .db()?
            .prepare("SELECT id FROM bot WHERE tenant_id = ?1");
        let statement = statement.bind(&[tenant_id.into()]).map_err(port_error)?;
        let rows: Vec<Identified> = results(&statement.all().await.map_err(port_error)?)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The keys of the sites that show the bot.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sites_of(&self, shelf: &Shelf) -> Result<Vec<String>, PortError> {
        let sql = "SELECT key AS id FROM site WHERE tenant_id = ?1 AND bot_id = ?2";
        let rows: Vec<Identified> = self.rows(shelf, sql, &[]).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The sources that have something to do now, sites last.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due(&self, shelf: &Shelf, now_ms: u64) -> Result<Vec<Due>, PortError> {
        let sql = "SELECT id, kind, next_at FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
                   AND next_at <= ?3 ORDER BY kind = 'site', next_at LIMIT 50";
        self.rows(shelf, sql, &[time(now_ms)]).await
    }

    /// When a source has something to do that has nothing now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due_later(&self, shelf: &Shelf, now_ms: u64) -> Result<Option<u64>, PortError> {
        let sql = "SELECT min(next_at) AS at FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND next_at > ?3";
        let rows: Vec<At> = self.rows(shelf, sql, &[time(now_ms)]).await?;
        Ok(rows.first().and_then(|row| row.at).map(|at| at as u64))
    }

    /// Those of the sources that are there, with the file that each has now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn files_of(&self, shelf: &Shelf, ids: &[String]) -> Result<Vec<Held>, PortError> {
        let sql = "SELECT id, given ->> '$.file.checksum' AS checksum FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
                   AND id IN (SELECT value FROM json_each(?3))";
        self.rows(shelf, sql, &[json(&ids)?.into()]).await
    }

    /// A source.
    ///
    /// # Errors
    /// The database failed.
    pub async fn work(&self, shelf: &Shelf, id: &str) -> Result<Option<Work>, PortError> {
        let sql = "SELECT id, kind, given, revision, attempts, checksum, etag, last_modified, refresh_seconds \
                   FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3";
        Ok(self.rows(shelf, sql, &[id.into()]).await?.pop())
    }

    /// Begins an attempt: its number, from 1. Nothing when the source is to be another by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        now_ms: u64,
    ) -> Result<Option<u32>, PortError> {
        let sql = "UPDATE source SET attempts = attempts + 1, updated_at = ?5, \
                   version = version + (status <> 'indexing'), status = 'indexing' \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 RETURNING attempts";
        let values = [target.id.into(), target.revision.into(), time(now_ms)];
        let rows: Vec<Attempts> = self.rows(shelf, sql, &values).await?;
        Ok(rows.first().map(|row| row.attempts))
    }

    /// Shows how much is done of a collection.
    ///
    /// # Errors
    /// The database failed.
    pub async fn show_progress(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        (done, total): (u32, u32),
    ) -> Result<(), PortError> {
        let sql = "UPDATE source SET done = ?5, total = ?6, attempts = 0 \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let values = [
            target.id.into(),
            target.revision.into(),
            done.into(),
            total.into(),
        ];
        self.write_row(shelf, sql, &values).await
    }

    /// Ends an attempt.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end(
        &self,
        shelf: &Shelf,
        target: Target<'_>,
        end: &End,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let none = Validators::default();
        let (status, failure, next_at, validators, title, counted) = match end {
            End::Unchanged {
                next_at,
                validators,
            } => ("ready", None, *next_at, validators, None, true),
            End::Collected {
                next_at,
                title,
                validators,
            } => ("ready", None, *next_at, validators, title.clone(), true),
            End::Failed(failure, next_at) => ("failed", Some(failure), *next_at, &none, None, true),
            End::Again(failure, at) => ("queued", Some(failure), Some(*at), &none, None, false),
        };
        let sql = "UPDATE source SET status = ?5, reason = ?6, detail = ?7, next_at = ?8, updated_at = ?9, \
                   attempts = CASE WHEN ?10 THEN 0 ELSE attempts END, version = version + 1, \
                   etag = CASE WHEN ?11 = '' THEN etag ELSE ?11 END, \
                   last_modified = CASE WHEN ?12 = '' THEN last_modified ELSE ?12 END, \
                   title = coalesce(given ->> 'title', ?13, title), \
                   indexed_at = CASE WHEN ?5 = 'ready' AND kind IN ('site', 'feed') THEN ?9 ELSE indexed_at END \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4";
        let code = failure.map(|failure| code(failure.code)).transpose()?;
        let values = [
            target.id.into(),
            target.revision.into(),
            status.into(),
            code.unwrap_or_default().into(),
            failure.map_or("", |failure| failure.detail.as_str()).into(),
            nullable(next_at.map(time)),
            time(now_ms),
            u8::from(counted).into(),
            validators.etag.as_str().into(),
            validators.last_modified.as_str().into(),
            nullable(title),
        ];
        self.write_row(shelf, sql, &values).await
    }

    /// Gives a source another file, if it still has the version.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replace_file(
        &self,
        shelf: &Shelf,
        (id, version): (&str, u64),
        given: &Given,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        // What is not said anew stays as it was said.
        let sql = "UPDATE source SET given = json_patch(given, ?5), revision = revision + 1, attempts = 0, reason = '', \
                   detail = '', status = 'queued', next_at = ?6, updated_at = ?6, version = version + 1, \
                   checksum = iif(json_extract(json_patch(given, ?5), '$.title', '$.language', '$.url') \
                   = json_extract(given, '$.title', '$.language', '$.url'), checksum, '') \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND version = ?4 AND kind = 'file' \
                   AND parent IS NULL RETURNING id";
        let values = [id.into(), time(version), json(given)?.into(), time(now_ms)];
        let rows: Vec<Identified> = self.rows(shelf, sql, &values).await?;
        Ok(!rows.is_empty())
    }

    /// Has a source read again now. False when there is none that is read by itself.
    ///
    /// # Errors
    /// The database failed.
    pub async fn refresh_source(
        &self,
        shelf: &Shelf,
        id: &str,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        // What was uploaded or written here cannot have changed: it is indexed again, as it is indexed today.
        let sql = "UPDATE source SET revision = revision + 1, attempts = 0, reason = '', detail = '', status = 'queued', \
                   next_at = ?4, updated_at = ?4, version = version + 1, \
                   checksum = CASE WHEN kind IN ('url', 'site', 'feed') THEN checksum ELSE '' END \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND parent IS NULL RETURNING id";
        let rows: Vec<Identified> = self.rows(shelf, sql, &[id.into(), time(now_ms)]).await?;
        Ok(!rows.is_empty())
    }

    /// Makes sure that a part of a collection has a row; how it stands, unless the collection is to be another by now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn part(
        &self,
        shelf: &Shelf,
        whole: Target<'_>,
        part: &str,
        url: &str,
        now_ms: u64,
    ) -> Result<Option<Work>, PortError> {
        let sql = "INSERT INTO source (tenant_id, bot_id, id, title, url, kind, status, parent, created_at, updated_at) \
                   SELECT ?1, ?2, ?5, ?6, ?6, 'url', 'indexing', id, ?7, ?7 FROM source \
                   WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 AND revision = ?4 \
                   ON CONFLICT (tenant_id, bot_id, id) DO UPDATE SET attempts = 0 \
                   RETURNING id, kind, given, revision, attempts, checksum, etag, last_modified, refresh_seconds";
        let values = [
            whole.id.into(),
            whole.revision.into(),
            part.into(),
            url.into(),
            time(now_ms),
        ];
        Ok(self.rows(shelf, sql, &values).await?.pop())
    }

    /// The ids of the parts of a collection that are not among those that stay.
    ///
    /// # Errors
    /// The database failed.
    pub async fn other_parts(
        &self,
        shelf: &Shelf,
        whole: &str,
        stay: &[String],
    ) -> Result<Vec<String>, PortError> {
        let sql = "SELECT id FROM source WHERE tenant_id = ?1 AND bot_id = ?2 AND parent = ?3 \
                   AND id NOT IN (SELECT value FROM json_each(?4)) ORDER BY id";
        let rows: Vec<Identified> = self
            .rows(shelf, sql, &[whole.into(), json(&stay)?.into()])
            .await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    fn shelved(
        &self,
        shelf: &Shelf,
        sql: &str,
        values: &[JsValue],
    ) -> Result<D1PreparedStatement, PortError> {
        let mut all = vec![
            shelf.tenant_id.as_str().into(),
            shelf.bot_id.as_str().into(),
        ];
        all.extend(values.iter().cloned());
        self.db()?.prepare(sql).bind(&all).map_err(port_error)
    }

    async fn rows<T: DeserializeOwned>(
        &self,
        shelf: &Shelf,
        sql: &str,
        values: &[JsValue],
    ) -> Result<Vec<T>, PortError> {
        let statement = self.shelved(shelf, sql, values)?;
        results(&statement.all().await.map_err(port_error)?)
    }

    async fn write_row(
        &self,
        shelf: &Shelf,
        sql: &str,
        values: &[JsValue],
    ) -> Result<(), PortError> {
        let statement = self.shelved(shelf, sql, values)?;
        statement.run().await.map_err(port_error).map(|_| ())
    }

    async fn batch(
        &self,
        statements: Vec<D1PreparedStatement>,
    ) -> Result<Vec<D1Result>, PortError> {
        self.db()?.batch(statements).await.map_err(port_error)
    }
}

fn results<T: DeserializeOwned>(result: &D1Result) -> Result<Vec<T>, PortError> {
    result.results().map_err(port_error)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|e| PortError(e.to_string()))
}

/// The name of a code, without the quotes of JSON.
fn code<T: serde::Serialize>(value: T) -> Result<String, PortError> {
    Ok(json(&value)?.trim_matches('"').to_owned())
}
