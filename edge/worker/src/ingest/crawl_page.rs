//! One page of a crawl: fetched, parsed, stored as a source, its links queued.

use bulle_edge_core::{
    ports::Clock,
    sources::{
        Failure, FailureCode, FetchError, MAX_PAGE_BYTES,
        content::Prepared,
        failure,
        frontier::{self, part_id},
        pointers::{Pointer, PointerKind, Standing},
        schedule,
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
        let is_known = !checksum.is_empty();
        let path = Url::parse(&page.url).map(|url| frontier::path(&url));
        // `robots.txt` may have changed since the last crawl. It has no rules for pages of the site's former origin.
        if self.admit(&page.url).is_some() && path.is_ok_and(|path| !self.robots.allows(&path)) {
            let links = page.links();
            let at = (page.number, page.url.as_str());
            self.keep_or_skip(at, &links, robots_forbid()).await?;
            return Ok(None);
        }
        let fetched = match self.fetch(page, &known).await? {
            Ok(fetched) => fetched,
            Err(trouble) => {
                self.retry_or_fail(page, &id, &trouble).await?;
                return Ok(None);
            }
        };
        if let Some(kind) = fetched.redirected {
            return self.follow_redirect(page, &fetched.url, kind);
        }
        if fetched.bytes.is_none() {
            if fetched.rules.noindex {
                self.skip(page.number, &[])?;
            } else {
                self.keep_page(page, &id, &checksum, &known).await?;
            }
            return Ok(None);
        }
        match parse_page(&fetched) {
            Ok(parsed) => {
                self.store_page(page, &id, &checksum, parsed, &fetched.validators)
                    .await?;
            }
            Err(trouble) if trouble.failure().code == FailureCode::Unsupported && !is_known => {
                self.skip(page.number, &[])?;
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
        // A page that redirects to another page of the site waits for that page; only the first page may redirect to
        // another origin.
        let redirects = if self.step.store.reads_itself(&self.job.id, &page.url)? {
            Redirects::ReadRefresh
        } else if page.depth == 0 {
            Redirects::Follow
        } else {
            Redirects::Report
        };
        let (fetcher, limits) = (&self.step.fetcher, (known, MAX_PAGE_BYTES));
        let fetched = fetcher.get_with(edge, &page.url, limits, redirects).await;
        // A redirect that only adds a tracking parameter leads to the page itself.
        match fetched {
            Ok(fetched)
                if fetched.redirected.is_some()
                    && self
                        .admit(fetched.url.as_str())
                        .is_some_and(|there| there.as_str() == page.url) =>
            {
                let whole = fetcher
                    .get_with(edge, &page.url, limits, Redirects::Follow)
                    .await;
                Ok(whole.map(|whole| Fetched {
                    redirected: None,
                    ..whole
                }))
            }
            other => Ok(other),
        }
    }

    /// Queues the target of a page's redirect; the page waits for it. Returns the target of the first page's redirect
    /// when that is another origin, once: the page is not skipped before the other crawl has started.
    fn follow_redirect(
        &self,
        page: &QueuedPage,
        target: &Url,
        kind: PointerKind,
    ) -> Result<Option<Url>, StepError> {
        let there = self.admit(target.as_str());
        if there.is_none() && page.depth == 0 && !self.crawl.moved {
            return Ok(Some(target.clone()));
        }
        let there = there.as_ref().unwrap_or(target).as_str();
        self.enqueue(std::iter::once(there), page.depth)?;
        let target = there.to_owned();
        let pointer = Pointer { kind, target };
        let at = (page.number, page.url.as_str());
        self.step.store.wait_for(&self.job.id, at, &pointer)?;
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
        known: &str,
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
        if parsed.noindex {
            return self.skip(page.number, &links);
        }
        if let Some(canonical) = parsed.canonical
            && self.leave_to_canonical(page, &canonical, &links)?
        {
            return Ok(());
        }
        let (store, at) = (self.step.store, (page.number, page.url.as_str()));
        let Some(mut document) = parsed.document else {
            return self.keep_or_skip(at, &links, no_text()).await;
        };
        page.url.clone_into(&mut document.url);
        if let Some(language) = self.job.given()?.language {
            document.language = language;
        }
        let (title, bytes) = (document.title.clone(), document.body.len());
        let checksum = checksum(&document);
        // A page with unchanged content stays, even if another page has the same content now.
        if checksum != known && store.is_duplicate(&self.job.id, page.number, &checksum)? {
            return self.keep_or_skip(at, &links, duplicate()).await;
        }
        let Ok(prepared) = prepare(document, checksum, bytes) else {
            return self.keep_or_skip(at, &links, no_text()).await;
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

    /// Skips a page whose canonical page was read, or lets it wait for its canonical page. Returns false when the page itself
    /// is to be read.
    fn leave_to_canonical(
        &self,
        page: &QueuedPage,
        canonical: &str,
        links: &[String],
    ) -> Result<bool, StepError> {
        let (store, id) = (self.step.store, &self.job.id);
        let Some(canonical) = self.admit(canonical) else {
            return Ok(false);
        };
        if canonical.as_str() == page.url || store.reads_itself(id, &page.url)? {
            return Ok(false);
        }
        self.enqueue(std::iter::once(canonical.as_str()), page.depth)?;
        match store.standing(id, canonical.as_str())? {
            Standing::Read => self.skip(page.number, links)?,
            Standing::Open => {
                let pointer = Pointer {
                    kind: PointerKind::Canonical,
                    target: canonical.into(),
                };
                store.wait_for(id, (page.number, &page.url), &pointer)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Skips a page. Its part, if any, is deleted at the end of the crawl.
    pub fn skip(&self, number: i64, links: &[String]) -> Result<(), StepError> {
        let result = PageResult {
            state: PageState::Skipped,
            part: "",
            checksum: "",
            validators: &Validators::default(),
            links,
        };
        self.step.store.finish_page(number, &result)?;
        Ok(())
    }

    /// Keeps the last version of a page and stores the failure. A page without a last version is skipped.
    pub async fn keep_or_skip(
        &self,
        (number, url): (i64, &str),
        links: &[String],
        failure: Failure,
    ) -> Result<(), StepError> {
        let id = part_id(&self.job.id, url);
        let library = self.step.edge.library();
        let part = library.job(&self.step.bot, &id).await?;
        if part.is_none_or(|part| part.checksum.is_empty()) {
            return self.skip(number, links);
        }
        self.fail_page((number, url), &id, links, failure).await
    }

    /// Stores the failure of a page. Its last version stays in use.
    async fn fail_page(
        &self,
        (number, url): (i64, &str),
        id: &str,
        links: &[String],
        failure: Failure,
    ) -> Result<(), StepError> {
        let (edge, bot) = (self.step.edge, &self.step.bot);
        let (library, now) = (edge.library(), edge.now_ms());
        if let Some(part) = library.part(bot, self.target, id, url, now).await? {
            let end = AttemptResult::Failed(failure, None);
            library.end(bot, target(&part), &end, now).await?;
        }
        let result = PageResult {
            state: PageState::Failed,
            part: id,
            checksum: "",
            validators: &Validators::default(),
            links,
        };
        self.step.store.finish_page(number, &result)?;
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
        let store = self.step.store;
        let now = self.step.edge.now_ms();
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
            return self.skip(page.number, &[]);
        }
        let links = page.links();
        self.enqueue_links(page, &links)?;
        let failure = schedule::given_up(trouble, attempt);
        let at = (page.number, page.url.as_str());
        self.fail_page(at, id, &links, failure).await
    }
}

fn no_text() -> Failure {
    failure(
        FailureCode::NoText,
        "The page has no text any more. Its last version stays in use. To remove it, answer 404 or delete it here.",
    )
}

fn duplicate() -> Failure {
    failure(
        FailureCode::NoText,
        "The page has the same content as another page of the site, for example a maintenance page. Its last version \
         stays in use. To remove it, add a canonical link to the other page or delete it here.",
    )
}

fn robots_forbid() -> Failure {
    failure(
        FailureCode::RobotsForbid,
        "The site's robots.txt forbids this page by now. Its last version stays in use. Allow \"User-agent: BulleBot\" \
         there; to remove the page, delete it here.",
    )
}
