//! Sites: `robots.txt`, sitemaps, then page after page, one request at a time. Every page becomes a source of its own, a
//! part of the site.
//!
//! A part is deleted only for a response of its own address (404, 410, `noindex`, a permanent redirect, a canonical link to a
//! page that was read) or for a change by the owner. So a crawl requests the page of every part, also without a link or a
//! sitemap entry. After any other response (an error, an empty page, the content of another page, a temporary redirect) the
//! last version stays in use. While a sitemap is in doubt, no part is deleted.
//!
//! A crawl is taken in steps of one request, with the pause between them that the site wants. The queue and the state of
//! the crawl are stored, so that it goes on after the object was evicted.

use bulle_edge_core::{
    ports::Clock,
    sources::{
        Failure, FailureCode, FetchError, MAX_FILE_BYTES, failure,
        frontier::{self, Frontier},
        pointers::{self, Standing, Verdict},
        schedule,
        sitemaps::{self, Listing, NamedBy},
    },
};
use bulle_edge_formats::{Robots, Sitemap, robots, sitemap};
use worker::Url;

use super::{
    crawl_context::{Crawl, CrawlContext, is_sitemap},
    parse_page::unreadable,
    robots::check_allowed,
    step::{StepContext, StepError, StepOutcome, failed, target},
};
use crate::repositories::library::{AttemptResult, IngestJob, Validators};

/// Most sitemaps of a crawl.
const MAX_SITEMAPS: usize = 50;

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
    let frontier = Frontier::new(&first, given.max_pages, given.max_depth);
    if !listed_only {
        check_allowed(&robots, &first)?;
    }
    step.store.start_crawl(&job.id)?;
    if let Some(page) = frontier
        .admit(guard, first.as_str())
        .filter(|_| !listed_only)
    {
        let most = frontier.most_addresses();
        step.store.enqueue(&job.id, page.as_str(), 0, most)?;
    }
    let crawl = Crawl {
        revision: job.revision,
        first: first.to_string(),
        pause_ms: frontier::pause_ms(robots.crawl_delay(), step.crawling.pause_ms),
        robots: text.chars().take(MAX_ROBOTS).collect(),
        met: sitemaps.clone(),
        sitemaps,
        sitemaps_named: listed_only || !robots.sitemaps().is_empty(),
        listed_only,
        moved,
        title: None,
        failure: None,
        note: None,
        in_doubt: false,
    };
    let context = CrawlContext {
        step,
        job,
        target: target(job),
        frontier,
        robots,
        crawl,
    };
    context.enqueue_known().await?;
    context.schedule_next()
}

/// The sitemaps that `robots.txt` names, by address or by path; else the conventional one.
fn named_sitemaps(robots: &Robots, first: &Url) -> Vec<String> {
    if robots.sitemaps().is_empty() {
        let usual = first.join("/sitemap.xml").ok();
        return usual.map(String::from).into_iter().collect();
    }
    robots
        .sitemaps()
        .iter()
        .take(MAX_NAMED_SITEMAPS)
        .map(|named| {
            first
                .join(named)
                .map_or_else(|_| named.clone(), String::from)
        })
        .collect()
}

