//! The Durable Object that ingests what a bot is to know: one for each bot, with an alarm as its clock.
//!
//! The database holds what is to be done (`source.next_at`) and what is done already, so that a step may be killed at any
//! point and is taken again. The object's own storage holds the cleanup queue and the crawls of sites.

use bulle_edge_core::{
    ports::{Clock, PortError},
    sources::SourceKind,
};
use bulle_protocol::problem::{Code, Problem};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::{
    fetch_page::Fetcher,
    step::{Draft, StepContext, stored},
    store::IngestStore,
};
use crate::{
    adapters::{Edge, ingest::IngestRequest, object::asked},
    config,
    http::status,
    log,
    repositories::library::BotKey,
};

/// Milliseconds after which a second alarm looks whether the one before died.
const WATCHDOG_MS: u64 = 5_000;

/// Milliseconds of work after which the next alarm goes on.
const MAX_RUN_MS: u64 = 20_000;

/// Longest pause after the platform failed, in milliseconds.
const MAX_BACKOFF_MS: u64 = 120_000;

/// The object of a bot. The class keeps its name: another one would need a migration of all objects.
#[durable_object(alarm)]
pub struct Librarian {
    state: State,
    edge: Edge,
    store: IngestStore,
    /// See [`StepContext::draft`].
    draft: RefCell<Option<Rc<Draft>>>,
    /// Whether an alarm is at work.
    running: Cell<bool>,
    /// Whether a request has come since the object last looked for due sources.
    requested: Cell<bool>,
    /// How many times in a row the platform has failed.
    failures: Cell<u32>,
}

