//! One page of a crawl: fetched, parsed, stored as a source, its links queued.

use bulle_edge_core::{
    ports::Clock,
    sources::{
        FailureCode, FetchError, MAX_PAGE_BYTES, content::Prepared, frontier::part_id, schedule,
    },
};
use worker::Url;

use super::{
    crawl_context::CrawlContext,
    fetch_page::{Fetched, Redirects},
    index::{checksum, prepare},
    parse_page::{ParsedPage, parse_page},
    step::{StepError, target},
    store::{PageResult, PageState, QueuedPage},
};
use crate::repositories::library::{AttemptResult, Validators};

/// Most links of a page that are kept for the next crawl.
const MAX_LINKS: usize = 300;

impl CrawlContext<'_> {
    /// Fetches a page, parses it, stores it as a source and queues its links. Returns the other origin that the first page
    /// redirects to, where the crawl starts anew.
    pub async fn crawl_page(&mut self, page: &QueuedPage) -> Result<Option<Url>, StepError> {
        let id = part_id(&self.job.id, &page.url);
        let part = self.step.edge.library().job(&self.step.bot, &id).await?;
        let checksum = part.map(|part| part.checksum).unwrap_or_default();
        // A page whose source is gone, or has no content, is asked for whole.
        let known = if checksum.is_empty() {
            Validators::default()
        } else {
            page.validators()
        };
        let fetched = match self.fetch(page, &known).await? {
            Ok(fetched) => fetched,
            Err(trouble) => {
                self.retry_or_fail(page, &id, &trouble).await?;
                return Ok(None);
            }
        };
        if fetched.url.as_str() != page.url {
            return self.follow_redirect(page, fetched.url);
        }
        if fetched.bytes.is_none() {
            self.keep_page(page, &id, &checksum, &known).await?;
            return Ok(None);
        }
        match parse_page(&fetched) {
            Ok(parsed) => {
                self.store_page(page, &id, parsed, &fetched.validators)
                    .await?;
            }
            Err(trouble) if trouble.failure().code == FailureCode::Unsupported => {
                self.skip(page, &[])?;
            }
            Err(trouble) => self.retry_or_fail(page, &id, &trouble).await?,
        }
        Ok(None)
    }

    /// Fetches a page, and counts the try before the fetch, so that a page that crashes the object is not fetched
    /// without end.
    async fn fetch(
        &self,
        page: &QueuedPage,
        known: &Validators,
    ) -> Result<Result<Fetched, FetchError>, StepError> {
        let edge = self.step.edge;
        if page.attempts >= schedule::MAX_PAGE_ATTEMPTS {
            let why = "Reading this page took more than there is. Upload its content, in parts.";
            return Ok(Err(FetchError::permanent(FailureCode::TooMuchWork, why)));
        }
        self.step
            .store
            .retry_page(page.number, page.attempts + 1, edge.now_ms())?;
        // A page that redirects to another page of the site stands for that page; only the first page may redirect to
        // another origin.
        let redirects = if page.depth == 0 {
            Redirects::Follow
        } else {
            Redirects::Report
        };
        Ok(self
            .step
            .fetcher
            .get_with(edge, &page.url, (known, MAX_PAGE_BYTES), redirects)
            .await)
    }

    /// Queues the page that a page redirects to, in its place. Returns the target of the first page's redirect when that
    /// is another origin, once: the page is not skipped before the other crawl has started.
    fn follow_redirect(&self, page: &QueuedPage, target: Url) -> Result<Option<Url>, StepError> {
        let there = self.admit(target.as_str());
        if there.is_none() && page.depth == 0 && !self.crawl.moved {
            return Ok(Some(target));
        }
        self.skip(page, &[])?;
        self.enqueue(there.iter().map(Url::as_str), page.depth)?;
        Ok(None)
    }

    /// Keeps the source of a page that has not changed.
    async fn keep_page(
        &self,
        page: &QueuedPage,
        id: &str,
        checksum: &str,
        known: &Validators,
    ) -> Result<(), StepError> {
        let links = page.links();
        self.enqueue_links(page, &links)?;
        let result = PageResult {
            state: PageState::Read,
            part: id,
            checksum,
            validators: known,
            links: &links,
        };
        self.step.store.finish_page(page.number, &result)?;
        self.report_progress().await
    }

    /// Makes a source of a page that was read, unless another page has the same content or is named as its canonical
    /// address.
    async fn store_page(
        &mut self,
        page: &QueuedPage,
        id: &str,
        parsed: ParsedPage,
        validators: &Validators,
    ) -> Result<(), StepError> {
        self.enqueue_links(page, &parsed.links)?;
        let links: Vec<String> = parsed
            .links
            .into_iter()
            .filter(|link| self.admit(link).is_some())
            .take(MAX_LINKS)
            .collect();
        let canonical = parsed
            .canonical
            .and_then(|address| self.admit(&address))
            .filter(|canonical| canonical.as_str() != page.url);
        if let Some(canonical) = canonical {
            self.enqueue(std::iter::once(canonical.as_str()), page.depth)?;
            return self.skip(page, &links);
        }
        let Some(mut document) = parsed.document else {
            return self.skip(page, &links);
        };
        page.url.clone_into(&mut document.url);
        if let Some(language) = self.job.given()?.language {
            document.language = language;
        }
        let (title, bytes) = (document.title.clone(), document.body.len());
        let checksum = checksum(&document);
        let store = self.step.store;
        if store.is_duplicate(&self.job.id, page.number, &checksum)? {
            return self.skip(page, &links);
        }
        let Ok(prepared) = prepare(document, checksum, bytes) else {
            return self.skip(page, &links);
        };
        if !self.write_part(page, id, &prepared, validators).await? {
            return Ok(());
        }
        let result = PageResult {
            state: PageState::Read,
            part: id,
            checksum: &prepared.checksum,
            validators,
            links: &links,
        };
        store.finish_page(page.number, &result)?;
        if page.depth == 0 || self.crawl.title.is_none() {
            self.crawl.title = Some(title);
        }
        self.report_progress().await
    }

    /// Writes the source of a page. Returns false when the site has changed or is gone.
    async fn write_part(
        &self,
        page: &QueuedPage,
        id: &str,
        prepared: &Prepared,
        validators: &Validators,
    ) -> Result<bool, StepError> {
        let (edge, bot) = (self.step.edge, &self.step.bot);
        let now = edge.now_ms();
        let Some(part) = edge
            .library()
            .part(bot, self.target, id, &page.url, now)
            .await?
        else {
            return Ok(false);
        };
        let target = target(&part);
        if part.checksum == prepared.checksum {
            let unchanged = AttemptResult::Unchanged {
                next_at: None,
                validators: Validators::default(),
            };
            edge.library().end(bot, target, &unchanged, now).await?;
        } else {
            let next = (None, validators);
            self.step.index(target, prepared, next, None).await?;
        }
        Ok(true)
    }

    /// Skips a page: it does not become a source.
    fn skip(&self, page: &QueuedPage, links: &[String]) -> Result<(), StepError> {
        let result = PageResult {
            state: PageState::Skipped,
            part: "",
            checksum: "",
            validators: &Validators::default(),
            links,
        };
        self.step.store.finish_page(page.number, &result)?;
        Ok(())
    }

    /// Tries a page again later, or gives it up in this crawl. A page that answers 404 or 410 is removed; one that fails
    /// otherwise keeps its last content, and its last links are followed.
    async fn retry_or_fail(
        &mut self,
        page: &QueuedPage,
        id: &str,
        trouble: &FetchError,
    ) -> Result<(), StepError> {
        let (edge, store) = (self.step.edge, self.step.store);
        let now = edge.now_ms();
        let attempt = page.attempts + 1;
        let first_ms = self.step.crawling.retry_ms;
        let next = schedule::after(trouble, attempt, schedule::MAX_PAGE_ATTEMPTS, first_ms);
        if let schedule::Next::Again(pause) = next {
            store.retry_page(page.number, attempt, now + pause)?;
            return Ok(());
        }
        if page.depth == 0 || self.crawl.failure.is_none() {
            self.crawl.failure = Some(schedule::given_up(trouble, attempt));
        }
        if trouble.failure().code == FailureCode::NotFound {
            return self.skip(page, &[]);
        }
        let links = page.links();
        self.enqueue_links(page, &links)?;
        let bot = &self.step.bot;
        if let Some(part) = edge
            .library()
            .part(bot, self.target, id, &page.url, now)
            .await?
        {
            let end = AttemptResult::Failed(schedule::given_up(trouble, attempt), None);
            edge.library().end(bot, target(&part), &end, now).await?;
        }
        let result = PageResult {
            state: PageState::Failed,
            part: id,
            checksum: "",
            validators: &Validators::default(),
            links: &links,
        };
        store.finish_page(page.number, &result)?;
        Ok(())
    }
}
