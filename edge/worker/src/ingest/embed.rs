//! Vectors of chunks, where the deployment has a vector index. Sources do not wait for them: a source is ready when its
//! words are in the index, and a failure here does not make the source fail.

use bulle_edge_core::ports::{Clock, PortError};

use super::step::{StepContext, stored};
use crate::{
    adapters::VectorIndexError,
    config::{self, Cloudflare},
    log,
};

/// Most chunks of one request.
const BATCH: u32 = 50;

/// Longest pause after failures, in milliseconds.
const MAX_BACKOFF_MS: u64 = 3_600_000;

impl StepContext<'_> {
    /// Deletes vectors that are no longer wanted, and makes some that are missing. Returns when to go on, if there is
    /// more to do.
    ///
    /// # Errors
    /// The database or the object's storage failed.
    pub async fn embed(&self) -> Result<Option<u64>, PortError> {
        let Some(cloudflare) = self.cloudflare() else {
            return Ok(None);
        };
        let now = self.edge.now_ms();
        let (failures, until) = self.store.embedding_backoff().map_err(stored)?;
        // Smaller batches after a failure, because the request may have been too large.
        let most = (BATCH >> failures.min(5)).max(1);
        let (chunks, more) = self.edge.library().unembedded(&self.bot, most, now).await?;
        if until > now {
            return Ok(more.then_some(until));
        }
        let next = self.delete_unwanted_vectors().await?;
        if next.is_some() || chunks.is_empty() {
            return Ok(next.or(more.then_some(now)));
        }
        match self.edge.embed(&cloudflare, &self.bot, &chunks).await {
            Ok(()) => {
                self.edge.library().embedded(&self.bot, &chunks).await?;
                self.store.clear_embedding_backoff().map_err(stored)?;
                Ok(Some(now))
            }
            Err(failed) => self.back_off(&cloudflare, &failed).map(Some),
        }
    }

    /// Deletes vectors that are no longer wanted, also of bots that are gone. Returns when to go on, if there are more.
    ///
    /// # Errors
    /// The database or the object's storage failed.
    pub async fn delete_unwanted_vectors(&self) -> Result<Option<u64>, PortError> {
        let Some(cloudflare) = self.cloudflare() else {
            return Ok(None);
        };
        let unwanted = self.edge.library().unwanted_vectors().await?;
        if unwanted.is_empty() {
            return Ok(None);
        }
        let now = self.edge.now_ms();
        let (_, until) = self.store.embedding_backoff().map_err(stored)?;
        if until > now {
            return Ok(Some(until));
        }
        match self.edge.delete_vectors(&cloudflare, &unwanted).await {
            Ok(()) => {
                self.edge.library().vectors_deleted(&unwanted).await?;
                self.store.clear_embedding_backoff().map_err(stored)?;
                Ok(Some(now))
            }
            Err(failed) => self.back_off(&cloudflare, &failed).map(Some),
        }
    }

    /// The API of the vector index, when the deployment has one. `/health` reports errors in its variables.
    fn cloudflare(&self) -> Option<Cloudflare> {
        config::cloudflare(self.edge.env()).ok().flatten()
    }

    /// Notes a failure of the vector index. Returns until when it is not asked.
    fn back_off(
        &self,
        cloudflare: &Cloudflare,
        failed: &VectorIndexError,
    ) -> Result<u64, PortError> {
        log::error("meaning", &failed.why);
        let (failures, _) = self.store.embedding_backoff().map_err(stored)?;
        let pause = cloudflare.retry_ms << failures.min(10);
        let until = self.edge.now_ms() + pause.min(MAX_BACKOFF_MS).max(failed.rest_ms);
        self.store
            .set_embedding_backoff(failures + 1, until)
            .map_err(stored)?;
        Ok(until)
    }
}
