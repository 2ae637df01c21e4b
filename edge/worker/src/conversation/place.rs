//! How many answers are written at once in an isolate. What is more than a machine can carry is refused before it costs anything,
//! so that what was admitted is finished.

use bulle_protocol::problem::{Code, Problem};
use std::cell::Cell;

/// Seconds after which a refused client may try again: about as long as an answer takes.
const RETRY_AFTER: u32 = 10;

thread_local! {
    static RUNNING: Cell<u32> = const { Cell::new(0) };
}

/// The place of a running answer. It is free again when this is dropped.
pub struct Place(());

impl Place {
    /// Takes a place, of at most so many in the isolate.
    ///
    /// # Errors
    /// `overloaded`.
    pub fn take(most: u32) -> Result<Self, Problem> {
        let running = RUNNING.get();
        if running >= most {
            let detail =
                format!("{running} answers are being written on this machine, as many as it can.");
            return Err(Problem::new(Code::Overloaded, detail).retry_after(RETRY_AFTER));
        }
        RUNNING.set(running + 1);
        Ok(Self(()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_answer_has_ended() {
        let (one, other) = (Place::take(2).unwrap(), Place::take(2).unwrap());
        let refused = Place::take(2).err().unwrap();
        assert_eq!(
            (refused.code, refused.retry_after),
            (Code::Overloaded, Some(RETRY_AFTER))
        );
        drop(one);
        assert!(Place::take(2).is_ok());
        drop(other);
    }
}
