//! Slows attempts at passwords down, without letting a stranger lock a person out.
//!
//! Failures are counted by account and network, and by account alone. A few failures from one network make that network
//! wait; only many failures, from many networks, make everybody wait who tries this account.

use serde::{Deserialize, Serialize};

/// How many failures are free, and how long the wait becomes.
pub struct Bound {
    free: u32,
    longest_ms: u64,
}

/// Failures of one network at one account. In a day they stay below the free ones of the account.
pub const NETWORK: Bound = Bound {
    free: 5,
    longest_ms: 3_600_000,
};

/// Failures of all networks at one account, in a day.
pub const ACCOUNT: Bound = Bound {
    free: 50,
    longest_ms: 900_000,
};

/// Milliseconds after the last failure when all are forgotten.
pub const FORGOTTEN_MS: u64 = 86_400_000;

/// The failures since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    count: u32,
    /// Unix milliseconds of the last one.
    last_ms: u64,
}

impl Failures {
    /// Milliseconds until the next attempt; 0 when it may be made now. The wait doubles with every failure, from a second
    /// on.
    pub fn wait_ms(&self, bound: &Bound, now_ms: u64) -> u64 {
        let since = now_ms.saturating_sub(self.last_ms);
        if self.count < bound.free || since >= FORGOTTEN_MS {
            return 0;
        }
        let doublings = (self.count - bound.free).min(20);
        let wait = (1_000_u64 << doublings).min(bound.longest_ms);
        wait.saturating_sub(since)
    }

    /// With one failure more.
    pub fn more(&self, now_ms: u64) -> Self {
        let forgotten = now_ms.saturating_sub(self.last_ms) >= FORGOTTEN_MS;
        let before = if forgotten { 0 } else { self.count };
        Self {
            count: before.saturating_add(1),
            last_ms: now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn after(failures: u32) -> Failures {
        (0..failures).fold(Failures::default(), |failures, _| failures.more(NOW))
    }

    #[test]
    fn the_wait_doubles_to_an_hour() {
        let wait = |failures| after(failures).wait_ms(&NETWORK, NOW);
        assert_eq!(
            [0, 4, 5, 6, 9, 17, 60].map(wait),
            [0, 0, 1_000, 2_000, 16_000, 3_600_000, 3_600_000]
        );
        assert_eq!(after(6).wait_ms(&NETWORK, NOW + 1_999), 1);
        assert_eq!(after(6).wait_ms(&NETWORK, NOW + 2_000), 0);
        assert_eq!(
            [49, 50, 60].map(|failures| after(failures).wait_ms(&ACCOUNT, NOW)),
            [0, 1_000, 900_000]
        );
    }

    #[test]
    fn a_day_later_all_is_forgotten() {
        let old = after(60);
        assert_eq!(old.wait_ms(&NETWORK, NOW + FORGOTTEN_MS), 0);
        assert_eq!(
            old.more(NOW + FORGOTTEN_MS),
            Failures {
                count: 1,
                last_ms: NOW + FORGOTTEN_MS
            }
        );
    }

    /// All the failures of a day from one network are free for the others.
    #[test]
    fn one_network_does_not_lock_an_account() {
        let of_one_day = (0..u32::MAX)
            .scan((Failures::default(), NOW), |(failures, now), _| {
                *now += failures.wait_ms(&NETWORK, *now).max(1);
                *failures = failures.more(*now);
                Some(*now)
            })
            .take_while(|now| *now < NOW + FORGOTTEN_MS)
            .count();
        assert!(of_one_day < ACCOUNT.free as usize, "{of_one_day}");
    }
}
