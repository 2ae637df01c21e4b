//! Tables of a crawl besides its queue: the sitemaps of the last crawl, its address, and the pointers of pages.

use bulle_edge_core::sources::pointers::{Pointer, PointerKind, Standing};
use serde::Deserialize;
use std::collections::HashMap;
use worker::Result;

use super::store::IngestStore;

/// A page that waits until the address of its pointer has been read.
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
    /// Its pointer.
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
    /// The number of a sitemap's entries at its last successful reading.
    pub fn sitemap_entries(&self, source_id: &str, url: &str) -> Result<Option<u32>> {
        let sql = "SELECT entries AS number FROM sitemap WHERE source_id = ? AND url = ?";
        let entries = self.number(sql, vec![source_id.into(), url.into()])?;
        Ok(entries.map(|entries| entries as u32))
    }

    /// Stores the number of a sitemap's entries; `None` deletes the sitemap.
    pub fn set_sitemap(&self, source_id: &str, url: &str, entries: Option<u32>) -> Result<()> {
        let Some(entries) = entries else {
            let sql = "DELETE FROM sitemap WHERE source_id = ? AND url = ?";
            return self.write(sql, vec![source_id.into(), url.into()]);
        };
        let sql = "INSERT OR REPLACE INTO sitemap (source_id, url, entries) VALUES (?, ?, ?)";
        let entries = i64::from(entries).into();
        self.write(sql, vec![source_id.into(), url.into(), entries])
    }

    /// The owner's address of the site in the last complete crawl.
    pub fn crawled(&self, source_id: &str) -> Result<Option<String>> {
        let sql = "SELECT url AS text FROM crawled WHERE source_id = ?";
        let rows: Vec<Text> = self.rows(sql, vec![source_id.into()])?;
        Ok(rows.into_iter().next().map(|row| row.text))
    }

    /// Stores the owner's address of the site after a complete crawl.
    pub fn set_crawled(&self, source_id: &str, url: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO crawled (source_id, url) VALUES (?, ?)";
        self.write(sql, vec![source_id.into(), url.into()])
    }

    /// Stores the pointer of a page, which waits until the address of the pointer has been read.
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

    /// The waiting pages, in the order of their discovery.
    pub fn waiting(&self, source_id: &str) -> Result<Vec<WaitingPage>> {
        let sql = "SELECT page.number, page.url, pointer.kind, pointer.target FROM page JOIN pointer \
                   ON pointer.source_id = page.source_id AND pointer.url = page.url \
                   WHERE page.source_id = ? AND page.state = 4 ORDER BY page.number";
        self.rows(sql, vec![source_id.into()])
    }

    /// The standings of the addresses that pointers name, and of the waiting pages.
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

    /// The standing of an address; a waiting page counts as open.
    pub fn standing(&self, source_id: &str, url: &str) -> Result<Standing> {
        let sql = "SELECT url, state FROM page WHERE source_id = ? AND url = ?";
        let rows: Vec<State> = self.rows(sql, vec![source_id.into(), url.into()])?;
        Ok(rows
            .first()
            .map_or(Standing::Outside, |row| standing(row.state as i64)))
    }

    /// Queues a waiting page, whose pointer is ignored from now on.
    pub fn read_itself(&self, source_id: &str, page: &WaitingPage) -> Result<()> {
        let sql = "UPDATE pointer SET target = '' WHERE source_id = ? AND url = ?";
        self.write(sql, vec![source_id.into(), page.url.as_str().into()])?;
        self.write(
            "UPDATE page SET state = 0, attempts = 0, ready_at = 0 WHERE number = ?",
            vec![page.number.into()],
        )
    }

    /// Whether the pointer of a page is ignored.
    pub fn reads_itself(&self, source_id: &str, url: &str) -> Result<bool> {
        let sql = "SELECT count(*) AS number FROM pointer WHERE source_id = ? AND url = ? AND target = ''";
        let count = self.number(sql, vec![source_id.into(), url.into()])?;
        Ok(count.is_some_and(|count| count > 0))
    }

    /// Deletes the pointers of a crawl.
    pub fn forget_pointers(&self, source_id: &str) -> Result<()> {
        let sql = "DELETE FROM pointer WHERE source_id = ?";
        self.write(sql, vec![source_id.into()])
    }
}

/// The standing of a page's state, see [`super::store::PageState`].
fn standing(state: i64) -> Standing {
    match state {
        0 | 4 => Standing::Open,
        1 => Standing::Read,
        2 => Standing::Failed,
        3 => Standing::Gone,
        _ => Standing::Outside,
    }
}
