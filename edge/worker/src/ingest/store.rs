//! The object's own storage: whose bot it is, what it has to look after, and how far it has walked through sites.

use serde::{Deserialize, Serialize};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::repositories::library::{Shelf, Validators};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
-- Sources to look after at a time: whether they are still there, and whether something is left of what they were.
CREATE TABLE IF NOT EXISTS care (source_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS walk (
  source_id TEXT PRIMARY KEY,
  json      TEXT NOT NULL,
  ready_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS page (
  number        INTEGER PRIMARY KEY,
  source_id     TEXT NOT NULL,
  url           TEXT NOT NULL,
  depth         INTEGER NOT NULL,
  state         INTEGER NOT NULL,             -- see PageState
  attempts      INTEGER NOT NULL DEFAULT 0,
  ready_at      INTEGER NOT NULL DEFAULT 0,
  part          TEXT NOT NULL DEFAULT '',     -- id of the source that it became
  checksum      TEXT NOT NULL DEFAULT '',
  etag          TEXT NOT NULL DEFAULT '',
  last_modified TEXT NOT NULL DEFAULT '',
  links         TEXT NOT NULL DEFAULT '[]',   -- JSON: what is asked for again when the page has not changed
  UNIQUE (source_id, url)
);
CREATE INDEX IF NOT EXISTS page_by_state ON page (source_id, state, depth, number);
-- The index of meanings failed so often in a row, and is left alone until then.
CREATE TABLE IF NOT EXISTS rest (id INTEGER PRIMARY KEY CHECK (id = 1), failures INTEGER NOT NULL, until INTEGER NOT NULL);
";

/// How a page of a site stands that this walk has come to. One of the last walk is -1, one to be fetched 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Read; it became a source.
    Read = 1,
    /// It failed; what it said before stays.
    Failed = 2,
    /// It is none of the pages that are wanted.
    Passed = 3,
}

/// A page to be fetched.
#[derive(Deserialize)]
pub struct Page {
    /// Its number.
    pub number: i64,
    /// Its address.
    pub url: String,
    /// Links from the first page.
    pub depth: u32,
    /// How often it was tried.
    pub attempts: u32,
    /// Of the last walk.
    etag: String,
    /// Of the last walk.
    last_modified: String,
    /// Of the last walk.
    links: String,
}

impl Page {
    /// What is known of it.
    pub fn validators(&self) -> Validators {
        Validators {
            etag: self.etag.clone(),
            last_modified: self.last_modified.clone(),
        }
    }

    /// Its links in the last walk.
    pub fn links(&self) -> Vec<String> {
        serde_json::from_str(&self.links).unwrap_or_default()
    }
}

/// What a page turned out to be.
pub struct Turned<'t> {
    /// How it stands now.
    pub state: PageState,
    /// The source that it became.
    pub part: &'t str,
    /// SHA-256 of it.
    pub checksum: &'t str,
    /// For the next walk.
    pub validators: &'t Validators,
    /// Its links.
    pub links: &'t [String],
}

#[derive(Deserialize)]
struct Json {
    json: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Number {
    number: Option<f64>,
}

/// The tables.
pub struct Store(SqlStorage);

impl Store {
    /// Opens them.
    pub fn new(sql: SqlStorage) -> Self {
        let store = Self(sql);
        store.open();
        store
    }

    /// Makes those that are missing: all of them, after everything was deleted.
    pub fn open(&self) {
        if let Err(error) = self.0.exec(SCHEMA, None) {
            super::ingest_do::log(&error);
        }
    }

    /// Whose bot it is, and where the edge is.
    pub fn owner(&self) -> Result<Option<(Shelf, String)>> {
        let rows: Vec<Json> = self.0.exec("SELECT json FROM owner", None)?.to_array()?;
        let owner = rows.first().map(|row| serde_json::from_str(&row.json));
        Ok(owner.transpose()?)
    }

    /// Remembers whose bot it is.
    pub fn set_owner(&self, owner: &(Shelf, String)) -> Result<()> {
        let json = serde_json::to_string(owner)?;
        self.write(
            "INSERT OR REPLACE INTO owner (id, json) VALUES (1, ?)",
            vec![json.into()],
        )
    }

    /// Looks after a source then; later if it was planned for later, since something is under way until then.
    pub fn care(&self, source_id: &str, at: u64) -> Result<()> {
        let sql = "INSERT INTO care (source_id, at) VALUES (?, ?) \
                   ON CONFLICT (source_id) DO UPDATE SET at = max(at, excluded.at)";
        self.write(sql, vec![source_id.into(), integer(at)])
    }

