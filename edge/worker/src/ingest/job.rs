//! One step of one source of any kind, and the consequence of its outcome.

use bulle_edge_core::{
    guard::directory,
    ports::{Clock, PortError},
    sources::{FetchError, SourceKind, schedule},
};

use super::{
    crawl,
    step::{StepContext, StepError, StepOutcome, failed, target},
};
use crate::repositories::library::{AttemptResult, IngestJob};

impl StepContext<'_> {
    /// Takes one step of a source.
    ///
    /// # Errors
    /// The platform failed. This does not count as a failure of the source: the step is taken again.
    pub async fn run(&self, source_id: &str) -> Result<(), PortError> {
        let Some(job) = self.edge.library().job(&self.bot, source_id).await? else {
            return Ok(());
        };
        let end = match self.step(&job).await {
            Ok(StepOutcome::Paused) => return Ok(()),
            Ok(StepOutcome::Settled) => {
                self.draft.take();
                return self.forget_sites().await;
            }
            Ok(StepOutcome::Ended(end)) => end,
            Err(StepError::Platform(error)) => return Err(error),
            Err(StepError::Source(trouble)) => {
                self.retry_or_give_up(&job, &trouble, job.attempts + 1)
            }
        };
        self.draft.take();
        let now = self.edge.now_ms();
        self.edge
            .library()
            .end(&self.bot, target(&job), &end, now)
            .await?;
        if matches!(end, AttemptResult::Collected { .. }) {
            self.forget_sites().await?;
        }
        Ok(())
    }

    async fn step(&self, job: &IngestJob) -> Result<StepOutcome, StepError> {
        if job.kind == SourceKind::Site {
            return crawl::step(self, job).await;
        }
        if let Some(outcome) = self.begin(job).await? {
            return Ok(outcome);
        }
        match job.kind {
            SourceKind::Feed => self.feed(job).await,
            _ => self.document(job).await,
        }
    }

    /// The end of the attempt of this number, from 1, at which something went wrong.
    pub fn retry_or_give_up(
        &self,
        job: &IngestJob,
        trouble: &FetchError,
        attempt: u32,
    ) -> AttemptResult {
        let now = self.edge.now_ms();
        match schedule::after(
            trouble,
            attempt,
            schedule::MAX_ATTEMPTS,
            self.crawling.retry_ms,
        ) {
            schedule::Next::Again(pause) => {
                AttemptResult::Again(schedule::trying_again(trouble.failure()), now + pause)
            }
            schedule::Next::GiveUp => failed(schedule::given_up(trouble, attempt), job, now),
        }
    }

    /// Deletes the bot's sites from the cache, so that visitors' answers come from the new content. Where that fails, the
    /// cache's own expiry does it within a minute.
    async fn forget_sites(&self) -> Result<(), PortError> {
        let sites = self.edge.library().sites_of(&self.bot).await?;
        let keys: Vec<&str> = sites.iter().map(String::as_str).collect();
        directory::forget(self.edge, &keys).await;
        Ok(())
    }
}
