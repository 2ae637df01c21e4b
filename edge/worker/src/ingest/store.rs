//! The object's own storage: its bot, the cleanup queue, the crawls of sites and the pauses of the vector index. `store_crawl` has the
//! statements on sitemaps and pointers.

use serde::{Deserialize, Serialize};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::{
    log,
    repositories::library::{BotKey, Validators},
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
-- The cleanup queue: sources, and at what time to look whether they are still there and whether traces of what they were are
-- left.
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
-- Sitemaps and their number of entries at the last successful reading.
CREATE TABLE IF NOT EXISTS sitemap (
  source_id TEXT NOT NULL,
  url       TEXT NOT NULL,
  entries   INTEGER NOT NULL,
  PRIMARY KEY (source_id, url)
) WITHOUT ROWID;
-- The owner's address of the site in the last complete crawl.
CREATE TABLE IF NOT EXISTS crawled (source_id TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID;
-- Pointers of pages in this crawl. An empty target: the page itself is read, and its pointer is ignored.
CREATE TABLE IF NOT EXISTS pointer (
  source_id TEXT NOT NULL,
  url       TEXT NOT NULL,
  kind      TEXT NOT NULL,
  target    TEXT NOT NULL,
  PRIMARY KEY (source_id, url)
) WITHOUT ROWID;
-- The vector index failed so often in a row, and is not asked until then.
CREATE TABLE IF NOT EXISTS rest (id INTEGER PRIMARY KEY CHECK (id = 1), failures INTEGER NOT NULL, until INTEGER NOT NULL);
";

/// The state of a page in a crawl. Besides these, -1 is a page that the last crawl met and this one has not, 0 a page in
/// the queue, 4 a page that waits until the address of its pointer has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// It was read and became a source.
    Read = 1,
    /// The page failed; its earlier content stays.
    Failed = 2,
    /// The page was skipped: its address answers 404, or it forbids indexing, or another page was read in its place.
    Skipped = 3,
}

/// A page to be fetched.
#[derive(Deserialize)]
pub struct QueuedPage {
    /// Its row.
    pub number: i64,
    /// Its address.
    pub url: String,
    /// The number of links from the first page to it.
    pub depth: u32,
    /// How often it was tried in this crawl.
    pub attempts: u32,
    etag: String,
    last_modified: String,
    links: String,
}

impl QueuedPage {
    /// The validators that its response had in the last crawl.
    pub fn validators(&self) -> Validators {
        Validators {
            etag: self.etag.clone(),
            last_modified: self.last_modified.clone(),
        }
    }

    /// The links that it had in the last crawl.
    pub fn links(&self) -> Vec<String> {
        serde_json::from_str(&self.links).unwrap_or_default()
    }
}

/// The result of a crawl for a page.
pub struct PageResult<'r> {
    /// The page's state.
    pub state: PageState,
    /// Id of the source that it became; empty leaves the one of the last crawl.
    pub part: &'r str,
    /// SHA-256 of its content.
    pub checksum: &'r str,
    /// The validators for the next crawl.
    pub validators: &'r Validators,
    /// Its links, for a crawl in which it has not changed.
    pub links: &'r [String],
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

/// The object's tables.
pub struct IngestStore(SqlStorage);

impl IngestStore {
    /// Opens the storage.
    pub fn new(sql: SqlStorage) -> Self {
        let store = Self(sql);
        store.create_tables();
        store
    }

    /// Creates the tables that are missing: all of them, after everything was deleted.
    pub fn create_tables(&self) {
        if let Err(error) = self.0.exec(SCHEMA, None) {
            log::error("librarian", &error);
        }
    }

    /// The bot, and the origin of the edge.
    pub fn owner(&self) -> Result<Option<(BotKey, String)>> {
        let rows: Vec<Json> = self.0.exec("SELECT json FROM owner", None)?.to_array()?;
        let owner = rows.first().map(|row| serde_json::from_str(&row.json));
        Ok(owner.transpose()?)
    }

    /// Keeps the bot and the origin of the edge.
    pub fn set_owner(&self, owner: &(BotKey, String)) -> Result<()> {
        let json = serde_json::to_string(owner)?;
        self.write(
            "INSERT OR REPLACE INTO owner (id, json) VALUES (1, ?)",
            vec![json.into()],
        )
    }

    /// Queues a cleanup. When one is queued already, the later time counts, because other work is under way until then.
    pub fn queue_cleanup(&self, source_id: &str, at: u64) -> Result<()> {
        let sql = "INSERT INTO care (source_id, at) VALUES (?, ?) \
                   ON CONFLICT (source_id) DO UPDATE SET at = max(at, excluded.at)";
        self.write(sql, vec![source_id.into(), integer(at)])
    }

    /// Queues a cleanup for now, even when one is queued for another time.
    pub fn queue_cleanup_now(&self, source_id: &str, now: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO care (source_id, at) VALUES (?, ?)";
        self.write(sql, vec![source_id.into(), integer(now)])
    }

    /// The sources whose cleanup is due, at most 200 of them.
    pub fn due_cleanups(&self, now: u64) -> Result<Vec<String>> {
        let sql = "SELECT source_id AS text FROM care WHERE at <= ? LIMIT 200";
        let rows: Vec<Text> = self.0.exec(sql, vec![integer(now)])?.to_array()?;
        Ok(rows.into_iter().map(|row| row.text).collect())
    }

    /// Removes a cleanup that is done from the queue. One that was queued again meanwhile, for a time after `until`, stays.
    pub fn finish_cleanup(&self, source_id: &str, until: u64) -> Result<()> {
        let sql = "DELETE FROM care WHERE source_id = ? AND at <= ?";
        self.write(sql, vec![source_id.into(), integer(until)])
    }

    /// The time of the next cleanup.
    pub fn next_cleanup(&self) -> Result<Option<u64>> {
        self.number("SELECT min(at) AS number FROM care", Vec::new())
    }

    /// The crawl of a site. One that another release has stored in a form that cannot be read begins anew.
    pub fn crawl<T: for<'d> Deserialize<'d>>(&self, source_id: &str) -> Result<Option<T>> {
        let sql = "SELECT json FROM walk WHERE source_id = ?";
        let rows: Vec<Json> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        Ok(rows
            .first()
            .and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Stores the crawl of a site, which goes on at `ready_at`.
    pub fn save_crawl<T: Serialize>(
        &self,
        source_id: &str,
        crawl: &T,
        ready_at: u64,
    ) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO walk (source_id, json, ready_at) VALUES (?, ?, ?)";
        let json = serde_json::to_string(crawl)?;
        self.write(sql, vec![source_id.into(), json.into(), integer(ready_at)])
    }

    /// When the crawl of a site goes on; 0 when there is none.
    pub fn crawl_ready_at(&self, source_id: &str) -> Result<u64> {
        let sql = "SELECT ready_at AS number FROM walk WHERE source_id = ?";
        Ok(self
            .number(sql, vec![source_id.into()])?
            .unwrap_or_default())
    }

    /// Starts a crawl: the pages of the last one become old.
    pub fn start_crawl(&self, source_id: &str) -> Result<()> {
        self.forget_pointers(source_id)?;
        let sql = "UPDATE page SET state = -1, attempts = 0, ready_at = 0 WHERE source_id = ?";
        self.write(sql, vec![source_id.into()])
    }

    /// Finishes a crawl: queued pages are deleted, except those with a source.
    pub fn finish_crawl(&self, source_id: &str) -> Result<()> {
        self.write(
            "DELETE FROM walk WHERE source_id = ?",
            vec![source_id.into()],
        )?;
        self.forget_pointers(source_id)?;
        let sql = "DELETE FROM page WHERE source_id = ? AND state IN (-1, 0) AND part = ''";
        self.write(sql, vec![source_id.into()])
    }

    /// Deletes the page of a deleted part.
    pub fn forget_part(&self, source_id: &str, part: &str) -> Result<()> {
        let sql = "DELETE FROM page WHERE source_id = ? AND part = ?";
        self.write(sql, vec![source_id.into(), part.into()])
    }

    /// Deletes everything of a source.
    pub fn delete_source(&self, source_id: &str) -> Result<()> {
        for sql in [
            "DELETE FROM walk WHERE source_id = ?",
            "DELETE FROM page WHERE source_id = ?",
            "DELETE FROM care WHERE source_id = ?",
            "DELETE FROM sitemap WHERE source_id = ?",
            "DELETE FROM crawled WHERE source_id = ?",
        ] {
            self.write(sql, vec![source_id.into()])?;
        }
        self.forget_pointers(source_id)
    }

    /// Queues a page, unless this crawl has met it already or has met `most` pages.
    pub fn enqueue(&self, source_id: &str, url: &str, depth: u32, most: u32) -> Result<()> {
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

    /// Queues the page of a part, unless the page is deeper than `max_depth`.
    pub fn enqueue_known(
        &self,
        source_id: &str,
        (part, url): (&str, &str),
        max_depth: u32,
    ) -> Result<()> {
        let sql = "INSERT INTO page (source_id, url, depth, state, part) SELECT ?1, ?2, 1, 0, ?4 WHERE ?3 > 0 \
                   ON CONFLICT (source_id, url) DO UPDATE SET state = 0, part = ?4 WHERE state = -1 AND depth <= ?3";
        let max_depth = i64::from(max_depth).into();
        self.write(
            sql,
            vec![source_id.into(), url.into(), max_depth, part.into()],
        )
    }

    /// The next page of the queue that may be fetched now.
    pub fn next_page(&self, source_id: &str, now: u64) -> Result<Option<QueuedPage>> {
        let sql = "SELECT number, url, depth, attempts, etag, last_modified, links FROM page \
                   WHERE source_id = ? AND state = 0 AND ready_at <= ? ORDER BY depth > 0, part = '', depth, number LIMIT 1";
        let rows: Vec<QueuedPage> = self
            .0
            .exec(sql, vec![source_id.into(), integer(now)])?
            .to_array()?;
        Ok(rows.into_iter().next())
    }

    /// When the first page of the queue may be fetched; `None` when the queue is empty.
    pub fn next_page_at(&self, source_id: &str) -> Result<Option<u64>> {
        let sql = "SELECT min(ready_at) AS number FROM page WHERE source_id = ? AND state = 0";
        self.number(sql, vec![source_id.into()])
    }

    /// Notes how often a page was tried, and when it may be tried again.
    pub fn retry_page(&self, number: i64, attempts: u32, at: u64) -> Result<()> {
        let sql = "UPDATE page SET attempts = ?, ready_at = ? WHERE number = ?";
        self.write(
            sql,
            vec![integer(attempts.into()), integer(at), number.into()],
        )
    }

    /// Removes a page from the queue and stores its result.
    pub fn finish_page(&self, number: i64, result: &PageResult<'_>) -> Result<()> {
        let sql = "UPDATE page SET state = ?1, part = CASE WHEN ?2 = '' THEN part ELSE ?2 END, checksum = ?3, \
                   etag = ?4, last_modified = ?5, links = ?6 WHERE number = ?7";
        let values = vec![
            (result.state as i32).into(),
            result.part.into(),
            result.checksum.into(),
            result.validators.etag.as_str().into(),
            result.validators.last_modified.as_str().into(),
            serde_json::to_string(result.links)?.into(),
            number.into(),
        ];
        self.write(sql, values)
    }

    /// Whether another page has the same content: in this crawl, or in the last one if this crawl has not read it yet.
    pub fn is_duplicate(&self, source_id: &str, number: i64, checksum: &str) -> Result<bool> {
        let sql = "SELECT number FROM page WHERE source_id = ? AND state IN (0, 1) AND checksum = ? AND number <> ? LIMIT 1";
        let values = vec![source_id.into(), checksum.into(), number.into()];
        let rows: Vec<Number> = self.0.exec(sql, values)?.to_array()?;
        Ok(!rows.is_empty())
    }

    /// The pages of this crawl: how many are read or failed, and how many these and the queue are together.
    pub fn counts(&self, source_id: &str) -> Result<(u32, u32)> {
        let done = "SELECT count(*) AS number FROM page WHERE source_id = ? AND state IN (1, 2)";
        let queued = "SELECT count(*) AS number FROM page WHERE source_id = ? AND state = 0";
        let count = |sql| self.number(sql, vec![source_id.into()]);
        let done = count(done)?.unwrap_or_default() as u32;
        Ok((done, done + count(queued)?.unwrap_or_default() as u32))
    }

    /// Whether this crawl has read a page.
    pub fn has_read(&self, source_id: &str) -> Result<bool> {
        let sql = "SELECT number FROM page WHERE source_id = ? AND state = 1 LIMIT 1";
        let rows: Vec<Number> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        Ok(!rows.is_empty())
    }

    /// The sources that the pages of this crawl became, also those that failed this time or are undecided.
    pub fn parts(&self, source_id: &str) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT part AS text FROM page WHERE source_id = ? AND state IN (1, 2, 4) AND part <> ''";
        let rows: Vec<Text> = self.0.exec(sql, vec![source_id.into()])?.to_array()?;
        Ok(rows.into_iter().map(|row| row.text).collect())
    }

    /// How often in a row the vector index has failed, and until when it is not asked.
    pub fn embedding_backoff(&self) -> Result<(u32, u64)> {
        let failures = self.number("SELECT failures AS number FROM rest", Vec::new())?;
        let until = self.number("SELECT until AS number FROM rest", Vec::new())?;
        Ok((
            failures.unwrap_or_default() as u32,
            until.unwrap_or_default(),
        ))
    }

    /// Keeps how often the vector index has failed, and until when it is not asked.
    pub fn set_embedding_backoff(&self, failures: u32, until: u64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO rest (id, failures, until) VALUES (1, ?, ?)";
        self.write(sql, vec![i64::from(failures).into(), integer(until)])
    }

    /// The vector index works again.
    pub fn clear_embedding_backoff(&self) -> Result<()> {
        self.write("DELETE FROM rest", Vec::new())
    }

    pub(super) fn number(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<Option<u64>> {
        let rows: Vec<Number> = self.0.exec(sql, values)?.to_array()?;
        Ok(rows.first().and_then(|row| row.number).map(|n| n as u64))
    }

    pub(super) fn rows<T: for<'d> Deserialize<'d>>(
        &self,
        sql: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>> {
        self.0.exec(sql, values)?.to_array()
    }

    pub(super) fn write(&self, sql: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        self.0.exec(sql, values).map(|_| ())
    }
}

fn integer(n: u64) -> SqlStorageValue {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}