    /// Looks after a source now, whatever was planned.
    pub fn care_now(&self, source_id: &str, now: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO care (source_id, at) VALUES (?, ?)";
        self.write(sql, vec![source_id.into(), integer(now)])
    }

    /// The sources to look after now, some of them.
    pub fn cared(&self, now: u64) -> Result<Vec<String>> {
        let sql = "SELECT source_id AS text FROM care WHERE at <= ? LIMIT 200";
        let rows: Vec<Text> = self.0.exec(sql, vec![integer(now)])?.to_array()?;
        Ok(rows.into_iter().map(|row| row.text).collect())
    }

    /// A source was looked after. One that is to be looked after again meanwhile stays.
    pub fn cared_for(&self, source_id: &str, until: u64) -> Result<()> {
        let sql = "DELETE FROM care WHERE source_id = ? AND at <= ?";
        self.write(sql, vec![source_id.into(), integer(until)])
    }

    /// When there is a source to look after.
    pub fn next_care(&self) -> Result<Option<u64>> {
        self.number("SELECT min(at) AS number FROM care", Vec::new())
    }

    /// The walk through a site.
    pub fn walk<T: for<'d> Deserialize<'d>>(&self, source_id: &str) -> Result<Option<T>> {
        let sql = "SELECT json FROM walk WHERE source_id = ?";
        let rows: Vec<Json> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        // One that another version of this code has written begins anew.
        Ok(rows
            .first()
            .and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Keeps the walk through a site, which goes on then.
    pub fn keep_walk<T: Serialize>(&self, source_id: &str, walk: &T, ready_at: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO walk (source_id, json, ready_at) VALUES (?, ?, ?)";
        let json = serde_json::to_string(walk)?;
        self.write(sql, vec![source_id.into(), json.into(), integer(ready_at)])
    }

    /// When the walk through a site goes on; at once when there is none.
    pub fn walk_ready_at(&self, source_id: &str) -> Result<u64> {
        let sql = "SELECT ready_at AS number FROM walk WHERE source_id = ?";
        Ok(self
            .number(sql, vec![source_id.into()])?
            .unwrap_or_default())
    }

    /// Begins a walk: what the last one has found is old.
    pub fn begin_walk(&self, source_id: &str) -> Result<()> {
        let sql = "UPDATE page SET state = -1, attempts = 0, ready_at = 0, checksum = '' WHERE source_id = ?";
        self.write(sql, vec![source_id.into()])
    }

    /// Ends a walk: what it did not come to is forgotten.
    pub fn end_walk(&self, source_id: &str) -> Result<()> {
        self.write(
            "DELETE FROM walk WHERE source_id = ?",
            vec![source_id.into()],
        )?;
        let sql = "DELETE FROM page WHERE source_id = ? AND state IN (-1, 0)";
        self.write(sql, vec![source_id.into()])
    }

    /// Forgets everything of a source.
    pub fn forget(&self, source_id: &str) -> Result<()> {
        for sql in [
            "DELETE FROM walk WHERE source_id = ?",
            "DELETE FROM page WHERE source_id = ?",
            "DELETE FROM care WHERE source_id = ?",
        ] {
            self.write(sql, vec![source_id.into()])?;
        }
        Ok(())
    }

    /// Remembers an address, if there is room and this walk has not met it.
    pub fn admit(&self, source_id: &str, url: &str, depth: u32, most: u32) -> Result<()> {
        let sql = "INSERT INTO page (source_id, url, depth, state) SELECT ?1, ?2, ?3, 0 \
                   WHERE (SELECT count(*) FROM page WHERE source_id = ?1 AND state >= 0) < ?4 \
                   ON CONFLICT (source_id, url) DO UPDATE SET state = 0, depth = excluded.depth WHERE state = -1";
        let values = vec![
            source_id.into(),
            url.into(),
            i64::from(depth).into(),
            i64::from(most).into(),
        ];
        self.write(sql, values)
    }

    /// The next page to be fetched; or when there will be one.
    pub fn next_page(
        &self,
        source_id: &str,
        now: u64,
    ) -> Result<std::result::Result<Page, Option<u64>>> {
        let sql = "SELECT number, url, depth, attempts, etag, last_modified, links FROM page \
                   WHERE source_id = ? AND state = 0 AND ready_at <= ? ORDER BY depth, number LIMIT 1";
        let rows: Vec<Page> = self
            .0
            .exec(sql, vec![source_id.into(), integer(now)])?
            .to_array()?;
        match rows.into_iter().next() {
            Some(page) => Ok(Ok(page)),
            None => {
                let sql =
                    "SELECT min(ready_at) AS number FROM page WHERE source_id = ? AND state = 0";
                Ok(Err(self.number(sql, vec![source_id.into()])?))
            }
        }
    }

    /// Tries a page again then, after so many attempts.
    pub fn again(&self, number: i64, attempts: u32, at: u64) -> Result<()> {
        let sql = "UPDATE page SET attempts = ?, ready_at = ? WHERE number = ?";
        self.write(
            sql,
            vec![integer(attempts.into()), integer(at), number.into()],
        )
    }

    /// Notes what a page turned out to be.
    pub fn turned(&self, number: i64, turned: &Turned<'_>) -> Result<()> {
        let sql = "UPDATE page SET state = ?1, part = CASE WHEN ?2 = '' THEN part ELSE ?2 END, checksum = ?3, \
                   etag = ?4, last_modified = ?5, links = ?6 WHERE number = ?7";
        let values = vec![
            (turned.state as i32).into(),
            turned.part.into(),
            turned.checksum.into(),
            turned.validators.etag.as_str().into(),
            turned.validators.last_modified.as_str().into(),
            serde_json::to_string(turned.links)?.into(),
            number.into(),
        ];
        self.write(sql, values)
    }

    /// Whether another page of this walk has said the same.
    pub fn said_before(&self, source_id: &str, number: i64, checksum: &str) -> Result<bool> {
        let sql = "SELECT number FROM page WHERE source_id = ? AND state = 1 AND checksum = ? AND number <> ? LIMIT 1";
        let values = vec![source_id.into(), checksum.into(), number.into()];
        let rows: Vec<Number> = self.0.exec(sql, values)?.to_array()?;
        Ok(!rows.is_empty())
    }

    /// Pages of this walk: those that are read or failed, and all that are wanted so far.
    pub fn counts(&self, source_id: &str) -> Result<(u32, u32)> {
        let read = "SELECT count(*) AS number FROM page WHERE source_id = ? AND state IN (1, 2)";
        let waiting = "SELECT count(*) AS number FROM page WHERE source_id = ? AND state = 0";
        let count = |sql| self.number(sql, vec![source_id.into()]);
        let read = count(read)?.unwrap_or_default() as u32;
        Ok((read, read + count(waiting)?.unwrap_or_default() as u32))
    }

    /// Whether a page of this walk was read.
    pub fn has_read(&self, source_id: &str) -> Result<bool> {
        let sql = "SELECT number FROM page WHERE source_id = ? AND state = 1 LIMIT 1";
        let rows: Vec<Number> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        Ok(!rows.is_empty())
    }

    /// The sources that the pages of this walk became, also those that failed this time.
    pub fn parts(&self, source_id: &str) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT part AS text FROM page WHERE source_id = ? AND state IN (1, 2) AND part <> ''";
        let rows: Vec<Text> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        Ok(rows.into_iter().map(|row| row.text).collect())
    }

    /// How often in a row the index of meanings has failed, and until when it is left alone.
    pub fn rest(&self) -> Result<(u32, u64)> {
        let failures = self.number("SELECT failures AS number FROM rest", Vec::new())?;
        let until = self.number("SELECT until AS number FROM rest", Vec::new())?;
        Ok((
            failures.unwrap_or_default() as u32,
            until.unwrap_or_default(),
        ))
    }

    /// It failed once more.
    pub fn rest_until(&self, failures: u32, until: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO rest (id, failures, until) VALUES (1, ?, ?)";
        self.write(sql, vec![i64::from(failures).into(), integer(until)])
    }

    /// It works.
    pub fn rested(&self) -> Result<()> {
        self.write("DELETE FROM rest", Vec::new())
    }

    fn number(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Option<u64>> {
        let rows: Vec<Number> = self.0.exec(sql, values)?.to_array()?;
        Ok(rows.first().and_then(|row| row.number).map(|n| n as u64))
    }

    fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        self.0.exec(sql, values).map(|_| ())
    }
}

fn integer(n: u64) -> SqlStorageValue {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}
