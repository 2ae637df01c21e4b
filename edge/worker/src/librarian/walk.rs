//! Sites: robots.txt, sitemaps, then page after page, one request at a time. Every page becomes a source of its own; what
//! a whole walk has not met is deleted at its end.

use bulle_edge_core::{
    digest::sha256_hex,
    ports::Clock,
    sources::{
        Failure, FailureCode, MAX_FILE_BYTES, MAX_PAGE_BYTES, Trouble, failure,
        frontier::{self, Frontier, part_id},
        schedule,
    },
};
use bulle_edge_formats::{Document, Robots, robots, sitemap};
use serde::{Deserialize, Serialize};

use super::{
    Desk, Librarian, Outcome, Stop,
    document::{allowed, prepared, unreadable},
    fetch::Redirects,
    said::hear,
    shelf::{Page, PageState, Turned},
};
use crate::adapters::library::{End, Target, Validators, Work};

/// Most sitemaps of a walk.
const MAX_SITEMAPS: u32 = 50;

/// Most links of a page that are kept for the next walk.
const MAX_LINKS: usize = 300;

/// Parts that are deleted at once.
const DELETED: usize = 100;

/// Bytes of a robots.txt that are kept during a walk.
const KEPT_ROBOTS: usize = 512 * 1_024;

/// A walk on its way.
#[derive(Serialize, Deserialize)]
struct Walk {
    revision: u32,
    first: String,
    robots: String,
    pause_ms: u64,
    sitemaps: Vec<String>,
    met_sitemaps: u32,
    /// Only what sitemaps list is wanted.
    listed_only: bool,
    /// The first page has led to another origin.
    moved: bool,
    title: Option<String>,
    failure: Option<Failure>,
    /// Something that leads to pages could not be read now: what was not met may still be there.
    #[serde(default)]
    incomplete: bool,
}

/// What a walk works with.
struct Way<'w> {
    desk: &'w Desk,
    work: &'w Work,
    target: Target<'w>,
    frontier: Frontier,
    robots: Robots,
}

impl Librarian {
    /// One step of a walk: one request.
    pub(super) async fn walk(&self, desk: &Desk, work: &Work) -> Result<Outcome, Stop> {
        let kept: Option<Walk> = self.store.walk(&work.id)?;
        let Some(mut walk) = kept.filter(|walk| walk.revision == work.revision) else {
            return self.set_out(desk, work, None).await;
        };
        let given = work.given()?;
        let first = desk.fetcher.guard.check(&walk.first)?;
        let way = Way {
            desk,
            work,
            target: Target {
                id: &work.id,
                revision: work.revision,
            },
            frontier: Frontier::new(&first, given.max_pages, given.max_depth),
            robots: robots(&walk.robots),
        };
        if let Some(address) = walk.sitemaps.pop() {
            self.list(&way, &mut walk, &address).await?;
            return self.rest(&way, &walk);
        }
        let (read, _) = self.store.counts(&work.id)?;
        if read >= way.frontier.max_pages {
            return self.arrive(&way, &walk).await;
        }
        let now = self.edge.now_ms();
        match self.store.next_page(&work.id, now)? {
            Ok(page) => match self.visit(&way, &mut walk, &page).await? {
                Some(elsewhere) => self.set_out(desk, work, Some(elsewhere)).await,
                None => self.rest(&way, &walk),
            },
            Err(Some(at)) => {
                self.store.keep_walk(&work.id, &walk, at)?;
                Ok(Outcome::Paused)
            }
            Err(None) => self.arrive(&way, &walk).await,
        }
    }

