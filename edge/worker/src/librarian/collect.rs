//! Feeds: every entry becomes a source of its own. What a feed no longer lists stays: most list only the newest.

use std::collections::HashSet;

use bulle_edge_core::{
    digest::sha256_hex,
    ports::Clock,
    sources::{MAX_ENTRIES, MAX_PAGE_BYTES, frontier::part_id, schedule},
};
use bulle_edge_formats::feed;

use super::{
    Desk, Librarian, Outcome, Stop,
    document::{allowed, prepared, unreadable},
};
use crate::adapters::library::{End, Target, Validators, Work};

/// Entries that are written before others get their turn.
const ENTRIES: usize = 10;

impl Librarian {
    /// Reads a feed and writes its entries, as far as it comes.
    pub(super) async fn feed(&self, desk: &Desk, work: &Work) -> Result<Outcome, Stop> {
        let (edge, shelf) = (&self.edge, &desk.shelf);
        let target = Target {
            id: &work.id,
            revision: work.revision,
        };
        let given = work.given()?;
        let address = given.url.as_deref().unwrap_or_default();
        let url = desk.fetcher.guard.check(address)?;
        allowed(&self.robots(desk, &url).await?.1, &url)?;
        let known = Validators {
            etag: work.etag.clone(),
            last_modified: work.last_modified.clone(),
        };
        let fetched = desk.fetcher.get(edge, address, &known, MAX_PAGE_BYTES);
        let fetched = fetched.await?;
        let next_at = schedule::refresh_at(edge.now_ms(), work.refresh_seconds);
        let Some(bytes) = fetched.bytes else {
            return Ok(Outcome::Ended(End::Unchanged {
                next_at,
                validators: known,
            }));
        };
        let entries = feed(&bytes, fetched.url.as_str()).map_err(|e| unreadable(&e))?;
        let total = entries.len().min(MAX_ENTRIES);
        let mut written = 0;
        let mut seen = HashSet::new();
        for (number, entry) in entries.into_iter().take(MAX_ENTRIES).enumerate() {
            let mut document = entry.document;
            if let Some(language) = &given.language {
                language.clone_into(&mut document.language);
            }
            let pieces = [
                &document.title,
                "\n",
                &document.language,
                "\n",
                &document.body,
            ];
            let checksum = sha256_hex(pieces.map(str::as_bytes));
            // Feeds whose entries have no names of their own, or share one.
            let name = match entry.id.as_str() {
                name if !name.is_empty() && seen.insert(name.to_owned()) => name,
                _ if seen.insert(checksum.clone()) => &checksum,
                _ => continue,
            };
            let id = part_id(&work.id, name);
            let bytes = document.body.len();
            let page = document.url.clone();
            // An entry without text says nothing.
            let Ok(prepared) = prepared(document, checksum, bytes) else {
                continue;
            };
            let part = edge.part(shelf, target, &id, &page, edge.now_ms()).await?;
            let Some(part) = part else {
                return Ok(Outcome::Settled);
            };
            if part.checksum == prepared.checksum {
                continue;
            }
            if written == ENTRIES {
                let done = (number as u32, total as u32);
                edge.show_progress(shelf, target, done).await?;
                return Ok(Outcome::Paused);
            }
            let part = Target {
                id: &part.id,
                revision: part.revision,
            };
            let none = Validators::default();
            self.index(desk, part, &prepared, (None, &none), None)
                .await?;
            written += 1;
        }
        let done = (total as u32, total as u32);
        edge.show_progress(shelf, target, done).await?;
        Ok(Outcome::Ended(End::Collected {
            next_at,
            title: None,
            validators: fetched.validators,
        }))
    }
}
