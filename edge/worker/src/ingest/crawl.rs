//! Sites: `robots.txt`, sitemaps, then page after page, one request at a time. Every page becomes a source of its own, a
//! part of the site; parts whose pages a whole crawl has not met are deleted at its end.
//!
//! A crawl is taken in steps of one request, with the pause between them that the site wants. The queue and the state of
//! the crawl are stored, so that it goes on after the object was evicted.

use bulle_edge_core::{
    ports::Clock,
    sources::{
        Failure, FailureCode, FetchError, MAX_FILE_BYTES, failure,
        frontier::{self, Frontier},
        schedule,
    },
};
use bulle_edge_formats::{Robots, robots, sitemap};
use worker::Url;

use super::{
    crawl_context::{Crawl, CrawlContext, is_sitemap},
    parse_page::unreadable,
    robots::check_allowed,
    step::{StepContext, StepError, StepOutcome, failed, target},
};
use crate::repositories::library::{AttemptResult, IngestJob, Validators};

/// Most sitemaps of a crawl.
const MAX_SITEMAPS: u32 = 50;

/// Most sitemaps that a `robots.txt` may name.
const MAX_NAMED_SITEMAPS: usize = 10;

/// Most parts that are deleted at once.
const MAX_DELETED: usize = 100;

/// Most characters of a `robots.txt` that are kept during a crawl.
const MAX_ROBOTS: usize = 512 * 1_024;

/// Takes one step of a crawl: one request.
///
/// # Errors
/// The site forbids it or cannot be read, or the platform failed.
pub async fn step(step: &StepContext<'_>, job: &IngestJob) -> Result<StepOutcome, StepError> {
    let stored: Option<Crawl> = step.store.crawl(&job.id)?;
    let Some(crawl) = stored.filter(|crawl| crawl.revision == job.revision) else {
        return start(step, job, None).await;
    };
    let given = job.given()?;
    let first = step.fetcher.guard.check(&crawl.first)?;
    let mut context = CrawlContext {
        step,
        job,
        target: target(job),
        frontier: Frontier::new(&first, given.max_pages, given.max_depth),
        robots: robots(&crawl.robots),
        crawl,
    };
    context.step().await
}

/// Starts a crawl, at `elsewhere` when the first page has redirected to another origin.
async fn start(
    step: &StepContext<'_>,
    job: &IngestJob,
    elsewhere: Option<Url>,
) -> Result<StepOutcome, StepError> {
    if let Some(outcome) = step.begin(job).await? {
        return Ok(outcome);
    }
    let given = job.given()?;
    let guard = &step.fetcher.guard;
    let moved = elsewhere.is_some();
    let first = match elsewhere {
        Some(url) => url,
        None => guard.check(given.url.as_deref().unwrap_or_default())?,
    };
    let (text, robots) = step.fetch_robots(&first).await?;
    let listed_only = is_sitemap(first.path());
    let sitemaps = if listed_only {
        vec![first.to_string()]
    } else {
        named_sitemaps(&robots, &first)
    };
    step.store.start_crawl(&job.id)?;
    if !listed_only {
        check_allowed(&robots, &first)?;
        let frontier = Frontier::new(&first, given.max_pages, given.max_depth);
        if let Some(page) = frontier.admit(guard, first.as_str()) {
            let most = frontier.most_addresses();
            step.store.enqueue(&job.id, page.as_str(), 0, most)?;
        }
    }
    let crawl = Crawl {
        revision: job.revision,
        first: first.to_string(),
        pause_ms: frontier::pause_ms(robots.crawl_delay(), step.crawling.pause_ms),
        robots: text.chars().take(MAX_ROBOTS).collect(),
        met_sitemaps: sitemaps.len() as u32,
        sitemaps,
        listed_only,
        moved,
        title: None,
        failure: None,
        incomplete: false,
    };
    let ready_at = step.edge.now_ms() + crawl.pause_ms;
    step.store.save_crawl(&job.id, &crawl, ready_at)?;
    Ok(StepOutcome::Paused)
}

/// The sitemaps that `robots.txt` names, else the usual one.
fn named_sitemaps(robots: &Robots, first: &Url) -> Vec<String> {
    if robots.sitemaps().is_empty() {
        let usual = first.join("/sitemap.xml").ok();
        return usual.map(String::from).into_iter().collect();
    }
    robots
        .sitemaps()
        .iter()
        .take(MAX_NAMED_SITEMAPS)
        .cloned()
        .collect()
}