    /// Begins a walk, `elsewhere` when the first page has led there.
    async fn set_out(
        &self,
        desk: &Desk,
        work: &Work,
        elsewhere: Option<worker::Url>,
    ) -> Result<Outcome, Stop> {
        if let Some(end) = self.begin(desk, work).await? {
            return Ok(end);
        }
        let given = work.given()?;
        let guard = &desk.fetcher.guard;
        let moved = elsewhere.is_some();
        let first = match elsewhere {
            Some(url) => url,
            None => guard.check(given.url.as_deref().unwrap_or_default())?,
        };
        let (text, robots) = self.robots(desk, &first).await?;
        let path = first.path().to_ascii_lowercase();
        let listed_only = [".xml", ".xml.gz", ".txt"]
            .iter()
            .any(|end| path.ends_with(end));
        let sitemaps = if listed_only {
            vec![first.to_string()]
        } else if robots.sitemaps().is_empty() {
            let usual = first.join("/sitemap.xml").ok();
            usual.map(String::from).into_iter().collect()
        } else {
            robots.sitemaps().iter().take(10).cloned().collect()
        };
        self.store.begin_walk(&work.id)?;
        if !listed_only {
            allowed(&robots, &first)?;
            let frontier = Frontier::new(&first, given.max_pages, given.max_depth);
            if let Some(page) = frontier.admit(guard, first.as_str()) {
                let most = frontier.most_addresses();
                self.store.admit(&work.id, page.as_str(), 0, most)?;
            }
        }
        let walk = Walk {
            revision: work.revision,
            first: first.to_string(),
            pause_ms: frontier::pause_ms(robots.crawl_delay(), desk.crawling.pause_ms),
            robots: text.chars().take(KEPT_ROBOTS).collect(),
            met_sitemaps: sitemaps.len() as u32,
            sitemaps,
            listed_only,
            moved,
            title: None,
            failure: None,
            incomplete: false,
        };
        let ready_at = self.edge.now_ms() + walk.pause_ms;
        self.store.keep_walk(&work.id, &walk, ready_at)?;
        Ok(Outcome::Paused)
    }

    /// Waits as long as the site wants.
    fn rest(&self, way: &Way<'_>, walk: &Walk) -> Result<Outcome, Stop> {
        let ready_at = self.edge.now_ms() + walk.pause_ms;
        self.store.keep_walk(&way.work.id, walk, ready_at)?;
        Ok(Outcome::Paused)
    }

    /// Reads a sitemap. One that cannot be read is missing only where there is nothing else.
    async fn list(&self, way: &Way<'_>, walk: &mut Walk, address: &str) -> Result<(), Stop> {
        let none = Validators::default();
        let fetcher = &way.desk.fetcher;
        let fetched = fetcher
            .get(&self.edge, address, &none, MAX_FILE_BYTES)
            .await;
        let listed = fetched.and_then(|fetched| {
            let bytes = fetched.bytes.unwrap_or_default();
            sitemap(&bytes).map_err(|e| unreadable(&e))
        });
        let listed = match listed {
            Ok(listed) => listed,
            Err(trouble) => {
                walk.incomplete |= !matches!(trouble, Trouble::Lasting(_));
                if walk.listed_only {
                    walk.failure.get_or_insert(trouble.failure().clone());
                }
                return Ok(());
            }
        };
        for further in listed.sitemaps {
            if walk.met_sitemaps < MAX_SITEMAPS {
                walk.met_sitemaps += 1;
                walk.sitemaps.push(further.url);
            }
        }
        let pages = listed.pages.iter().map(|entry| entry.url.as_str());
        self.meet(way, pages, 1)
    }

