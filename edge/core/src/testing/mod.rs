//! Test support: in-memory ports that fail on demand, and values that several tests use.

mod businesses;
pub mod examples;
mod meters;
mod models;
mod notices;
mod twin;
mod values;
pub mod vendors;
mod visitors;

use bulle_protocol::Id;
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    task::Poll,
};

pub use meters::InMemoryMeter;
pub use models::{FakeAnswer, Piece};
pub use notices::{Answer, Post};
pub use pollster::block_on;
pub use values::*;

use crate::{
    guard::Question,
    meter::{tally::Tally, window::Window},
    model::{Identity, Material, Owner, Site, Summary},
    ports::{
        Archive, Challenges, Clock, Entropy, Index, IsolateCache, IsolateValues, Kept, Kv,
        ModelRequest, PortError, Sections, Summaries, Tenants, VectorIndex, Visitors,
    },
    record::{ModelCall, Record},
    retrieval::{self, Analysed, Passages},
    search::{Candidate, Found, Hit, Query, Section},
};

/// All ports in memory. `fail("kv")` and so on make every later call of that port fail.
pub struct Fakes {
    now: Rc<Cell<u64>>,
    /// When bodies have more to give, in Unix milliseconds.
    due: Rc<RefCell<BTreeSet<u64>>>,
    /// How long the machine stands still when the next timer should ring.
    standstill: Cell<u64>,
    /// And whenever one should.
    standstills: Cell<u64>,
    dice: Cell<u128>,
    failing: RefCell<BTreeSet<&'static str>>,
    calls: RefCell<BTreeMap<&'static str, u32>>,
    kv: RefCell<BTreeMap<String, (String, u64)>>,
    memory: RefCell<BTreeMap<String, Window>>,
    values: RefCell<BTreeMap<String, Rc<dyn Any>>>,
    meters: RefCell<BTreeMap<String, InMemoryMeter>>,
    tallies: RefCell<BTreeMap<String, Tally>>,
    visitors: RefCell<BTreeMap<(String, String), Id>>,
    /// The result of Turnstile's check.
    pub passes: Cell<Option<bool>>,
    /// The visitors who have filled in the form.
    pub filled: RefCell<Vec<Owner>>,
    /// The visitors whose data was erased.
    pub erased: RefCell<Vec<Id>>,
    /// Files that any visitor may send.
    pub files: RefCell<Vec<Material>>,
    sites: RefCell<BTreeMap<String, Site>>,
    changing: Cell<Option<Site>>,
    hits: RefCell<Vec<Hit>>,
    /// The sections of the bot's documents.
    pub sections: RefCell<Vec<Section>>,
    /// The nearest chunks of the vector index.
    pub near: RefCell<Vec<Hit>>,
    /// The texts that the vector index was asked for.
    pub meant: RefCell<Vec<String>>,
    pub records: RefCell<Vec<Record>>,
    /// The archive waits this many polls until a model has been asked.
    pub slow_archive: Cell<u32>,
    summaries: RefCell<Vec<(Owner, Id, Summary)>>,
    /// The calls stored without a record, by id prefix.
    pub other_calls: RefCell<BTreeMap<String, Vec<ModelCall>>>,
    pub requests: RefCell<Vec<ModelRequest>>,
    pub answers: RefCell<VecDeque<FakeAnswer>>,
    pub post: Post,
}

impl Default for Fakes {
    fn default() -> Self {
        let fakes = Self {
            now: Rc::new(Cell::new(1_700_000_000_000)),
            due: Rc::default(),
            standstill: Cell::default(),
            standstills: Cell::default(),
            dice: Cell::new(1),
            failing: RefCell::default(),
            calls: RefCell::default(),
            kv: RefCell::default(),
            memory: RefCell::default(),
            values: RefCell::default(),
            meters: RefCell::default(),
            tallies: RefCell::default(),
            visitors: RefCell::default(),
            passes: Cell::new(None),
            filled: RefCell::default(),
            erased: RefCell::default(),
            files: RefCell::default(),
            sites: RefCell::default(),
            changing: Cell::default(),
            hits: RefCell::default(),
            sections: RefCell::default(),
            near: RefCell::default(),
            meant: RefCell::default(),
            records: RefCell::default(),
            slow_archive: Cell::default(),
            summaries: RefCell::default(),
            other_calls: RefCell::default(),
            requests: RefCell::default(),
            answers: RefCell::default(),
            post: Post::default(),
        };
        fakes.add_site(site());
        fakes
    }
}

