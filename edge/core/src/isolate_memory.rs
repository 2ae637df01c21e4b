//! What an isolate has read from KV, kept in its memory for a few seconds: a message that comes soon after another one
//! reads nothing.
//!
//! When the time is over, one request reads the value anew. Those that come meanwhile take the old value, for
//! [`READING_MS`] at most. They do not wait for that request: the platform ends its I/O when its client leaves.

use std::{cell::Cell, rc::Rc};

use crate::ports::{Clock, IsolateValues};

/// Milliseconds for which a value is taken from memory.
pub const KEPT_MS: u64 = 5_000;

/// Milliseconds for which an older value is taken while another request reads it anew.
pub const READING_MS: u64 = 2_000;

struct Kept<T> {
    value: T,
    /// When the value was read, in Unix milliseconds.
    at_ms: u64,
    /// When a request began to read it anew; 0 before.
    reading_ms: Cell<u64>,
}

/// The value under this key, unless the caller has to read it.
pub fn recall<T: Clone + 'static, P: IsolateValues + Clock>(ports: &P, key: &str) -> Option<T> {
    let kept = ports.value(key)?.downcast::<Kept<T>>().ok()?;
    let now = ports.now_ms();
    let age = now.saturating_sub(kept.at_ms);
    if age < KEPT_MS {
        return Some(kept.value.clone());
    }
    if age < KEPT_MS + READING_MS && now.saturating_sub(kept.reading_ms.get()) < READING_MS {
        return Some(kept.value.clone());
    }
    kept.reading_ms.set(now);
    None
}

/// Keeps a value that was read now.
pub fn keep<T: 'static, P: IsolateValues + Clock>(ports: &P, key: &str, value: T) {
    let kept = Kept {
        value,
        at_ms: ports.now_ms(),
        reading_ms: Cell::new(0),
    };
    ports.set_value(key, Some(Rc::new(kept)));
}

/// Drops the value.
pub fn drop<P: IsolateValues>(ports: &P, key: &str) {
    ports.set_value(key, None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fakes;

    #[test]
    fn a_value_is_read_anew_by_one_request_and_the_others_do_not_wait() {
        let ports = Fakes::default();
        let recalled = || recall::<u32, _>(&ports, "k");
        assert_eq!(recalled(), None);
        keep(&ports, "k", 1u32);
        ports.advance(KEPT_MS - 1);
        assert_eq!(recalled(), Some(1));
        ports.advance(1);
        assert_eq!(
            [recalled(), recalled(), recalled()],
            [None, Some(1), Some(1)]
        );
        // The request that reads has not come back.
        ports.advance(READING_MS);
        assert_eq!([recalled(), recalled()], [None; 2]);
        keep(&ports, "k", 2u32);
        assert_eq!(recalled(), Some(2));
        drop(&ports, "k");
        assert_eq!(recalled(), None);
    }

    #[test]
    fn a_value_that_nobody_asked_for_is_not_taken_however_old_it_is() {
        let ports = Fakes::default();
        keep(&ports, "k", 1u32);
        ports.advance(3_600_000);
        assert_eq!(recall::<u32, _>(&ports, "k"), None);
    }
}
