//! The arguments and the outcomes of a step of ingestion.

use bulle_edge_core::{
    ports::{Clock, PortError},
    sources::{Failure, FailureCode, FetchError, content::Prepared, failure, schedule},
};
use std::{cell::RefCell, rc::Rc};

use super::{fetch_page::Fetcher, store::IngestStore};
use crate::{
    adapters::Edge,
    config::Crawling,
    repositories::library::{AttemptResult, BotKey, IngestJob, Target, Validators},
};

/// The arguments of a step.
pub struct StepContext<'a> {
    /// The platform.
    pub edge: &'a Edge,
    /// The object's own storage.
    pub store: &'a IngestStore,
    /// The document that is being written: kept in memory, so that it is not read again for every alarm.
    pub draft: &'a RefCell<Option<Rc<Draft>>>,
    /// The bot.
    pub bot: BotKey,
    /// How pages are fetched.
    pub fetcher: Fetcher,
    /// The deployment's settings of the crawler.
    pub crawling: Crawling,
}

/// A document that is being written.
pub struct Draft {
    /// Id of the source.
    pub id: String,
    /// Revision of the source that it was read for.
    pub revision: u32,
    /// The document in chunks.
    pub prepared: Prepared,
    /// For the next request to its address.
    pub validators: Validators,
}

/// How a step ended.
pub enum StepOutcome {
    /// The attempt at the source has ended; the outcome is to be stored in the database.
    Ended(AttemptResult),
    /// There is no outcome to store: the new content answers already, or the source has changed or is gone.
    Settled,
    /// There is more to do.
    Paused,
}

/// Why a step failed.
pub enum StepError {
    /// The source is at fault.
    Source(FetchError),
    /// The platform is at fault.
    Platform(PortError),
}

impl From<FetchError> for StepError {
    fn from(trouble: FetchError) -> Self {
        Self::Source(trouble)
    }
}

impl From<PortError> for StepError {
    fn from(error: PortError) -> Self {
        Self::Platform(error)
    }
}

impl From<worker::Error> for StepError {
    fn from(error: worker::Error) -> Self {
        Self::Platform(stored(error))
    }
}

/// An error of the object's storage.
#[expect(clippy::needless_pass_by_value, reason = "made to be given to map_err")]
pub fn stored(error: worker::Error) -> PortError {
    PortError(error.to_string())
}

/// The revision of a source that a step works on.
pub fn target(job: &IngestJob) -> Target<'_> {
    Target {
        id: &job.id,
        revision: job.revision,
    }
}

/// The end of a failed attempt. A source with a refresh interval is fetched again at the next refresh.
pub fn failed(failure: Failure, job: &IngestJob, now: u64) -> AttemptResult {
    AttemptResult::Failed(failure, schedule::refresh_at(now, job.refresh_seconds))
}

impl StepContext<'_> {
    /// Counts an attempt. Returns an outcome when there is no work to begin: the source has changed, or so many
    /// attempts began without ending that the source must be crashing the isolate.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(&self, job: &IngestJob) -> Result<Option<StepOutcome>, PortError> {
        let now = self.edge.now_ms();
        let Some(attempt) = self
            .edge
            .library()
            .begin(&self.bot, target(job), now)
            .await?
        else {
            return Ok(Some(StepOutcome::Settled));
        };
        if attempt > schedule::MAX_ATTEMPTS + 2 {
            let why = "It was begun several times and never came to its end: reading it takes more than a Worker may use. \
                       Divide it, or import it with the command line.";
            let end = failed(failure(FailureCode::TooMuchWork, why), job, now);
            return Ok(Some(StepOutcome::Ended(end)));
        }
        Ok(None)
    }
}