/// The passages that a search finds for a conversation's first question.
pub fn searched(index: &(impl Index + VectorIndex), question: &Question) -> Passages {
    block_on(retrieval::search(index, &Analysed::of(question), None)).unwrap()
}

impl Fakes {
    pub fn add_site(&self, site: Site) {
        self.sites.borrow_mut().insert(site.key.clone(), site);
    }

    /// The database changes at the moment of the write to the cache.
    pub fn change_on_put(&self, site: Site) {
        self.changing.set(Some(site));
    }

    pub fn add_hit(&self, hit: Hit) {
        self.hits.borrow_mut().push(hit);
    }

    /// The machine stands still for so long when the next timer should ring: whatever has arrived is looked at afterwards.
    pub fn stand_still(&self, ms: u64) {
        self.standstill.set(ms);
    }

    /// The same whenever a timer should ring.
    pub fn stand_still_always(&self, ms: u64) {
        self.standstills.set(ms);
    }

    /// Forgets the isolate's memory, as if another isolate served the next request.
    pub fn forget_memory(&self) {
        self.memory.borrow_mut().clear();
        self.values.borrow_mut().clear();
    }

    /// The totals of the tenant's meter whose keys begin with this prefix.
    pub fn metered(&self, start: &str) -> u64 {
        let meters = self.meters.borrow();
        let totals = meters.values().flat_map(|rows| &rows.totals);
        totals
            .filter(|(key, _)| key.starts_with(start))
            .map(|(_, total)| total)
            .sum()
    }

    /// The messages that count today for all subjects of the tenant's whose names begin with this prefix.
    pub fn counted(&self, start: &str) -> u64 {
        let tallies = self.tallies.borrow();
        let prefix = format!("tenant/{start}");
        let mine = tallies.iter().filter(|(key, _)| key.starts_with(&prefix));
        mine.map(|(_, tally)| tally.of_day(self.now.get())).sum()
    }

    pub fn advance(&self, ms: u64) {
        self.now.set(self.now.get() + ms);
    }

    pub fn fail(&self, port: &'static str) {
        self.failing.borrow_mut().insert(port);
    }

    pub fn mend(&self, port: &'static str) {
        self.failing.borrow_mut().remove(port);
    }

    pub fn calls(&self, port: &'static str) -> u32 {
        self.calls.borrow().get(port).copied().unwrap_or_default()
    }

    fn enter(&self, port: &'static str) -> Result<(), PortError> {
        *self.calls.borrow_mut().entry(port).or_default() += 1;
        if self.failing.borrow().contains(port) {
            return Err(PortError(format!("{port} is down")));
        }
        Ok(())
    }
}

impl Clock for Fakes {
    fn now_ms(&self) -> u64 {
        self.now.get()
    }

    /// Gives everything else one more chance, then jumps in time: to the next moment at which a body has more, or to the
    /// end.
    async fn sleep(&self, ms: u64) {
        let end = self.now.get() + ms;
        loop {
            next_poll().await;
            let now = self.now.get();
            if now >= end {
                return;
            }
            let still = self.standstill.take().max(self.standstills.get());
            let due = self.due.borrow().iter().copied().find(|at| *at > now);
            match due.filter(|at| *at < end && still == 0) {
                Some(at) => self.now.set(at),
                None => return self.now.set(end + still),
            }
        }
    }
}

