//! The sliding window: the times of the requests admitted within its length.
//!
//! The window is a log and not a counter: it admits exactly `limit` requests in any stretch of its length, and the logs
//! of two places can be united.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// The admitted requests of the window's length, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    seen: Vec<(u64, Id)>,
}

/// The state of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaStatus {
    /// How many more are admitted now.
    pub left: u64,
    /// Milliseconds until there is more room; after a refusal, until the caller may try again.
    pub reset_ms: u64,
}

/// The decision of [`Window::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Admitted and counted.
    Admitted(QuotaStatus),
    /// Admitted: it was counted before.
    Known(QuotaStatus),
    /// Refused.
    Refused(QuotaStatus),
}

impl Window {
    /// A window with these times and ids, oldest first.
    pub fn of(seen: impl Iterator<Item = (u64, Id)>) -> Self {
        Self {
            seen: seen.collect(),
        }
    }

    /// Counts `id` unless `limit` others stand in the window. The same id again (a lost connection) is not counted twice.
    pub fn admit(&mut self, now_ms: u64, length_ms: u64, limit: u32, id: Id) -> Decision {
        self.forget(now_ms, length_ms);
        let known = self.seen.iter().any(|(_, seen)| *seen == id);
        let full = self.seen.len() >= limit as usize;
        if !known && !full {
            self.seen.push((now_ms, id));
        }
        let standing = self.standing(now_ms, length_ms, limit);
        match (known, full) {
            (true, _) => Decision::Known(standing),
            (false, true) => Decision::Refused(standing),
            (false, false) => Decision::Admitted(standing),
        }
    }

    /// The state of the limit, after [`admit`](Self::admit) has removed old entries.
    pub fn standing(&self, now_ms: u64, length_ms: u64, limit: u32) -> QuotaStatus {
        // Where more were admitted than allowed, there is room once the excess and one more have left the window.
        let too_many = self.seen.len().saturating_sub(limit.max(1) as usize);
        let leaves = self
            .seen
            .get(too_many)
            .map_or(now_ms, |(at, _)| at + length_ms);
        QuotaStatus {
            left: u64::from(limit).saturating_sub(self.seen.len() as u64),
            reset_ms: leaves.saturating_sub(now_ms),
        }
    }

    /// Removes entries that have left the window, and entries from far in the future.
    pub fn forget(&mut self, now_ms: u64, length_ms: u64) {
        self.seen
            .retain(|(at, _)| at + length_ms > now_ms && *at <= now_ms + length_ms);
    }

    /// Adds the entries of another place's window.
    pub fn unite(&mut self, other: &Self) {
        self.seen.extend_from_slice(&other.seen);
        self.seen.sort_unstable();
        self.seen.dedup();
    }

    /// Removes the entry of `id`.
    pub fn refund(&mut self, id: Id) {
        if let Some(at) = self.seen.iter().rposition(|(_, seen)| *seen == id) {
            self.seen.remove(at);
        }
    }

    /// Whether `id` is one of the first `limit`.
    pub fn is_within(&self, id: Id, limit: u32) -> bool {
        let last = self.seen.iter().rposition(|(_, seen)| *seen == id);
        last.is_some_and(|at| at < limit as usize)
    }

    /// True when the window has no entries.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60_000;

    fn id(n: u128) -> Id {
        Id::from_parts(0, n)
    }

    fn standing(left: u64, reset_ms: u64) -> QuotaStatus {
        QuotaStatus { left, reset_ms }
    }

    #[test]
    fn a_window_slides() {
        let mut window = Window::default();
        let mut admit = |now, n| window.admit(now, MINUTE, 2, id(n));
        assert_eq!(admit(0, 1), Decision::Admitted(standing(1, 60_000)));
        assert_eq!(admit(30_000, 2), Decision::Admitted(standing(0, 30_000)));
        assert_eq!(admit(30_000, 2), Decision::Known(standing(0, 30_000)));
        assert_eq!(admit(59_000, 3), Decision::Refused(standing(0, 1_000)));
        assert_eq!(admit(60_000, 3), Decision::Admitted(standing(0, 30_000)));
        assert_eq!(admit(61_000, 4), Decision::Refused(standing(0, 29_000)));
    }

    #[test]
    fn two_places_unite_to_what_both_have_seen() {
        let (mut here, mut there) = (Window::default(), Window::default());
        here.admit(1, MINUTE, 2, id(1));
        there.admit(2, MINUTE, 2, id(2));
        there.admit(3, MINUTE, 2, id(3));
        here.unite(&there);
        here.unite(&there);
        assert!(here.is_within(id(2), 2) && !here.is_within(id(3), 2));
        // One more than allowed: there is room when two have left.
        assert_eq!(here.standing(3, MINUTE, 2), standing(0, MINUTE - 1));
        here.refund(id(3));
        assert_eq!(here.standing(3, MINUTE, 2), standing(0, MINUTE - 2));
    }

    proptest! {
        #[test]
        fn no_window_ever_admits_more_than_the_limit(
            limit in 0u32..6, gaps in proptest::collection::vec(0u64..40_000, 0..60),
        ) {
            let mut window = Window::default();
            let mut now = 1_000_000;
            let mut admitted = Vec::new();
            for (gap, n) in gaps.iter().zip(0..) {
                now += gap;
                match window.admit(now, MINUTE, limit, id(n)) {
                    Decision::Admitted(_) => admitted.push(now),
                    Decision::Known(_) => prop_assert!(false, "nobody asked twice"),
                    Decision::Refused(QuotaStatus { reset_ms, .. }) => {
                        let at = |ms| matches!(
                            window.clone().admit(ms, MINUTE, limit, id(n)), Decision::Admitted(_));
                        prop_assert_eq!(at(now + reset_ms), limit > 0);
                        prop_assert!(reset_ms == 0 || !at(now + reset_ms - 1), "it could have come earlier");
                    }
                }
            }
            for start in &admitted {
                let inside = admitted.iter().filter(|at| *at >= start && **at < start + MINUTE).count();
                prop_assert!(inside <= limit as usize);
            }
        }

        #[test]
        fn uniting_is_the_same_in_any_order(
            a in proptest::collection::vec((0u64..50, 0u128..9), 0..9), b in proptest::collection::vec((0u64..50, 0u128..9), 0..9),
        ) {
            let window = |list: &[(u64, u128)]| {
                let mut window = Window::default();
                for (at, n) in list {
                    window.unite(&Window { seen: vec![(*at, id(*n))] });
                }
                window
            };
            let (a, b) = (window(&a), window(&b));
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.unite(&b);
            ba.unite(&a);
            prop_assert_eq!(ab, ba);
        }
    }
}
