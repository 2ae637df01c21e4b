//! Messages a minute and visitor: a sliding window in KV.
//!
//! KV is eventually consistent, so two places of the network can each admit a full window, and writes to one
//! key are limited to about one a second: this limiter keeps a patient visitor within bounds, it does not
//! count money. When KV fails, the message is let through.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};

use super::Admitted;
use crate::ports::{Clock, Kv};

/// Length of the window.
pub const WINDOW_MS: u64 = 60_000;

/// The messages of the last window, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    seen: Vec<(u64, Id)>,
}

/// The decision of [`Window::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Admitted; so many more are left in the window.
    Admitted {
        /// Messages left.
        left: u32,
        /// True when the window changed and must be stored.
        counted: bool,
    },
    /// Refused until so many milliseconds have passed.
    Refused {
        /// Milliseconds.
        retry_in: u64,
    },
}

impl Window {
    /// Counts a message unless `limit` others stand in the window. The same id again (a retry, a lost
    /// connection) is not counted twice, unless it asks the model anew.
    pub fn admit(&mut self, now_ms: u64, limit: u32, id: Id, anew: bool) -> Decision {
        self.seen
            .retain(|(at, _)| at + WINDOW_MS > now_ms && *at <= now_ms + WINDOW_MS);
        let limit = limit as usize;
        let left = |used: usize| u32::try_from(limit.saturating_sub(used)).unwrap_or(u32::MAX);
        if !anew && self.seen.iter().any(|(_, seen)| *seen == id) {
            return Decision::Admitted {
                left: left(self.seen.len()),
                counted: false,
            };
        }
        if self.seen.len() >= limit {
            let oldest = self.seen.first().map_or(now_ms, |(at, _)| *at);
            return Decision::Refused {
                retry_in: (oldest + WINDOW_MS).saturating_sub(now_ms).max(1),
            };
        }
        self.seen.push((now_ms, id));
        Decision::Admitted {
            left: left(self.seen.len()),
            counted: true,
        }
    }
}

/// Counts a message of the visitor; what is left of the minute.
///
/// # Errors
/// `rate_limited`, with `retry_after`.
pub async fn admit<P: Kv + Clock>(
    ports: &P,
    admitted: &Admitted,
    message: Id,
    anew: bool,
) -> Result<u32, Problem> {
    let limit = 20;
    let key = format!("minute/{}/{}", admitted.site.tenant_id, admitted.visitor_id);
    let stored = ports.get(&key).await.ok().flatten();
    let mut window: Window = stored
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default();
    match window.admit(ports.now_ms(), limit, message, anew) {
        Decision::Admitted { left, counted } => {
            if counted && let Ok(json) = serde_json::to_string(&window) {
                let _ = ports.put(&key, &json, WINDOW_MS / 1_000).await;
            }
            Ok(left)
        }
        Decision::Refused { retry_in } => {
            let seconds = u32::try_from(retry_in.div_ceil(1_000)).unwrap_or(60);
            Err(Problem::new(
                Code::RateLimited,
                format!("At most {limit} messages a minute. Try again in {seconds} s."),
            )
            .retry_after(seconds))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u128) -> Id {
        Id::from_parts(0, n)
    }

    #[test]
    fn a_window_slides() {
        let mut window = Window::default();
        let admitted = |left, counted| Decision::Admitted { left, counted };
        assert_eq!(window.admit(0, 2, id(1), false), admitted(1, true));
        assert_eq!(window.admit(30_000, 2, id(2), false), admitted(0, true));
        assert_eq!(window.admit(30_000, 2, id(2), false), admitted(0, false));
        assert_eq!(
            window.admit(59_000, 2, id(3), false),
            Decision::Refused { retry_in: 1_000 }
        );
        assert_eq!(window.admit(60_000, 2, id(3), false), admitted(0, true));
        assert_eq!(
            window.admit(61_000, 2, id(3), true),
            Decision::Refused { retry_in: 29_000 }
        );
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
                match window.admit(now, limit, id(n), false) {
                    Decision::Admitted { .. } => admitted.push(now),
                    Decision::Refused { retry_in } => {
                        let mut later = window.clone();
                        let freed = limit > 0;
                        prop_assert_eq!(
                            matches!(later.admit(now + retry_in, limit, id(n), false), Decision::Admitted { .. }), freed);
                    }
                }
            }
            for start in &admitted {
                let inside = admitted.iter().filter(|at| *at >= start && **at < start + WINDOW_MS).count();
                prop_assert!(inside <= limit as usize);
            }
        }
    }
}
