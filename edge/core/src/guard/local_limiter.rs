//! Sliding windows in KV, with a memory in front of it.
//!
//! The properties of KV: a value is seen at once where it was written and up to a minute later elsewhere; two writers
//! overwrite one another; one key takes about one write a second; a read-modify-write is not atomic. So:
//!
//! 1. A request is counted in the memory of its isolate first, without waiting: of any number at once in one isolate,
//!    no more than `limit` pass, and a flood that is refused costs no operation of KV.
//! 2. The window in KV is united with the memory (windows are sets of times and ids), never put in its place. A request
//!    that is not among the first `limit` of the union is refused, and taken out again.
//! 3. The union is written, and nobody waits for that. Where a write is lost, to another place's or to KV's limits, the next one repeats it.
//!
//! Over-admission: places that do not know of one another's requests yet admit a full window each, for the up to 60 s
//! that KV takes to show a write elsewhere; so at most `limit` times the number of places (data centres, and isolates
//! that begin at the same moment) are admitted in one window. A visitor is nearly always in one place. `cargo xtask
//! bench limits` measures it. When KV fails, the memory alone decides.

use bulle_protocol::Id;
use futures_util::future::join_all;

use crate::{
    meter::window::{Decision, QuotaStatus, Window},
    ports::{Clock, IsolateCache, Kv},
};

/// A window and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Key in KV.
    pub key: String,
    /// Milliseconds.
    pub length_ms: u64,
    /// Most requests in any stretch of that length.
    pub limit: u32,
}

/// Which counter has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowFull {
    /// Its index.
    pub index: usize,
    /// The state of that counter.
    pub standing: QuotaStatus,
}

/// Counts `id` in all windows, or in none. Costs a read and a write of KV for each counter; nothing when memory refuses.
///
/// # Errors
/// The first counter that has no room.
pub async fn admit<P: IsolateCache + Kv + Clock>(
    ports: &P,
    counters: &[Counter],
    id: Id,
) -> Result<Vec<QuotaStatus>, WindowFull> {
    let (standings, counted) = count(ports, counters, id).await?;
    tell(ports, &counted);
    Ok(standings)
}

/// As [`admit`], but without writing to KV: the counters are to be given to [`tell`].
///
/// # Errors
/// The first counter that has no room.
pub async fn count<'c, P: IsolateCache + Kv + Clock>(
    ports: &P,
    counters: &'c [Counter],
    id: Id,
) -> Result<(Vec<QuotaStatus>, Vec<&'c Counter>), WindowFull> {
    // 1.
    let counted = count_here(ports, counters, id)?;
    // 2.
    let stored = join_all(counters.iter().map(|counter| ports.get(&counter.key))).await;
    let mut standings = Vec::new();
    let mut refused = None;
    for ((index, counter), stored) in counters.iter().enumerate().zip(stored) {
        let elsewhere: Option<Window> = stored
            .ok()
            .flatten()
            .and_then(|json| serde_json::from_str(&json).ok());
        // Other requests may have come during the read of KV: they are in the memory.
        let mut window = ports.recall(&counter.key);
        if let Some(elsewhere) = &elsewhere {
            window.unite(elsewhere);
            window.forget(ports.now_ms(), counter.length_ms);
        }
        let within = window.is_within(id, counter.limit);
        let standing = window.standing(ports.now_ms(), counter.length_ms, counter.limit);
        ports.remember(&counter.key, window);
        if !within && refused.is_none() {
            refused = Some(WindowFull { index, standing });
        }
        standings.push(standing);
    }
    if let Some(refused) = refused {
        take_back(ports, &counted, id);
        return Err(refused);
    }
    Ok((standings, counted))
}

/// Writes the counts to KV later. A write that fails is repeated with the next message.
pub fn tell<P: IsolateCache + Kv>(ports: &P, counted: &[&Counter]) {
    // 3.
    for counter in counted {
        // KV keeps nothing for less than a minute.
        let ttl = (counter.length_ms / 1_000).max(60);
        if let Ok(json) = serde_json::to_string(&ports.recall(&counter.key)) {
            ports.put_later(counter.key.clone(), Some(json), ttl);
        }
    }
}

