//! A deadline that moves with every piece of a stream. A timer of the platform costs more than a piece, so one timer serves
//! all waits: when it fires and there was activity meanwhile, it is set again for the remaining time.

use futures_util::future::LocalBoxFuture;

use crate::ports::Clock;

/// A wait whose end moves. Only one task may wait with it: workerd's timer wakes the task that polled it first and no other.
pub struct Timer<'c, C> {
    clock: &'c C,
    /// The time for which the platform's timer is set, in Unix milliseconds.
    set: Option<(u64, LocalBoxFuture<'c, ()>)>,
}

impl<'c, C: Clock> Timer<'c, C> {
    /// A timer that is not set.
    pub fn new(clock: &'c C) -> Self {
        Self { clock, set: None }
    }

    /// Resolves at `end_ms` (Unix), or a moment later when that has passed. A caller that stops waiting may wait for another end.
    pub async fn until(&mut self, end_ms: u64) {
        loop {
            let (rings_ms, ring) = match &mut self.set {
                Some(set) if set.0 <= end_ms => set,
                other => {
                    let clock = self.clock;
                    let ms = end_ms.saturating_sub(clock.now_ms());
                    other.insert((end_ms, Box::pin(clock.sleep(ms))))
                }
            };
            let rings_ms = *rings_ms;
            ring.await;
            self.set = None;
            if rings_ms == end_ms {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::{FutureExt, future::pending};

    use super::*;

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
    fn one_that_rings_too_early_is_set_again_for_the_rest() {
        let clock = Stopped::default();
        let mut timer = Timer::new(&clock);
        let mut soon = Box::pin(timer.until(1_400));
        assert_eq!(soon.as_mut().now_or_never(), Some(()));
        drop(soon);
        // The timer is set, and was not polled again.
        timer.set = Some((1_300, Box::pin(std::future::ready(()))));
        assert_eq!(timer.until(3_000).now_or_never(), None);
        assert_eq!(*clock.0.borrow(), [400, 2_000]);
        assert_eq!(timer.until(900).now_or_never(), Some(()), "it has passed");
    }
}
