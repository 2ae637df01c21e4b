//! A deadline that moves with every piece of a stream. A timer of the platform costs more than a piece, so one timer serves
//! all waits: when it fires and there was activity meanwhile, it is set again for the remaining time.
//!
//! The timer also reports how long the platform stood still. An overloaded or suspended machine fires timers late, and reads
//! nothing in the meantime. The timer rings at least every [`STEP_MS`], so that a standstill in the middle of a long wait is
//! found, too.

use futures_util::future::LocalBoxFuture;

use crate::ports::Clock;

/// The longest time between two rings, in milliseconds.
pub const STEP_MS: u64 = 2_000;

/// From this delay on, in milliseconds, a ring is late.
const LATE_MS: u64 = 250;

/// A wait whose end moves. Only one task may wait with it: workerd's timer wakes the task that polled it first and no other.
pub struct Timer<'c, C> {
    clock: &'c C,
    /// The time for which the platform's timer is set, in Unix milliseconds.
    set: Option<(u64, LocalBoxFuture<'c, ()>)>,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// The end has come.
    Due,
    /// The platform stood still for about so many milliseconds.
    Late(u64),
}

impl<'c, C: Clock> Timer<'c, C> {
    /// A timer that is not set.
    pub fn new(clock: &'c C) -> Self {
        Self { clock, set: None }
    }

    /// Begins a wait. A timer that should have rung before is dropped, because it was not polled.
    /// `now_ms`: the time (Unix).
    pub fn begin(&mut self, now_ms: u64) {
        self.set.take_if(|(rings_ms, _)| *rings_ms <= now_ms);
    }

    /// Resolves at `end_ms` (Unix), or a moment later when that has passed; or earlier when the timer
    /// rings late. A caller that
    /// stops waiting may wait for another end.
    pub async fn until(&mut self, end_ms: u64) -> Ring {
        loop {
            let (rings_ms, ring) = match &mut self.set {
                Some(set) if set.0 <= end_ms => set,
                other => {
                    let clock = self.clock;
                    let now = clock.now_ms();
                    let rings_ms = end_ms.clamp(now, now + STEP_MS);
                    other.insert((rings_ms, Box::pin(clock.sleep(rings_ms - now))))
                }
            };
            let rings_ms = *rings_ms;
            ring.await;
            self.set = None;
            let now = self.clock.now_ms();
            let late = now.saturating_sub(rings_ms);
            if late >= LATE_MS {
                return Ring::Late(late);
            }
            if now >= end_ms {
                return Ring::Due;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::{FutureExt, future::pending};

    use super::*;
    use crate::testing::{Fakes, block_on};

    /// A clock that stands still, and remembers for how long it was asked to sleep.
    #[derive(Default)]
    struct Stopped(RefCell<Vec<u64>>);

    impl Clock for Stopped {
        fn now_ms(&self) -> u64 {
            1_000
        }

        async fn sleep(&self, ms: u64) {
            self.0.borrow_mut().push(ms);
            // Short waits end.
            if ms > 500 {
                pending::<()>().await;
            }
        }
    }

    #[test]
    fn a_later_end_keeps_the_timer_and_an_earlier_one_sets_another() {
        let clock = Stopped::default();
        let mut timer = Timer::new(&clock);
        for end_ms in [2_000, 2_500, 9_000] {
            assert_eq!(timer.until(end_ms).now_or_never(), None);
        }
        assert_eq!(*clock.0.borrow(), [1_000]);
        assert_eq!(timer.until(1_800).now_or_never(), None);
        assert_eq!(*clock.0.borrow(), [1_000, 800]);
    }

    #[test]
    fn a_long_wait_rings_in_between() {
        let clock = Stopped::default();
        let mut timer = Timer::new(&clock);
        assert_eq!(timer.until(60_000).now_or_never(), None);
        assert_eq!(*clock.0.borrow(), [STEP_MS]);
    }

    #[test]
    fn a_late_ring_tells_how_late_it_is_and_one_that_nobody_waited_for_does_not() {
        let ports = Fakes::default();
        let start = ports.now_ms();
        let mut timer = Timer::new(&ports);
        assert_eq!(block_on(timer.until(start + 1_000)), Ring::Due);
        ports.stand_still(11_000);
        assert_eq!(block_on(timer.until(start + 60_000)), Ring::Late(11_000));
        assert_eq!(ports.now_ms(), start + 1_000 + STEP_MS + 11_000);
        // Set, and looked at much later.
        assert_eq!(timer.until(ports.now_ms() + 500).now_or_never(), None);
        ports.advance(30_000);
        timer.begin(ports.now_ms());
        assert_eq!(block_on(timer.until(ports.now_ms() + 100)), Ring::Due);
        assert_eq!(block_on(timer.until(start)), Ring::Due, "it has passed");
    }
}