async fn next_poll() {
    let mut asked = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Entropy for Fakes {
    fn random(&self) -> u128 {
        self.dice.set(self.dice.get() + 1);
        self.dice.get()
    }
}

impl Kv for Fakes {
    async fn get(&self, key: &str) -> Result<Option<String>, PortError> {
        self.enter("kv")?;
        let store = self.kv.borrow();
        Ok(store
            .get(key)
            .filter(|(_, until)| *until > self.now.get())
            .map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: &str, ttl_seconds: u64) -> Result<(), PortError> {
        self.enter("kv")?;
        assert!(ttl_seconds >= 60, "the platform refuses {ttl_seconds} s");
        if let Some(site) = self.changing.take() {
            self.add_site(site);
        }
        let until = self.now.get() + ttl_seconds * 1_000;
        self.kv
            .borrow_mut()
            .insert(key.into(), (value.into(), until));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.enter("kv")?;
        self.kv.borrow_mut().remove(key);
        Ok(())
    }

    fn put_later(&self, key: String, value: Option<String>, ttl_seconds: u64) {
        // A failure would be logged.
        let _ = match value {
            Some(value) => block_on(self.put(&key, &value, ttl_seconds)),
            None => block_on(self.delete(&key)),
        };
    }
}

impl IsolateCache for Fakes {
    fn recall(&self, key: &str) -> Window {
        self.memory.borrow().get(key).cloned().unwrap_or_default()
    }

    fn remember(&self, key: &str, window: Window) {
        self.memory.borrow_mut().insert(key.into(), window);
    }
}

impl IsolateValues for Fakes {
    fn value(&self, key: &str) -> Option<Rc<dyn Any>> {
        self.values.borrow().get(key).cloned()
    }

    fn set_value(&self, key: &str, value: Option<Rc<dyn Any>>) {
        let mut values = self.values.borrow_mut();
        match value {
            Some(value) => values.insert(key.to_owned(), value),
            None => values.remove(key),
        };
    }
}

impl Visitors for Fakes {
    async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        _: u64,
    ) -> Result<Id, PortError> {
        self.enter("visitors")?;
        let key = (tenant_id.to_owned(), identity.subject.clone());
        Ok(*self.visitors.borrow_mut().entry(key).or_insert(fresh))
    }
}

impl Challenges for Fakes {
    async fn passed(&self, _: &str) -> Result<Option<bool>, PortError> {
        self.enter("challenges")?;
        Ok(self.passes.get())
    }
}

impl Tenants for Fakes {
    async fn site(&self, key: &str) -> Result<Option<Site>, PortError> {
        self.enter("tenants")?;
        Ok(self.sites.borrow().get(key).cloned())
    }

    async fn bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError> {
        self.enter("tenants")?;
        let sites = self.sites.borrow();
        let mut all = sites.values();
        Ok(all
            .find(|site| site.tenant_id == tenant_id && site.bot_id == bot_id)
            .cloned())
    }
}

impl Index for Fakes {
    async fn search(&self, _: &str, _: &str, query: &Query, _: u32) -> Result<Found, PortError> {
        self.enter("index")?;
        assert!(!query.keys.is_empty());
        let hits = self.hits.borrow().clone().into_iter();
        Ok(query.found(hits.map(Candidate::from).collect(), []))
    }
}

impl Sections for Fakes {
    async fn sections(&self, _: &str, _: &str) -> Result<Vec<Section>, PortError> {
        self.enter("index")?;
        Ok(self.sections.borrow().clone())
    }
}

impl VectorIndex for Fakes {
    async fn near(&self, _: &str, _: &str, text: &str, _: u32) -> Result<Vec<Hit>, PortError> {
        self.enter("meaning")?;
        self.meant.borrow_mut().push(text.to_owned());
        Ok(self.near.borrow().clone())
    }
}

impl Archive for Fakes {
    async fn record(&self, record: &Record) -> Result<Kept, PortError> {
        self.enter("archive")?;
        while self.slow_archive.get() > 0 && self.calls("models") == 0 {
            self.slow_archive.set(self.slow_archive.get() - 1);
            next_poll().await;
        }
        if self.erased.borrow().contains(&record.owner.visitor_id) {
            return Ok(Kept::Costs);
        }
        self.records.borrow_mut().push(record.clone());
        Ok(Kept::Everything)
    }

    async fn record_calls(
        &self,
        _: &Owner,
        _: Id,
        _: Option<Id>,
        id_prefix: &str,
        calls: &[ModelCall],
    ) -> Result<(), PortError> {
        self.enter("archive")?;
        self.other_calls
            .borrow_mut()
            .entry(id_prefix.to_owned())
            .or_insert_with(|| calls.to_vec());
        Ok(())
    }
}

impl Summaries for Fakes {
    async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError> {
        self.enter("summaries")?;
        let summaries = self.summaries.borrow();
        let mine = (summaries.iter()).filter(|(o, id, _)| (o, *id) == (owner, conversation_id));
        Ok(mine
            .map(|(_, _, summary)| summary.clone())
            .max_by_key(|summary| summary.until))
    }

    async fn keep(
        &self,
        owner: &Owner,
        conversation_id: Id,
        summary: &Summary,
    ) -> Result<(), PortError> {
        self.enter("summaries")?;
        let mut summaries = self.summaries.borrow_mut();
        let same =
            |(_, id, s): &(Owner, Id, Summary)| (*id, s.until) == (conversation_id, summary.until);
        if !summaries.iter().any(same) {
            summaries.push((owner.clone(), conversation_id, summary.clone()));
        }
        Ok(())
    }
}
