//! Feeds: every entry becomes a source of its own. Entries that a feed no longer lists stay: most feeds list only the
//! newest.

use std::collections::HashSet;

use bulle_edge_core::{
    ports::Clock,
    sources::{FailureCode, MAX_ENTRIES, MAX_PAGE_BYTES, failure, frontier::part_id, schedule},
};
use bulle_edge_formats::{FeedEntry, feed};

use super::{
    index::{checksum, prepare},
    parse_page::unreadable,
    robots::check_allowed,
    step::{StepContext, StepError, StepOutcome, target},
};
use crate::repositories::library::{AttemptResult, IngestJob, Validators};

/// Entries that are written before other sources get their turn.
const ENTRIES: usize = 10;

impl StepContext<'_> {
    /// Reads a feed and writes its entries, as far as one step goes.
    ///
    /// # Errors
    /// The feed cannot be read, or the platform failed.
    pub async fn feed(&self, job: &IngestJob) -> Result<StepOutcome, StepError> {
        let address = job.given()?.url.unwrap_or_default();
        let url = self.fetcher.guard.check(&address)?;
        check_allowed(&self.fetch_robots(&url).await?.1, &url)?;
        let known = Validators {
            etag: job.etag.clone(),
            last_modified: job.last_modified.clone(),
        };
        let fetched = self
            .fetcher
            .get(self.edge, &address, &known, MAX_PAGE_BYTES)
            .await?;
        let next_at = schedule::refresh_at(self.edge.now_ms(), job.refresh_seconds);
        let Some(bytes) = fetched.bytes else {
            return Ok(StepOutcome::Ended(AttemptResult::Unchanged {
                next_at,
                validators: known,
            }));
        };
        let content_type = fetched.content_type.as_deref();
        let feed = feed(&bytes, fetched.url.as_str(), content_type).map_err(|e| unreadable(&e))?;
        // Without validators, a truncated feed is fetched whole the next time.
        let validators = if feed.truncated {
            Validators::default()
        } else {
            fetched.validators
        };
        let note = feed.truncated.then(|| {
            failure(
                FailureCode::Corrupt,
                "The feed is truncated: its end is missing. Its complete entries were read. Repair the feed, then \
                 refresh this source.",
            )
        });
        match self.write_entries(job, feed.entries).await? {
            Entries::Written => Ok(StepOutcome::Ended(AttemptResult::Collected {
                next_at,
                title: Some(feed.title).filter(|title| !title.is_empty()),
                validators,
                note,
            })),
            Entries::More => Ok(StepOutcome::Paused),
            Entries::Unwanted => Ok(StepOutcome::Settled),
        }
    }

    /// Writes the entries whose text has changed, at most [`ENTRIES`] of them.
    async fn write_entries(
        &self,
        job: &IngestJob,
        entries: Vec<FeedEntry>,
    ) -> Result<Entries, StepError> {
        let (library, bot) = (self.edge.library(), &self.bot);
        let whole = target(job);
        let language = job.given()?.language;
        let total = entries.len().min(MAX_ENTRIES);
        let mut written = 0;
        let mut seen = HashSet::new();
        for (number, entry) in entries.into_iter().take(MAX_ENTRIES).enumerate() {
            let mut document = entry.document;
            if let Some(language) = &language {
                language.clone_into(&mut document.language);
            }
            let checksum = checksum(&document);
            // An entry without an id, or with that of another entry, is named by its checksum.
            let name = match entry.id.as_str() {
                name if !name.is_empty() && seen.insert(name.to_owned()) => name,
                _ if seen.insert(checksum.clone()) => &checksum,
                _ => continue,
            };
            let id = part_id(&job.id, name);
            let bytes = document.body.len();
            let page = document.url.clone();
            // Entries without text are skipped.
            let Ok(prepared) = prepare(document, checksum, bytes) else {
                continue;
            };
            let now = self.edge.now_ms();
            let Some(part) = library.part(bot, whole, &id, &page, now).await? else {
                return Ok(Entries::Unwanted);
            };
            if part.checksum == prepared.checksum {
                continue;
            }
            if written == ENTRIES {
                let progress = (number as u32, total as u32);
                library.show_progress(bot, whole, progress).await?;
                return Ok(Entries::More);
            }
            let next = (None, &Validators::default());
            self.index(target(&part), &prepared, next, None).await?;
            written += 1;
        }
        let progress = (total as u32, total as u32);
        library.show_progress(bot, whole, progress).await?;
        Ok(Entries::Written)
    }
}

/// How far the entries of a feed were written.
enum Entries {
    /// All of them.
    Written,
    /// There are more to write.
    More,
    /// The feed has changed or is gone.
    Unwanted,
}