impl DurableObject for Librarian {
    fn new(state: State, env: Env) -> Self {
        let store = IngestStore::new(state.storage().sql());
        Self {
            edge: Edge::new(env),
            store,
            draft: RefCell::new(None),
            running: Cell::new(false),
            requested: Cell::new(false),
            failures: Cell::new(0),
            state,
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let request: IngestRequest = asked(&mut request).await?;
        match self.schedule(request).await {
            Ok(()) => Response::empty(),
            Err(error) => {
                log::error("librarian", &error);
                let problem = Problem::new(Code::StorageUnavailable, error.to_string());
                Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
            }
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        // This alarm goes off if the isolate dies before it sets the next one.
        self.set_alarm(self.edge.now_ms() + WATCHDOG_MS).await?;
        self.running.set(true);
        let worked = self.work().await;
        self.running.set(false);
        let now = self.edge.now_ms();
        let next_at = match worked {
            Ok(next_at) => {
                self.failures.set(0);
                next_at
            }
            Err(error) => {
                log::error("librarian", &error);
                let failures = self.failures.get().min(10);
                self.failures.set(failures + 1);
                Some(now + (1_000 << failures).min(MAX_BACKOFF_MS))
            }
        };
        match next_at {
            Some(at) => self.set_alarm(at).await?,
            None => self.state.storage().delete_alarm().await?,
        }
        // A request may have come while the alarm was set.
        if self.requested.get() {
            self.set_alarm(now).await?;
        }
        Response::empty()
    }
}

impl Librarian {
    /// Queues the cleanup that a request names, and sets the alarm.
    async fn schedule(&self, request: IngestRequest) -> worker::Result<()> {
        let owner = (request.bot, request.origin);
        let known = self.store.owner()?;
        if known.as_ref() != Some(&owner) && (known.is_none() || !owner.1.is_empty()) {
            self.store.set_owner(&owner)?;
        }
        let at = self.edge.now_ms() + request.in_ms;
        if request.in_ms == 0 {
            self.store.queue_cleanup_now(&request.source_id, at)?;
            self.requested.set(true);
        } else {
            self.store.queue_cleanup(&request.source_id, at)?;
        }
        if self.running.get() {
            return Ok(());
        }
        match self.state.storage().get_alarm().await? {
            Some(set) if set as u64 <= at => Ok(()),
            _ => self.set_alarm(at).await,
        }
    }

    async fn set_alarm(&self, at: u64) -> worker::Result<()> {
        let in_ms = at.saturating_sub(self.edge.now_ms());
        let in_ms = i64::try_from(in_ms).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(in_ms).await
    }

    /// Works until no source is due, or for [`MAX_RUN_MS`]. Returns when to go on.
    async fn work(&self) -> Result<Option<u64>, PortError> {
        let Some((bot, origin)) = self.store.owner().map_err(stored)? else {
            return Ok(None);
        };
        let context = self.context(bot, &origin);
        let started = self.edge.now_ms();
        let worked_ms = || self.edge.now_ms().saturating_sub(started);
        loop {
            self.requested.set(false);
            let now = self.edge.now_ms();
            if let Some(gone) = context.clean_up(now).await? {
                if gone.next_at.is_none() {
                    self.delete_all().await.map_err(stored)?;
                }
                return Ok(gone.next_at);
            }
            match self.next_source(&context, now).await? {
                NextSource::Ready(id) => {
                    context.run(&id).await?;
                    if worked_ms() > MAX_RUN_MS {
                        return Ok(Some(self.edge.now_ms()));
                    }
                }
                NextSource::At(next_at) => {
                    let more_words = self.edge.library().store_words(&context.bot).await?;
                    let embed_at = context.embed().await?;
                    let later = self.edge.library().due_later(&context.bot, now).await?;
                    let embed_on = embed_at.is_some_and(|at| at <= self.edge.now_ms())
                        && worked_ms() <= MAX_RUN_MS;
                    let words_on = more_words && worked_ms() <= MAX_RUN_MS;
                    if !self.requested.get() && !embed_on && !words_on {
                        let words_at = more_words.then(|| self.edge.now_ms());
                        let times = next_at.into_iter().chain(later).chain(embed_at);
                        return Ok(times.chain(words_at).min());
                    }
                }
            }
        }
    }

    fn context(&self, bot: BotKey, origin: &str) -> StepContext<'_> {
        let env = self.edge.env();
        let crawling = config::crawling(env);
        let contact = crawling.contact.clone();
        let contact = contact.or_else(|| (!origin.is_empty()).then(|| format!("{origin}/bot")));
        let contact = contact.map_or_else(String::new, |contact| format!("; +{contact}"));
        StepContext {
            edge: &self.edge,
            store: &self.store,
            draft: &self.draft,
            bot,
            fetcher: Fetcher {
                guard: config::address_policy(env),
                agent: format!("Mozilla/5.0 (compatible; BulleBot/1.0{contact})"),
                timeout_ms: crawling.timeout_ms,
            },
            crawling,
        }
    }

    /// The first source that is due, except a site whose pause has not passed.
    async fn next_source(
        &self,
        context: &StepContext<'_>,
        now: u64,
    ) -> Result<NextSource, PortError> {
        let mut next_at = self.store.next_cleanup().map_err(stored)?;
        for due in self.edge.library().due(&context.bot, now).await? {
            let mut at = due.next_at as u64;
            if due.kind == SourceKind::Site {
                at = at.max(self.store.crawl_ready_at(&due.id).map_err(stored)?);
            }
            if at <= now {
                return Ok(NextSource::Ready(due.id));
            }
            next_at = Some(next_at.map_or(at, |next_at| next_at.min(at)));
        }
        Ok(NextSource::At(next_at))
    }

    /// Deletes all data of the object. A bot of the same name may be created later, so the tables are created again.
    async fn delete_all(&self) -> worker::Result<()> {
        self.state.storage().delete_all().await?;
        self.store.create_tables();
        Ok(())
    }
}

/// The next work of the object.
enum NextSource {
    /// The id of a source that is due.
    Ready(String),
    /// The time at which the next source is due, if any.
    At(Option<u64>),
}
