//! The Durable Object that reads what a bot is to know: one for each bot, with an alarm as its clock.
//!
//! What is to be done stands in the database (`source.next_at`), so nothing is lost that an owner was promised; what is
//! done already stands there, too. Each step may be killed at any point and is taken again.

use bulle_edge_core::{
    guard::directory,
    ports::{Clock, PortError},
    sources::{Failure, FailureCode, SourceKind, Trouble, failure, schedule},
};
use bulle_protocol::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::{document::Open, fetch_page::Fetcher, store::Store};
use crate::{
    adapters::{
        Edge,
        files::key,
        object::{Refused, asked},
    },
    config::{self, Crawling},
    http::status,
    log,
    repositories::library::{End, Shelf, Target, Work},
};

/// The binding, as wrangler.toml names it.
const BINDING: &str = "LIBRARIANS";

/// Milliseconds after which an alarm looks whether the one before has come to its end.
const WATCH_MS: u64 = 5_000;

/// Milliseconds of work after which the next alarm goes on.
const TICK_MS: u64 = 20_000;

/// Longest pause after the database failed, in milliseconds.
const MAX_TROUBLE_MS: u64 = 120_000;

/// Milliseconds after which what was begun with an announcement is looked after: an upload whose request died.
pub const ANNOUNCED_MS: u64 = 60_000;

/// What the edge asks of the object.
#[derive(Serialize, Deserialize)]
struct Look {
    shelf: Shelf,
    /// Where the edge is; empty when whoever asks does not know.
    origin: String,
    /// The source to look after; empty for the bot itself.
    about: String,
    in_ms: u64,
}

impl Edge {
    /// Has the bot's sources looked after in so many milliseconds, `about` with special care: a source that is made or
    /// deleted now, or, when it is empty, the bot.
    ///
    /// # Errors
    /// The object cannot be reached.
    pub async fn look(
        &self,
        shelf: &Shelf,
        origin: &str,
        about: &str,
        in_ms: u64,
    ) -> Result<(), PortError> {
        let name = format!("{}/{}", shelf.tenant_id, shelf.bot_id);
        let look = Look {
            shelf: shelf.clone(),
            origin: origin.to_owned(),
            about: about.to_owned(),
            in_ms,
        };
        match self.ask(BINDING, &name, &look).await {
            Ok(_) => Ok(()),
            Err(Refused::Unreachable(error)) => Err(PortError(error.to_string())),
            Err(Refused::Problem(problem)) => Err(PortError(problem.detail.clone())),
        }
    }
}

/// The object.
#[durable_object(alarm)]
pub struct Librarian {
    state: State,
    pub(super) edge: Edge,
    pub(super) store: Store,
    /// What is being written, so that it is not read again for every alarm.
    pub(super) open: RefCell<Option<Rc<Open>>>,
    running: Cell<bool>,
    woken: Cell<bool>,
    /// How often in a row the database has failed.
    troubles: Cell<u32>,
}

