//! `cargo xtask bench limits`: the number of requests that the limiters admit, compared with the limit, under a flood
//! from one visitor.
//!
//! It measures a simulation of distributed KV first, where a write is seen elsewhere up to a minute later; then the
//! real edge on this machine (e2e/bench/limits.mjs).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Result;
use bulle_edge_core::{
    guard::local_limiter::{self, Counter},
    meter::window::Window,
    ports::{Clock, IsolateCache, Kv, PortError},
};
use bulle_protocol::Id;
use futures_util::future::join_all;

const REQUESTS: u32 = 10_000;
const AT_ONCE: u32 = 64;
const LIMIT: u32 = 60;
const SECONDS: u64 = 120;
const PROPAGATION_MS: u64 = 60_000;

/// A write to the simulated KV: its time, place and value.
type Write = (u64, usize, String);

/// The simulated, distributed KV. One key is enough.
#[derive(Default)]
struct World {
    now: Cell<u64>,
    writes: RefCell<Vec<Write>>,
    reads: Cell<u32>,
}

/// An isolate in one place.
struct Isolate {
    world: Rc<World>,
    place: usize,
    delay_ms: u64,
    memory: RefCell<BTreeMap<String, Window>>,
}

impl Clock for Isolate {
    fn now_ms(&self) -> u64 {
        self.world.now.get()
    }

    async fn sleep(&self, _: u64) {}
}

/// Lets other requests run, as they would between a request to KV and its answer.
async fn elsewhere() {
    let mut asked = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut asked, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Isolate {
    /// The newest write of this place, or of another place that is old enough to be seen here.
    fn seen(&self) -> Option<String> {
        let now = self.world.now.get();
        let seen = |(at, place, _): &&Write| *place == self.place || at + self.delay_ms <= now;
        let writes = self.world.writes.borrow();
        let newest = writes.iter().rev().find(seen);
        newest.map(|(_, _, value)| value.clone())
    }

    /// Writes the value; false when it comes too soon after another one: a key takes one write a second.
    fn write(&self, value: &str) -> bool {
        let now = self.now_ms();
        let mut writes = self.world.writes.borrow_mut();
        let early = writes.last().is_some_and(|(at, _, _)| at + 1_000 > now);
        if !early {
            writes.push((now, self.place, value.to_owned()));
        }
        !early
    }
}

impl Kv for Isolate {
    async fn get(&self, _: &str) -> Result<Option<String>, PortError> {
        self.world.reads.set(self.world.reads.get() + 1);
        let value = self.seen();
        elsewhere().await;
        Ok(value)
    }

    async fn put(&self, _: &str, value: &str, _: u64) -> Result<(), PortError> {
        elsewhere().await;
        if self.write(value) {
            return Ok(());
        }
        Err(PortError("429".to_owned()))
    }

    async fn delete(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }

    fn put_later(&self, _: String, value: Option<String>, _: u64) {
        if let Some(value) = value {
            self.write(&value);
        }
    }
}

impl IsolateCache for Isolate {
    fn recall(&self, key: &str) -> Window {
        self.memory.borrow().get(key).cloned().unwrap_or_default()
    }

    fn remember(&self, key: &str, window: Window) {
        self.memory.borrow_mut().insert(key.to_owned(), window);
    }
}

/// How a request is counted in the simulation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The baseline: reads KV, counts, writes KV.
    Plain,
    /// As the edge counts: [`local_limiter`](bulle_edge_core::guard::local_limiter).
    Nearby,
}

async fn admit(isolate: &Isolate, way: Way, id: Id) -> bool {
    let counter = Counter {
        key: "k".to_owned(),
        length_ms: 60_000,
        limit: LIMIT,
    };
    if way == Way::Nearby {
        return local_limiter::admit(isolate, &[counter], id).await.is_ok();
    }
    let stored = isolate.get(&counter.key).await.ok().flatten();
    let mut window: Window = stored
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default();
    let decision = window.admit(isolate.now_ms(), counter.length_ms, LIMIT, id);
    if matches!(
        decision,
        bulle_edge_core::meter::window::Decision::Refused(_)
    ) {
        return false;
    }
    let json = serde_json::to_string(&window).unwrap_or_default();
    let _ = isolate.put(&counter.key, &json, 60).await;
    true
}

/// The number of admitted requests, and of reads of KV.
fn simulate(way: Way, places: usize, isolates: usize, delay_ms: u64) -> (u32, u32) {
    let world = Rc::new(World::default());
    world.now.set(1_700_000_000_000);
    let all: Vec<Isolate> = (0..places * isolates)
        .map(|n| Isolate {
            world: Rc::clone(&world),
            place: n % places,
            delay_ms,
            memory: RefCell::default(),
        })
        .collect();
    let mut admitted = 0;
    let waves = REQUESTS.div_ceil(AT_ONCE);
    for wave in 0..waves {
        let at_once = AT_ONCE.min(REQUESTS - wave * AT_ONCE);
        let requests = (0..at_once).zip(all.iter().cycle()).map(|(n, isolate)| {
            let id = Id::from_parts(world.now.get(), u128::from(wave * AT_ONCE + n));
            admit(isolate, way, id)
        });
        let passed = pollster::block_on(join_all(requests));
        admitted += u32::try_from(passed.into_iter().filter(|passed| *passed).count()).unwrap_or(0);
        world
            .now
            .set(world.now.get() + SECONDS * 1_000 / u64::from(waves));
    }
    (admitted, world.reads.get())
}

/// Prints both tables.
pub fn run() -> Result<()> {
    let allowed = LIMIT * u32::try_from(SECONDS / 60)?;
    println!(
        "Simulated: one visitor, {REQUESTS} requests in {SECONDS} s, {AT_ONCE} at once, {LIMIT} a minute allowed\n"
    );
    println!(
        "{:52} {:>8} {:>8} {:>8} {:>8}",
        "", "allowed", "admitted", "ratio", "KV reads"
    );
    for (name, way, places, isolates, delay) in [
        ("plain read, count, write; 1 place", Way::Plain, 1, 1, 0),
        (
            "plain read, count, write; 5 places, 60 s",
            Way::Plain,
            5,
            1,
            PROPAGATION_MS,
        ),
        ("kv; 1 place", Way::Nearby, 1, 1, 0),
        ("kv; 1 place of 4 isolates", Way::Nearby, 1, 4, 0),
        ("kv; 2 places, 60 s", Way::Nearby, 2, 1, PROPAGATION_MS),
        ("kv; 5 places, 60 s", Way::Nearby, 5, 1, PROPAGATION_MS),
        (
            "kv; 5 places of 4 isolates, 60 s",
            Way::Nearby,
            5,
            4,
            PROPAGATION_MS,
        ),
    ] {
        let (admitted, reads) = simulate(way, places, isolates, delay);
        let ratio = f64::from(admitted) / f64::from(allowed);
        println!("{name:52} {allowed:8} {admitted:8} {ratio:8.2} {reads:8}");
    }
    println!();
    super::measure("limits.mjs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_admits_what_is_allowed_and_many_no_more_than_their_number_of_times() {
        let allowed = LIMIT * 2;
        assert_eq!(simulate(Way::Nearby, 1, 1, 0).0, allowed);
        let (admitted, _) = simulate(Way::Nearby, 5, 1, PROPAGATION_MS);
        assert!((allowed..=5 * allowed).contains(&admitted), "{admitted}");
        assert!(simulate(Way::Plain, 1, 1, 0).0 > 2 * allowed);
    }
}
