//! Vectors of chunks, where the deployment has an index of meanings. Sources know nothing of it: they are ready when their
//! words are found, and a failure here is none of theirs.

use bulle_edge_core::ports::{Clock, PortError};

use super::ingest_do::Librarian;
use crate::{
    adapters::Failed,
    config::{self, Cloudflare},
    log,
    repositories::library::Shelf,
};

/// Most chunks of one request.
const BATCH: u32 = 50;

/// Longest pause after failures, in milliseconds.
const MAX_REST_MS: u64 = 3_600_000;

impl Librarian {
    /// Deletes vectors that nobody wants, and makes some that are missing. When to go on, if there is more to do.
    pub(super) async fn embed(&self, shelf: &Shelf) -> Result<Option<u64>, PortError> {
        let Some(cloudflare) = self.cloudflare() else {
            return Ok(None);
        };
        let stored = |e: worker::Error| PortError(e.to_string());
        let now = self.edge.now_ms();
        let (failures, rest_until) = self.store.rest().map_err(stored)?;
        // After a failure with fewer: it may have been too much.
        let most = (BATCH >> failures.min(5)).max(1);
        let (chunks, more) = self.edge.library().unembedded(shelf, most, now).await?;
        if rest_until > now {
            return Ok(more.then_some(rest_until));
        }
        let next = self.forget_vectors().await?;
        if next.is_some() || chunks.is_empty() {
            return Ok(next.or(more.then_some(now)));
        }
        match self.edge.embed(&cloudflare, shelf, &chunks).await {
            Ok(()) => {
                self.edge.library().embedded(shelf, &chunks).await?;
                self.store.rested().map_err(stored)?;
                Ok(Some(now))
            }
            Err(failed) => self.leave_alone(&cloudflare, &failed).map(Some),
        }
    }

    /// Deletes vectors that nobody wants, also of bots that are gone. When to go on, if there are more.
    pub(super) async fn forget_vectors(&self) -> Result<Option<u64>, PortError> {
        let Some(cloudflare) = self.cloudflare() else {
            return Ok(None);
        };
        let stored = |e: worker::Error| PortError(e.to_string());
        let unwanted = self.edge.library().unwanted_vectors().await?;
        if unwanted.is_empty() {
            return Ok(None);
        }
        let now = self.edge.now_ms();
        let (_, rest_until) = self.store.rest().map_err(stored)?;
        if rest_until > now {
            return Ok(Some(rest_until));
        }
        match self.edge.delete_vectors(&cloudflare, &unwanted).await {
            Ok(()) => {
                self.edge.library().vectors_deleted(&unwanted).await?;
                self.store.rested().map_err(stored)?;
                Ok(Some(now))
            }
            Err(failed) => self.leave_alone(&cloudflare, &failed).map(Some),
        }
    }

    /// The API, when there is an index of meanings. What is wrong with its variables is told by `/health`.
    fn cloudflare(&self) -> Option<Cloudflare> {
        config::cloudflare(self.edge.env()).ok().flatten()
    }

    /// Until when nothing is asked.
    fn leave_alone(&self, cloudflare: &Cloudflare, failed: &Failed) -> Result<u64, PortError> {
        let stored = |e: worker::Error| PortError(e.to_string());
        log::error("meaning", &failed.why);
        let (failures, _) = self.store.rest().map_err(stored)?;
        let pause = cloudflare.retry_ms << failures.min(10);
        let until = self.edge.now_ms() + pause.min(MAX_REST_MS).max(failed.rest_ms);
        self.store.rest_until(failures + 1, until).map_err(stored)?;
        Ok(until)
    }
}