    /// Remembers addresses that belong to the site and may be fetched.
    fn meet<'a>(
        &self,
        way: &Way<'_>,
        addresses: impl Iterator<Item = &'a str>,
        depth: u32,
    ) -> Result<(), Stop> {
        let most = way.frontier.most_addresses();
        for address in addresses.take(most as usize) {
            let url = way.frontier.admit(&way.desk.fetcher.guard, address);
            if let Some(url) = url.filter(|url| way.robots.allows(&frontier::path(url))) {
                self.store.admit(&way.work.id, url.as_str(), depth, most)?;
            }
        }
        Ok(())
    }

    /// Fetches a page. The other origin that the first page has led to, if it has.
    async fn visit(
        &self,
        way: &Way<'_>,
        walk: &mut Walk,
        page: &Page,
    ) -> Result<Option<worker::Url>, Stop> {
        let (edge, desk) = (&self.edge, way.desk);
        let id = part_id(&way.work.id, &page.url);
        let part = edge.work(&desk.shelf, &id).await?;
        // What is not there any more is asked for whole.
        let known = match &part {
            Some(part) if !part.checksum.is_empty() => page.validators(),
            _ => Validators::default(),
        };
        // A page that leads to another of the site is that one; the first may lead anywhere.
        let redirects = match page.depth {
            0 => Redirects::Follow,
            _ => Redirects::Tell,
        };
        // What ends the object while it is read is not read for ever.
        if page.attempts >= schedule::MAX_PAGE_ATTEMPTS {
            let why = "Reading this page took more than there is. Upload its content, in parts.";
            let trouble = Trouble::lasting(FailureCode::TooMuchWork, why);
            self.missed(way, walk, page, &id, trouble).await?;
            return Ok(None);
        }
        self.store
            .again(page.number, page.attempts + 1, edge.now_ms())?;
        let asked = (&known, MAX_PAGE_BYTES);
        let fetched = desk.fetcher.get_with(edge, &page.url, asked, redirects);
        let fetched = match fetched.await {
            Ok(fetched) => fetched,
            Err(trouble) => {
                self.missed(way, walk, page, &id, trouble).await?;
                return Ok(None);
            }
        };
        if fetched.url.as_str() != page.url {
            let there = way
                .frontier
                .admit(&desk.fetcher.guard, fetched.url.as_str());
            // The page is not passed over before the other walk has begun.
            if there.is_none() && page.depth == 0 && !walk.moved {
                return Ok(Some(fetched.url));
            }
            self.pass(page, &[])?;
            self.meet(way, there.iter().map(worker::Url::as_str), page.depth)?;
            return Ok(None);
        }
        let validators = fetched.validators.clone();
        if fetched.bytes.is_none() {
            let links = page.links();
            let checksum = part.map(|part| part.checksum).unwrap_or_default();
            self.go_on(way, page, &links)?;
            let turned = Turned {
                state: PageState::Read,
                part: &id,
                checksum: &checksum,
                validators: &known,
                links: &links,
            };
            self.store.turned(page.number, &turned)?;
            return self.show(way).await.map(|()| None);
        }
        let said = match hear(&fetched) {
            Ok(said) => said,
            Err(trouble) if trouble.failure().code == FailureCode::Unsupported => {
                self.pass(page, &[])?;
                return Ok(None);
            }
            Err(trouble) => {
                self.missed(way, walk, page, &id, trouble).await?;
                return Ok(None);
            }
        };
        self.go_on(way, page, &said.links)?;
        let guard = &desk.fetcher.guard;
        let links = said.links.into_iter();
        let links = links.filter(|link| way.frontier.admit(guard, link).is_some());
        let links: Vec<String> = links.take(MAX_LINKS).collect();
        let canonical = said.canonical.as_deref();
        let canonical = canonical.and_then(|address| way.frontier.admit(guard, address));
        if let Some(other) = canonical.filter(|other| other.as_str() != page.url) {
            self.meet(way, std::iter::once(other.as_str()), page.depth)?;
            return self.pass(page, &links).map(|()| None);
        }
        let Some(mut document) = said.document else {
            return self.pass(page, &links).map(|()| None);
        };
        page.url.clone_into(&mut document.url);
        if let Some(language) = way.work.given()?.language {
            document.language = language;
        }
        let Document {
            title,
            language,
            body,
            ..
        } = &document;
        let pieces = [title.as_str(), "\n", language, "\n", body].map(str::as_bytes);
        let checksum = sha256_hex(pieces);
        if self
            .store
            .said_before(&way.work.id, page.number, &checksum)?
        {
            return self.pass(page, &links).map(|()| None);
        }
        let bytes = document.body.len();
        let title = document.title.clone();
        let Ok(prepared) = prepared(document, checksum, bytes) else {
            return self.pass(page, &links).map(|()| None);
        };
        let now = edge.now_ms();
        let part = edge
            .part(&desk.shelf, way.target, &id, &page.url, now)
            .await?;
        let Some(part) = part else {
            return Ok(None);
        };
        let target = Target {
            id: &part.id,
            revision: part.revision,
        };
        if part.checksum == prepared.checksum {
            let unchanged = End::Unchanged {
                next_at: None,
                validators: Validators::default(),
            };
            edge.end(&desk.shelf, target, &unchanged, now).await?;
        } else {
            let next = (None, &validators);
            self.index(desk, target, &prepared, next, None).await?;
        }
        let turned = Turned {
            state: PageState::Read,
            part: &id,
            checksum: &prepared.checksum,
            validators: &validators,
            links: &links,
        };
        self.store.turned(page.number, &turned)?;
        if page.depth == 0 || walk.title.is_none() {
            walk.title = Some(title);
        }
        self.show(way).await.map(|()| None)
    }

    /// Remembers where the page leads.
    fn go_on(&self, way: &Way<'_>, page: &Page, links: &[String]) -> Result<(), Stop> {
        let given = way.work.given()?;
        let listed = [".xml", ".xml.gz", ".txt"];
        let address = given.url.unwrap_or_default().to_ascii_lowercase();
        if page.depth >= way.frontier.max_depth || listed.iter().any(|end| address.ends_with(end)) {
            return Ok(());
        }
        self.meet(way, links.iter().map(String::as_str), page.depth + 1)
    }

    /// Passes over a page.
    fn pass(&self, page: &Page, links: &[String]) -> Result<(), Stop> {
        let turned = Turned {
            state: PageState::Passed,
            part: "",
            checksum: "",
            validators: &Validators::default(),
            links,
        };
        self.store.turned(page.number, &turned)?;
        Ok(())
    }

    /// A page that could not be fetched or read: again, or never in this walk.
    async fn missed(
        &self,
        way: &Way<'_>,
        walk: &mut Walk,
        page: &Page,
        id: &str,
        trouble: Trouble,
    ) -> Result<(), Stop> {
        let now = self.edge.now_ms();
        let first = way.desk.crawling.retry_ms;
        let attempt = page.attempts + 1;
        let next = schedule::after(&trouble, attempt, schedule::MAX_PAGE_ATTEMPTS, first);
        if let schedule::Next::Again(pause) = next {
            self.store.again(page.number, attempt, now + pause)?;
            return Ok(());
        }
        if page.depth == 0 || walk.failure.is_none() {
            walk.failure = Some(schedule::given_up(&trouble, attempt));
        }
        // What is gone goes; what fails keeps what it said before.
        if trouble.failure().code == FailureCode::NotFound {
            return self.pass(page, &[]);
        }
        // So does what it leads to.
        let links = page.links();
        self.go_on(way, page, &links)?;
        let shelf = &way.desk.shelf;
        let part = self
            .edge
            .part(shelf, way.target, id, &page.url, now)
            .await?;
        if let Some(part) = part {
            let target = Target {
                id: &part.id,
                revision: part.revision,
            };
            let end = End::Failed(schedule::given_up(&trouble, attempt), None);
            self.edge.end(shelf, target, &end, now).await?;
        }
        let turned = Turned {
            state: PageState::Failed,
            part: id,
            checksum: "",
            validators: &Validators::default(),
            links: &links,
        };
        self.store.turned(page.number, &turned)?;
        Ok(())
    }

    async fn show(&self, way: &Way<'_>) -> Result<(), Stop> {
        let (done, total) = self.store.counts(&way.work.id)?;
        let total = total.min(way.frontier.max_pages).max(done);
        let shelf = &way.desk.shelf;
        self.edge
            .show_progress(shelf, way.target, (done, total))
            .await?;
        Ok(())
    }

    /// Ends a walk. When nothing could be read, everything stays as it was.
    async fn arrive(&self, way: &Way<'_>, walk: &Walk) -> Result<Outcome, Stop> {
        let (edge, shelf, work) = (&self.edge, &way.desk.shelf, way.work);
        let now = edge.now_ms();
        let stay = self.store.parts(&work.id)?;
        if !self.store.has_read(&work.id)? {
            self.store.end_walk(&work.id)?;
            let nothing = || {
                failure(
                    FailureCode::NoText,
                    "No page with text was found. See whether the pages show their text without scripts, and whether they \
                     may be indexed.",
                )
            };
            let why = walk.failure.clone().unwrap_or_else(nothing);
            return Ok(Outcome::Ended(super::failed(why, work, now)));
        }
        let gone = match walk.incomplete {
            true => Vec::new(),
            false => edge.other_parts(shelf, &work.id, &stay).await?,
        };
        for ids in gone.chunks(DELETED) {
            edge.remove_parts(shelf, way.target, ids).await?;
        }
        let done = stay.len() as u32;
        edge.show_progress(shelf, way.target, (done, done)).await?;
        self.store.end_walk(&work.id)?;
        Ok(Outcome::Ended(End::Collected {
            next_at: schedule::refresh_at(now, work.refresh_seconds),
            title: walk.title.clone(),
            validators: Validators::default(),
        }))
    }
}
