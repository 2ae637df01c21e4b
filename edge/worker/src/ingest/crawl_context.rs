//! The state of a crawl, and its queue of pages.

use bulle_edge_core::sources::{
    Failure,
    frontier::{self, Frontier},
};
use bulle_edge_formats::Robots;
use serde::{Deserialize, Serialize};
use worker::Url;

use super::{
    step::{StepContext, StepError},
    store::QueuedPage,
};
use crate::repositories::library::{IngestJob, Target};

/// Ends of the paths of sitemaps. An owner who names one wants the pages that it lists, and no others.
const SITEMAPS: [&str; 3] = [".xml", ".xml.gz", ".txt"];

/// The state of a crawl between its steps.
#[derive(Serialize, Deserialize)]
pub struct Crawl {
    /// The revision of the source that is crawled.
    pub revision: u32,
    /// The address of the first page.
    pub first: String,
    /// The text of `robots.txt`.
    pub robots: String,
    /// Milliseconds between two requests.
    pub pause_ms: u64,
    /// Sitemaps that are to be read.
    pub sitemaps: Vec<String>,
    /// All sitemaps of the crawl so far, read or not.
    #[serde(default)]
    pub met: Vec<String>,
    /// Whether the owner, `robots.txt` or a sitemap names the sitemaps. If not, the site may have none.
    #[serde(default)]
    pub sitemaps_named: bool,
    /// Whether only the pages that sitemaps list are wanted.
    pub listed_only: bool,
    /// Whether the first page has redirected to another origin.
    pub moved: bool,
    /// The title of the first page, else of the first page that was read.
    pub title: Option<String>,
    /// The failure of the first page, else the first failure.
    pub failure: Option<Failure>,
    /// The first problem of a sitemap, for the owner.
    #[serde(default)]
    pub note: Option<Failure>,
    /// Whether a sitemap is in doubt (`edge/core/src/sources/sitemaps.rs`), so that no page is deleted.
    #[serde(default)]
    pub in_doubt: bool,
}

/// The arguments of a crawl's steps.
pub struct CrawlContext<'c> {
    /// The arguments of every step.
    pub step: &'c StepContext<'c>,
    /// The site.
    pub job: &'c IngestJob,
    /// The revision of the site that is crawled.
    pub target: Target<'c>,
    /// Which addresses belong to the site.
    pub frontier: Frontier,
    /// The rules of `robots.txt`.
    pub robots: Robots,
    /// The state between steps.
    pub crawl: Crawl,
}

impl CrawlContext<'_> {
    /// Queues the addresses that belong to the site and that `robots.txt` allows.
    pub fn enqueue<'a>(
        &self,
        addresses: impl Iterator<Item = &'a str>,
        depth: u32,
    ) -> Result<(), StepError> {
        let most = self.frontier.most_addresses();
        for address in addresses.take(most as usize) {
            let url = self.admit(address);
            if let Some(url) = url.filter(|url| self.robots.allows(&frontier::path(url))) {
                self.step
                    .store
                    .enqueue(&self.job.id, url.as_str(), depth, most)?;
            }
        }
        Ok(())
    }

    /// Queues the addresses that a page links to, unless it is as deep as pages may be.
    pub fn enqueue_links(&self, page: &QueuedPage, links: &[String]) -> Result<(), StepError> {
        let address = self.job.given()?.url.unwrap_or_default();
        if page.depth >= self.frontier.max_depth || is_sitemap(&address) {
            return Ok(());
        }
        self.enqueue(links.iter().map(String::as_str), page.depth + 1)
    }

    /// Queues the pages of all parts, also those without a link or a sitemap entry, because a page is deleted only for a
    /// response of its own address. Not queued are pages that the owner has excluded by another address or a smaller depth.
    pub async fn enqueue_known(&self) -> Result<(), StepError> {
        let (step, id) = (self.step, &self.job.id);
        let given = self.job.given()?.url.unwrap_or_default();
        let named = step.fetcher.guard.check(&given)?;
        // After a change to another sitemap, only the pages of that one are wanted.
        let renamed = step.store.crawled(id)?.is_some_and(|last| last != given);
        if self.crawl.listed_only && renamed {
            return Ok(());
        }
        for part in step.edge.library().parts(&step.bot, id).await? {
            let Ok(url) = step.fetcher.guard.check(&part.url) else {
                continue;
            };
            // The redirect of the first page to another origin may be temporary, so the old pages are requested as well.
            let before_move = self.crawl.moved && url.origin() == named.origin();
            if before_move || self.admit(&part.url).is_some() {
                let (part, max_depth) = ((&*part.id, url.as_str()), self.frontier.max_depth);
                step.store.enqueue_known(id, part, max_depth)?;
            }
        }
        Ok(())
    }

    /// The address, if it belongs to the site.
    pub fn admit(&self, address: &str) -> Option<Url> {
        self.frontier.admit(&self.step.fetcher.guard, address)
    }

    pub async fn report_progress(&self) -> Result<(), StepError> {
        let (done, total) = self.step.store.counts(&self.job.id)?;
        let total = total.min(self.frontier.max_pages).max(done);
        self.step
            .edge
            .library()
            .show_progress(&self.step.bot, self.target, (done, total))
            .await?;
        Ok(())
    }
}

/// Whether a path is that of a sitemap.
pub fn is_sitemap(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    SITEMAPS.iter().any(|end| path.ends_with(end))
}