/// Counts `id` only in the memory of this isolate, in all windows or in none; gives the windows in which it is new.
/// This costs nothing and comes before every other counter, so that a flood of requests does not leave the isolate.
///
/// # Errors
/// The first counter that has no room.
pub fn count_here<'c, P: IsolateCache + Clock>(
    ports: &P,
    counters: &'c [Counter],
    id: Id,
) -> Result<Vec<&'c Counter>, WindowFull> {
    let mut counted = Vec::new();
    for (index, counter) in counters.iter().enumerate() {
        let mut window = ports.recall(&counter.key);
        let decision = window.admit(ports.now_ms(), counter.length_ms, counter.limit, id);
        ports.remember(&counter.key, window);
        match decision {
            Decision::Admitted(_) => counted.push(counter),
            Decision::Known(_) => {}
            Decision::Refused(standing) => {
                take_back(ports, &counted, id);
                return Err(WindowFull { index, standing });
            }
        }
    }
    Ok(counted)
}

/// The state of a counter, as far as this isolate knows.
pub fn look<P: IsolateCache + Clock>(ports: &P, counter: &Counter) -> QuotaStatus {
    let mut window = ports.recall(&counter.key);
    window.forget(ports.now_ms(), counter.length_ms);
    window.standing(ports.now_ms(), counter.length_ms, counter.limit)
}

/// Milliseconds as whole seconds to wait.
pub fn seconds(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

fn take_back<P: IsolateCache>(ports: &P, counters: &[&Counter], id: Id) {
    for counter in counters {
        let mut window = ports.recall(&counter.key);
        window.refund(id);
        ports.remember(&counter.key, window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on};

    fn counter(limit: u32) -> Counter {
        Counter {
            key: "k".into(),
            length_ms: 60_000,
            limit,
        }
    }

    fn id(n: u128) -> Id {
        Id::from_parts(0, n)
    }

    fn admitted(ports: &Fakes, n: u128) -> bool {
        block_on(admit(ports, &[counter(3)], id(n))).is_ok()
    }

    #[test]
    fn many_at_once_in_one_isolate_are_not_over_admitted() {
        let ports = Fakes::default();
        let counters = [counter(3)];
        let all = (0..64).map(|n| admit(&ports, &counters, id(n)));
        let results = block_on(join_all(all));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
        // The memory refused: there are three reads and three writes as before.
        assert_eq!(ports.calls("kv"), 6);
    }

    #[test]
    fn an_isolate_learns_from_another_and_a_lost_write_is_repeated() {
        let ports = Fakes::default();
        assert!(admitted(&ports, 1));
        ports.forget_memory();
        assert!(admitted(&ports, 2));
        ports.fail("kv");
        assert!(admitted(&ports, 3));
        ports.mend("kv");
        assert!(!admitted(&ports, 4));
        // The memory has 3 although KV has none; a repeated message is not counted again.
        assert!(admitted(&ports, 3));
        ports.advance(60_000);
        assert!(admitted(&ports, 5));
    }

    #[test]
    fn nothing_is_counted_where_one_refuses() {
        let ports = Fakes::default();
        let (wide, narrow) = (
            Counter {
                key: "wide".into(),
                ..counter(9)
            },
            Counter {
                key: "narrow".into(),
                ..counter(1)
            },
        );
        let both = [wide.clone(), narrow];
        assert!(block_on(admit(&ports, &both, id(1))).is_ok());
        for n in 2..6 {
            assert_eq!(block_on(admit(&ports, &both, id(n))).unwrap_err().index, 1);
        }
        ports.forget_memory();
        // This time the window in KV refuses; the request is taken out again in the same way.
        assert_eq!(block_on(admit(&ports, &both, id(7))).unwrap_err().index, 1);
        let standing = block_on(admit(&ports, std::slice::from_ref(&wide), id(8))).unwrap();
        assert_eq!(standing[0].left, 7);
    }
}