impl CrawlContext<'_> {
    async fn step(&mut self) -> Result<StepOutcome, StepError> {
        if let Some(address) = self.crawl.sitemaps.pop() {
            return match self.read_sitemap(&address).await? {
                Some(trouble) => self.give_up(&trouble),
                None => self.schedule_next(),
            };
        }
        let (done, _) = self.step.store.counts(&self.job.id)?;
        if done >= self.frontier.max_pages && !self.decide_pointers().await? {
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
            None if self.decide_pointers().await? => self.schedule_next(),
            None => self.finish().await,
        }
    }

    /// Decides about the waiting pages. Returns whether one of them is queued again, to be read itself.
    async fn decide_pointers(&mut self) -> Result<bool, StepError> {
        let (store, id) = (self.step.store, &self.job.id);
        loop {
            let waiting = store.waiting(id)?;
            let standings = store.standings(id, &waiting)?;
            let (mut decided, mut queued) = (false, false);
            for page in &waiting {
                let standing = |url: &str| standings.get(url).cloned().unwrap_or(Standing::Outside);
                let verdict = pointers::decide(&page.url, page.pointer(), standing);
                decided |= verdict != Verdict::Wait;
                match verdict {
                    Verdict::Wait => {}
                    Verdict::Replaced | Verdict::Gone => self.skip(page.number, &[])?,
                    Verdict::ReadItself => {
                        store.read_itself(id, page)?;
                        queued = true;
                    }
                    Verdict::Keep(failure) => {
                        self.keep_or_skip((page.number, &page.url), &[], failure)
                            .await?;
                    }
                }
            }
            if queued || !decided {
                return Ok(queued);
            }
        }
    }

    /// Ends the crawl of a sitemap that cannot be read. Its pages stay as they are.
    fn give_up(&self, trouble: &FetchError) -> Result<StepOutcome, StepError> {
        self.step.store.finish_crawl(&self.job.id)?;
        let end = self
            .step
            .retry_or_give_up(self.job, trouble, self.job.attempts);
        Ok(StepOutcome::Ended(end))
    }

    /// Stores the crawl, which goes on after the pause that the site wants.
    fn schedule_next(&self) -> Result<StepOutcome, StepError> {
        let ready_at = self.step.edge.now_ms() + self.crawl.pause_ms;
        self.step
            .store
            .save_crawl(&self.job.id, &self.crawl, ready_at)?;
        Ok(StepOutcome::Paused)
    }

    /// Reads a sitemap and queues its pages. Returns the error of the sitemap that is the source itself.
    async fn read_sitemap(&mut self, address: &str) -> Result<Option<FetchError>, StepError> {
        let (fetcher, store, id) = (&self.step.fetcher, self.step.store, &self.job.id);
        let none = Validators::default();
        let found = fetcher
            .get(self.step.edge, address, &none, MAX_FILE_BYTES)
            .await
            .and_then(|fetched| {
                let bytes = fetched.bytes.unwrap_or_default();
                sitemap(&bytes, fetched.url.as_str()).map_err(|e| unreadable(&e))
            });
        let listing = found.as_ref().map(|found| self.listing(found));
        let before = store.sitemap_entries(id, address)?;
        let named_by = if self.crawl.sitemaps_named {
            NamedBy::Site
        } else {
            NamedBy::Convention
        };
        let listing = listing.as_ref().map_err(|error| *error);
        let doubt = sitemaps::doubt(address, named_by, before, listing);
        if let Some(doubt) = &doubt {
            self.crawl.in_doubt |= doubt.keep_all;
            self.crawl.note.get_or_insert_with(|| doubt.failure.clone());
        }
        let listed = match found {
            Ok(listed) => listed,
            Err(trouble) => {
                if trouble.failure().code == FailureCode::NotFound {
                    store.set_sitemap(id, address, None)?;
                }
                let named = self.crawl.listed_only && address == self.crawl.first;
                let trouble = match (doubt, trouble) {
                    (Some(doubt), FetchError::Transient(_, after)) => {
                        FetchError::Transient(doubt.failure, after)
                    }
                    (Some(doubt), _) => FetchError::Permanent(doubt.failure),
                    (None, trouble) => trouble,
                };
                return Ok(named.then_some(trouble));
            }
        };
        if !listed.truncated {
            let entries = listed.pages.len() + listed.sitemaps.len();
            store.set_sitemap(id, address, Some(entries as u32))?;
        }
        for further in listed.sitemaps {
            let met = &mut self.crawl.met;
            if met.len() < MAX_SITEMAPS && !met.contains(&further.url) {
                met.push(further.url.clone());
                self.crawl.sitemaps.push(further.url);
                self.crawl.sitemaps_named = true;
            }
        }
        self.enqueue(listed.pages.iter().map(|entry| entry.url.as_str()), 1)?;
        Ok(None)
    }

    fn listing(&self, found: &Sitemap) -> Listing {
        let foreign = found
            .pages
            .iter()
            .filter(|page| self.admit(&page.url).is_none());
        Listing {
            entries: (found.pages.len() + found.sitemaps.len()) as u32,
            unreadable: found.unreadable as u32,
            foreign: foreign.count() as u32,
            truncated: found.truncated,
        }
    }

    /// Finishes a crawl: parts of whose pages it has found neither text nor an error are deleted. A crawl that has read
    /// nothing changes nothing.
    async fn finish(&self) -> Result<StepOutcome, StepError> {
        let (edge, bot, store) = (self.step.edge, &self.step.bot, self.step.store);
        let now = edge.now_ms();
        let parts = store.parts(&self.job.id)?;
        if !store.has_read(&self.job.id)? {
            store.finish_crawl(&self.job.id)?;
            let why = self.crawl.failure.as_ref().or(self.crawl.note.as_ref());
            let why = why.cloned().unwrap_or_else(no_page);
            return Ok(StepOutcome::Ended(failed(why, self.job, now)));
        }
        if !self.crawl.in_doubt {
            let gone = edge
                .library()
                .other_parts(bot, &self.job.id, &parts)
                .await?;
            for ids in gone.chunks(MAX_DELETED) {
                edge.library().remove_parts(bot, self.target, ids).await?;
                for id in ids {
                    store.forget_part(&self.job.id, id)?;
                }
            }
        }
        let done = parts.len() as u32;
        edge.library()
            .show_progress(bot, self.target, (done, done))
            .await?;
        store.finish_crawl(&self.job.id)?;
        store.set_crawled(&self.job.id, &self.job.given()?.url.unwrap_or_default())?;
        Ok(StepOutcome::Ended(AttemptResult::Collected {
            next_at: schedule::refresh_at(now, self.job.refresh_seconds),
            title: self.crawl.title.clone(),
            validators: Validators::default(),
            note: self.crawl.note.clone(),
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
