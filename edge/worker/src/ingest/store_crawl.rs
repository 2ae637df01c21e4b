//! What a crawl knows beside its queue: the sitemaps that were read, the address of the last crawl, and the pages that name
//! another address.

use bulle_edge_core::sources::pointers::{Pointer, PointerKind, Standing};
use serde::Deserialize;
use std::collections::HashMap;
use worker::Result;

use super::store::IngestStore;

/// The tables.
pub(super) const SCHEMA: &str = "
-- Sitemaps as they were read last.
CREATE TABLE IF NOT EXISTS sitemap (
  source_id TEXT NOT NULL,
  url       TEXT NOT NULL,
  entries   INTEGER NOT NULL,
  PRIMARY KEY (source_id, url)
) WITHOUT ROWID;
-- The address that the owner had named in the last crawl that came to its end.
CREATE TABLE IF NOT EXISTS crawled (source_id TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID;
-- Pages of this crawl that name another address. Without a target, the page was found to be read itself, whatever it names.
CREATE TABLE IF NOT EXISTS pointer (
  source_id TEXT NOT NULL,
  url       TEXT NOT NULL,
  kind      TEXT NOT NULL,
  target    TEXT NOT NULL,
  PRIMARY KEY (source_id, url)
) WITHOUT ROWID;
";

/// A page that waits until the address was read that it names.
#[derive(Deserialize)]
pub struct WaitingPage {
    /// Its row.
    pub number: i64,
    /// Its address.
    pub url: String,
    kind: PointerKind,
    target: String,
}

impl WaitingPage {
    /// The address that it names.
    pub fn pointer(&self) -> Pointer {
        Pointer {
            kind: self.kind,
            target: self.target.clone(),
        }
    }
}

#[derive(Deserialize)]
struct State {
    url: String,
    state: f64,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

impl IngestStore {
    /// How many entries a sitemap had when it was read last.
    pub fn sitemap_entries(&self, source_id: &str, url: &str) -> Result<Option<u32>> {
        let sql = "SELECT entries AS number FROM sitemap WHERE source_id = ? AND url = ?";
        let entries = self.number(sql, vec![source_id.into(), url.into()])?;
        Ok(entries.map(|entries| entries as u32))
    }

    /// Keeps how many entries a sitemap has; `None` when there is none any more.
    pub fn set_sitemap(&self, source_id: &str, url: &str, entries: Option<u32>) -> Result<()> {
        let Some(entries) = entries else {
            let sql = "DELETE FROM sitemap WHERE source_id = ? AND url = ?";
            return self.write(sql, vec![source_id.into(), url.into()]);
        };
        let sql = "INSERT OR REPLACE INTO sitemap (source_id, url, entries) VALUES (?, ?, ?)";
        let entries = i64::from(entries).into();
        self.write(sql, vec![source_id.into(), url.into(), entries])
    }

    /// The address that the owner had named in the last crawl.
    pub fn crawled(&self, source_id: &str) -> Result<Option<String>> {
        let sql = "SELECT url AS text FROM crawled WHERE source_id = ?";
        let rows: Vec<Text> = self.rows(sql, vec![source_id.into()])?;
        Ok(rows.into_iter().next().map(|row| row.text))
    }

    /// Keeps the address that the owner had named in a crawl that came to its end.
    pub fn set_crawled(&self, source_id: &str, url: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO crawled (source_id, url) VALUES (?, ?)";
        self.write(sql, vec![source_id.into(), url.into()])
    }

    /// Has a page wait until the address was read that it names.
    pub fn wait_for(
        &self,
        source_id: &str,
        (number, url): (i64, &str),
        pointer: &Pointer,
    ) -> Result<()> {
        let sql =
            "INSERT OR REPLACE INTO pointer (source_id, url, kind, target) VALUES (?, ?, ?, ?)";
        let kind = match pointer.kind {
            PointerKind::Canonical => "Canonical",
            PointerKind::Moved => "Moved",
            PointerKind::Refresh => "Refresh",
            PointerKind::Elsewhere => "Elsewhere",
        };
        let target = pointer.target.as_str().into();
        self.write(sql, vec![source_id.into(), url.into(), kind.into(), target])?;
        self.write(
            "UPDATE page SET state = 4 WHERE number = ?",
            vec![number.into()],
        )
    }

    /// The pages that wait, in the order in which they were found.
    pub fn waiting(&self, source_id: &str) -> Result<Vec<WaitingPage>> {
        let sql = "SELECT page.number, page.url, pointer.kind, pointer.target FROM page JOIN pointer \
                   ON pointer.source_id = page.source_id AND pointer.url = page.url \
                   WHERE page.source_id = ? AND page.state = 4 ORDER BY page.number";
        self.rows(sql, vec![source_id.into()])
    }

    /// What this crawl has found of the addresses that pages name. Of the others it knows nothing.
    pub fn standings(
        &self,
        source_id: &str,
        waiting: &[WaitingPage],
    ) -> Result<HashMap<String, Standing>> {
        let sql = "SELECT url, state FROM page WHERE source_id = ?1 AND url IN (SELECT target FROM pointer WHERE source_id = ?1)";
        let rows: Vec<State> = self.rows(sql, vec![source_id.into()])?;
        let mut standings: HashMap<String, Standing> = rows
            .into_iter()
            .map(|row| (row.url, standing(row.state as i64)))
            .collect();
        for page in waiting {
            standings.insert(page.url.clone(), Standing::Points(page.pointer()));
        }
        Ok(standings)
    }

    /// What this crawl has found of an address; a page that names another one is open.
    pub fn standing(&self, source_id: &str, url: &str) -> Result<Standing> {
        let sql = "SELECT url, state FROM page WHERE source_id = ? AND url = ?";
        let rows: Vec<State> = self.rows(sql, vec![source_id.into(), url.into()])?;
        Ok(rows
            .first()
            .map_or(Standing::Outside, |row| standing(row.state as i64)))
    }

    /// Queues a page that waits, to be read itself.
    pub fn read_itself(&self, source_id: &str, page: &WaitingPage) -> Result<()> {
        let sql = "UPDATE pointer SET target = '' WHERE source_id = ? AND url = ?";
        self.write(sql, vec![source_id.into(), page.url.as_str().into()])?;
        self.write(
            "UPDATE page SET state = 0, attempts = 0, ready_at = 0 WHERE number = ?",
            vec![page.number.into()],
        )
    }

    /// Whether a page is to be read itself, whatever it names.
    pub fn reads_itself(&self, source_id: &str, url: &str) -> Result<bool> {
        let sql = "SELECT count(*) AS number FROM pointer WHERE source_id = ? AND url = ? AND target = ''";
        let count = self.number(sql, vec![source_id.into(), url.into()])?;
        Ok(count.is_some_and(|count| count > 0))
    }

    /// Forgets what pages named in a crawl.
    pub fn forget_pointers(&self, source_id: &str) -> Result<()> {
        let sql = "DELETE FROM pointer WHERE source_id = ?";
        self.write(sql, vec![source_id.into()])
    }
}

/// The meaning of a page's state, see [`super::store::PageState`].
fn standing(state: i64) -> Standing {
    match state {
        0 | 4 => Standing::Open,
        1 => Standing::Read,
        2 => Standing::Failed,
        3 => Standing::Gone,
        _ => Standing::Outside,
    }
}