impl CrawlContext<'_> {
    async fn step(&mut self) -> Result<StepOutcome, StepError> {
        if let Some(address) = self.crawl.sitemaps.pop() {
            self.read_sitemap(&address).await?;
            return self.schedule_next();
        }
        let (done, _) = self.step.store.counts(&self.job.id)?;
        if done >= self.frontier.max_pages {
            return self.finish().await;
        }
        let now = self.step.edge.now_ms();
        if let Some(page) = self.step.store.next_page(&self.job.id, now)? {
            return match self.crawl_page(&page).await? {
                Some(elsewhere) => start(self.step, self.job, Some(elsewhere)).await,
                None => self.schedule_next(),
            };
        }
        match self.step.store.next_page_at(&self.job.id)? {
            Some(at) => {
                self.step.store.save_crawl(&self.job.id, &self.crawl, at)?;
                Ok(StepOutcome::Paused)
            }
            None => self.finish().await,
        }
    }

    /// Stores the crawl, which goes on after the pause that the site wants.
    fn schedule_next(&self) -> Result<StepOutcome, StepError> {
        let ready_at = self.step.edge.now_ms() + self.crawl.pause_ms;
        self.step
            .store
            .save_crawl(&self.job.id, &self.crawl, ready_at)?;
        Ok(StepOutcome::Paused)
    }

    /// Reads a sitemap and queues its pages. An unreadable sitemap is a failure only where pages come from sitemaps
    /// alone.
    async fn read_sitemap(&mut self, address: &str) -> Result<(), StepError> {
        let fetcher = &self.step.fetcher;
        let listed = fetcher
            .get(
                self.step.edge,
                address,
                &Validators::default(),
                MAX_FILE_BYTES,
            )
            .await
            .and_then(|fetched| {
                let bytes = fetched.bytes.unwrap_or_default();
                sitemap(&bytes).map_err(|e| unreadable(&e))
            });
        let listed = match listed {
            Ok(listed) => listed,
            Err(trouble) => {
                self.crawl.incomplete |= !matches!(trouble, FetchError::Permanent(_));
                if self.crawl.listed_only {
                    self.crawl.failure.get_or_insert(trouble.failure().clone());
                }
                return Ok(());
            }
        };
        for further in listed.sitemaps {
            if self.crawl.met_sitemaps < MAX_SITEMAPS {
                self.crawl.met_sitemaps += 1;
                self.crawl.sitemaps.push(further.url);
            }
        }
        self.enqueue(listed.pages.iter().map(|entry| entry.url.as_str()), 1)
    }

    /// Finishes a crawl: parts whose pages it has not met are deleted. A crawl that has read nothing changes nothing.
    async fn finish(&self) -> Result<StepOutcome, StepError> {
        let (edge, bot, store) = (self.step.edge, &self.step.bot, self.step.store);
        let now = edge.now_ms();
        let parts = store.parts(&self.job.id)?;
        if !store.has_read(&self.job.id)? {
            store.finish_crawl(&self.job.id)?;
            let why = self.crawl.failure.clone().unwrap_or_else(no_page);
            return Ok(StepOutcome::Ended(failed(why, self.job, now)));
        }
        if !self.crawl.incomplete {
            let gone = edge
                .library()
                .other_parts(bot, &self.job.id, &parts)
                .await?;
            for ids in gone.chunks(MAX_DELETED) {
                edge.library().remove_parts(bot, self.target, ids).await?;
            }
        }
        let done = parts.len() as u32;
        edge.library()
            .show_progress(bot, self.target, (done, done))
            .await?;
        store.finish_crawl(&self.job.id)?;
        Ok(StepOutcome::Ended(AttemptResult::Collected {
            next_at: schedule::refresh_at(now, self.job.refresh_seconds),
            title: self.crawl.title.clone(),
            validators: Validators::default(),
        }))
    }
}

fn no_page() -> Failure {
    failure(
        FailureCode::NoText,
        "No page with text was found. See whether the pages show their text without scripts, and whether they \
         may be indexed.",
    )
}