impl DurableObject for Librarian {
    fn new(state: State, env: Env) -> Self {
        let store = Store::new(state.storage().sql());
        Self {
            edge: Edge::new(env),
            store,
            open: RefCell::new(None),
            running: Cell::new(false),
            woken: Cell::new(false),
            troubles: Cell::new(0),
            state,
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let look: Look = asked(&mut request).await?;
        match self.plan(look).await {
            Ok(()) => Response::empty(),
            Err(error) => {
                log(&error);
                let problem = Problem::new(Code::StorageUnavailable, error.to_string());
                Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
            }
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        // Should the isolate die on the way, this one goes off.
        self.set_alarm(self.edge.now_ms() + WATCH_MS).await?;
        self.running.set(true);
        let next = self.tick().await;
        self.running.set(false);
        let now = self.edge.now_ms();
        let next = match next {
            Ok(next) => {
                self.troubles.set(0);
                next
            }
            Err(error) => {
                log::error("librarian", &error);
                let troubles = self.troubles.get().min(10);
                self.troubles.set(troubles + 1);
                Some(now + (1_000 << troubles).min(MAX_TROUBLE_MS))
            }
        };
        match next {
            Some(at) => self.set_alarm(at).await?,
            None => self.state.storage().delete_alarm().await?,
        }
        // Somebody asked while the alarm was set.
        if self.woken.get() {
            self.set_alarm(now).await?;
        }
        Response::empty()
    }
}

/// Why a step did not come to its end.
pub(super) enum Stop {
    /// Something is wrong with the source.
    Trouble(Trouble),
    /// Something is wrong with the platform.
    Port(PortError),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<worker::Error> for Stop {
    fn from(error: worker::Error) -> Self {
        Self::Port(PortError(error.to_string()))
    }
}

/// What a step works with.
pub(super) struct Desk {
    pub(super) shelf: Shelf,
    pub(super) fetcher: Fetcher,
    pub(super) crawling: Crawling,
}

/// The bot is gone.
struct Gone {
    /// When to go on with what is left of it.
    left: Option<u64>,
}

/// How a step ended.
pub(super) enum Outcome {
    /// The attempt has ended.
    Ended(End),
    /// What was new answers now, or nobody wants it any more.
    Settled,
    /// There is more to do.
    Paused,
}

impl Librarian {
    async fn plan(&self, look: Look) -> worker::Result<()> {
        let owner = (look.shelf, look.origin);
        let known = self.store.owner()?;
        if known.as_ref() != Some(&owner) && (known.is_none() || !owner.1.is_empty()) {
            self.store.set_owner(&owner)?;
        }
        let at = self.edge.now_ms() + look.in_ms;
        if look.in_ms == 0 {
            self.store.care_now(&look.about, at)?;
            self.woken.set(true);
        } else {
            self.store.care(&look.about, at)?;
        }
        if self.running.get() {
            return Ok(());
        }
        let set = self.state.storage().get_alarm().await?;
        match set {
            Some(set) if set as u64 <= at => Ok(()),
            _ => self.set_alarm(at).await,
        }
    }

    async fn set_alarm(&self, at: u64) -> worker::Result<()> {
        let in_ms = at.saturating_sub(self.edge.now_ms());
        let in_ms = i64::try_from(in_ms).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(in_ms).await
    }

    /// Works until nothing is to be done now: when there will be something.
    async fn tick(&self) -> Result<Option<u64>, PortError> {
        let stored = |e: worker::Error| PortError(e.to_string());
        let Some((shelf, origin)) = self.store.owner().map_err(stored)? else {
            return Ok(None);
        };
        let env = self.edge.env();
        let crawling = config::crawling(env);
        let contact = crawling.contact.clone();
        let contact = contact.unwrap_or_else(|| format!("{origin}/bot"));
        let desk = Desk {
            fetcher: Fetcher {
                guard: config::guard(env),
                agent: format!("Mozilla/5.0 (compatible; BulleBot/1.0; +{contact})"),
                timeout_ms: crawling.timeout_ms,
            },
            shelf,
            crawling,
        };
        let started = self.edge.now_ms();
        loop {
            self.woken.set(false);
            let now = self.edge.now_ms();
            if let Some(gone) = self.look_after(&desk.shelf, now).await? {
                return Ok(gone.left);
            }
            let mut next: Option<u64> = self.store.next_care().map_err(stored)?;
            let mut ready = None;
            for due in self.edge.library().due(&desk.shelf, now).await? {
                let mut at = due.next_at as u64;
                if due.kind == SourceKind::Site {
                    at = at.max(self.store.walk_ready_at(&due.id).map_err(stored)?);
                }
                if at <= now {
                    ready = Some(due.id);
                    break;
                }
                next = Some(next.map_or(at, |next| next.min(at)));
            }
            let Some(id) = ready else {
                let embed = self.embed(&desk.shelf).await?;
                let later = self.edge.library().due_later(&desk.shelf, now).await?;
                let worked = self.edge.now_ms().saturating_sub(started);
                let on = embed.is_some_and(|at| at <= self.edge.now_ms()) && worked <= TICK_MS;
                if self.woken.get() || on {
                    continue;
                }
                return Ok(next.into_iter().chain(later).chain(embed).min());
            };
            self.step(&desk, &id).await?;
            if self.edge.now_ms().saturating_sub(started) > TICK_MS {
                return Ok(Some(self.edge.now_ms()));
            }
        }
    }

    /// Takes away what is left of sources that are gone or have changed; or of the bot itself.
    async fn look_after(&self, shelf: &Shelf, now: u64) -> Result<Option<Gone>, PortError> {
        let stored = |e: worker::Error| PortError(e.to_string());
        let ids = self.store.cared(now).map_err(stored)?;
        if ids.is_empty() {
            return Ok(None);
        }
        if ids.iter().any(String::is_empty) && !self.edge.library().bot_exists(shelf).await? {
            let prefix = key(&shelf.tenant_id, &shelf.bot_id, "", "");
            let prefix = prefix.trim_end_matches('/');
            self.edge.delete_files(&format!("{prefix}/"), None).await?;
            let left = self.forget_vectors().await?;
            if left.is_none() {
                self.state.storage().delete_all().await.map_err(stored)?;
                // A bot of the same name may come.
                self.store.open();
            }
            return Ok(Some(Gone { left }));
        }
        let there = self.edge.library().files_of(shelf, &ids).await?;
        for id in ids.iter().filter(|id| !id.is_empty()) {
            let prefix = key(&shelf.tenant_id, &shelf.bot_id, id, "");
            let found = there.iter().find(|known| known.id == *id);
            match found {
                None => {
                    self.edge.delete_files(&prefix, None).await?;
                    self.store.forget(id).map_err(stored)?;
                }
                Some(known) => {
                    if let Some(checksum) = &known.checksum {
                        let current = format!("{prefix}{checksum}");
                        self.edge.delete_files(&prefix, Some(&current)).await?;
                    }
                }
            }
        }
        self.edge.library().sweep(shelf, &ids).await?;
        for id in &ids {
            self.store.cared_for(id, now).map_err(stored)?;
        }
        Ok(None)
    }

    /// One step of one source.
    async fn step(&self, desk: &Desk, id: &str) -> Result<(), PortError> {
        let Some(work) = self.edge.library().work(&desk.shelf, id).await? else {
            return Ok(());
        };
        let target = Target {
            id,
            revision: work.revision,
        };
        let stopped = match work.kind {
            SourceKind::Site => self.walk(desk, &work).await,
            SourceKind::Feed => self.attempt(desk, &work, true).await,
            _ => self.attempt(desk, &work, false).await,
        };
        let now = self.edge.now_ms();
        let end = match stopped {
            Ok(Outcome::Paused) => return Ok(()),
            Ok(Outcome::Settled) => {
                self.open.take();
                return self.tell_sites(&desk.shelf).await;
            }
            Ok(Outcome::Ended(end)) => end,
            Err(Stop::Port(error)) => return Err(error),
            Err(Stop::Trouble(trouble)) => {
                let attempt = work.attempts + 1;
                let first = desk.crawling.retry_ms;
                match schedule::after(&trouble, attempt, schedule::MAX_ATTEMPTS, first) {
                    schedule::Next::Again(pause) => {
                        let shown = schedule::trying_again(trouble.failure());
                        End::Again(shown, now + pause)
                    }
                    schedule::Next::GiveUp => {
                        failed(schedule::given_up(&trouble, attempt), &work, now)
                    }
                }
            }
        };
        self.open.take();
        self.edge
            .library()
            .end(&desk.shelf, target, &end, now)
            .await?;
        if matches!(end, End::Collected { .. }) {
            self.tell_sites(&desk.shelf).await?;
        }
        Ok(())
    }

    /// One attempt at a document or a feed.
    async fn attempt(&self, desk: &Desk, work: &Work, feed: bool) -> Result<Outcome, Stop> {
        if let Some(end) = self.begin(desk, work).await? {
            return Ok(end);
        }
        match feed {
            true => self.feed(desk, work).await,
            false => self.document(desk, work).await,
        }
    }

    /// Counts the attempt. An end when the source is to be another by now, or was begun too often: whatever ends the
    /// isolate in the middle of it would do so for ever.
    pub(super) async fn begin(&self, desk: &Desk, work: &Work) -> Result<Option<Outcome>, Stop> {
        let target = Target {
            id: &work.id,
            revision: work.revision,
        };
        let now = self.edge.now_ms();
        let Some(attempt) = self.edge.library().begin(&desk.shelf, target, now).await? else {
            return Ok(Some(Outcome::Settled));
        };
        if attempt > schedule::MAX_ATTEMPTS + 2 {
            let why = "It was begun several times and never came to its end: reading it takes more than a Worker may use. \
                       Divide it, or import it with the command line.";
            let end = failed(failure(FailureCode::TooMuchWork, why), work, now);
            return Ok(Some(Outcome::Ended(end)));
        }
        Ok(None)
    }

    /// Lets the sites of the bot notice that it knows something else.
    async fn tell_sites(&self, shelf: &Shelf) -> Result<(), PortError> {
        let sites = self.edge.library().sites_of(shelf).await?;
        let keys: Vec<&str> = sites.iter().map(String::as_str).collect();
        // What cannot be told now is noticed within a minute.
        directory::forget(&self.edge, &keys).await;
        Ok(())
    }
}

/// It failed for now; what is fetched regularly is fetched again all the same.
pub(super) fn failed(failure: Failure, work: &Work, now: u64) -> End {
    End::Failed(failure, schedule::refresh_at(now, work.refresh_seconds))
}

pub(super) fn log(error: &worker::Error) {
    log::error("librarian", error);
}
