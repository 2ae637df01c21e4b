//! The times of further tries, and of the next fetch of a source.

use super::{Failure, FetchError};

/// How many attempts without progress a source has before it fails.
pub const MAX_ATTEMPTS: u32 = 6;

/// How often a page of a site is tried.
pub const MAX_PAGE_ATTEMPTS: u32 = 3;

/// Longest pause before another try, in milliseconds.
const MAX_PAUSE_MS: u64 = 3_600_000;

/// The consequence of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another try after this many milliseconds.
    Again(u64),
    /// The source has failed.
    GiveUp,
}

/// The consequence of a failure in attempt number `attempt`, from 1. `first_ms` is the pause after the first one.
pub fn after(error: &FetchError, attempt: u32, most: u32, first_ms: u64) -> Next {
    let FetchError::Transient(_, asked) = error else {
        return Next::GiveUp;
    };
    if attempt >= most {
        return Next::GiveUp;
    }
    let doubled = first_ms.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let asked = asked.map_or(0, |seconds| u64::from(seconds) * 1_000);
    Next::Again(doubled.max(asked).min(MAX_PAUSE_MS))
}

/// The problem shown of a failure after which another try follows.
pub fn trying_again(failure: &Failure) -> Failure {
    Failure {
        code: failure.code,
        detail: format!("{} It is tried again.", failure.detail),
    }
}

/// The problem shown of a passing failure after the last attempt.
pub fn given_up(error: &FetchError, attempts: u32) -> Failure {
    let failure = error.failure();
    match error {
        FetchError::Transient(..) if attempts > 1 => Failure {
            code: failure.code,
            detail: format!(
                "{} So it did {attempts} times. See whether the address works, then refresh this source.",
                failure.detail
            ),
        },
        _ => failure.clone(),
    }
}

/// When a source is fetched again, in Unix milliseconds.
pub fn refresh_at(now_ms: u64, refresh_seconds: Option<u32>) -> Option<u64> {
    refresh_seconds.map(|seconds| now_ms + u64::from(seconds) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::{FailureCode, failure};

    #[test]
    fn pauses_grow_and_end() {
        let passing = FetchError::transient(FailureCode::Timeout, "It was slow.");
        let pauses: Vec<Next> = (1..=4).map(|n| after(&passing, n, 4, 10_000)).collect();
        assert_eq!(
            pauses,
            [
                Next::Again(10_000),
                Next::Again(20_000),
                Next::Again(40_000),
                Next::GiveUp
            ]
        );
        assert_eq!(after(&passing, 90, 100, 10_000), Next::Again(MAX_PAUSE_MS));
        let asked = FetchError::Transient(failure(FailureCode::ServerError, "503."), Some(60));
        assert_eq!(after(&asked, 1, 4, 10_000), Next::Again(60_000));
        let asked =
            FetchError::Transient(failure(FailureCode::ServerError, "503."), Some(u32::MAX));
        assert_eq!(after(&asked, 1, 4, 10_000), Next::Again(MAX_PAUSE_MS));
        let lasting = FetchError::permanent(FailureCode::NotFound, "404.");
        assert_eq!(after(&lasting, 1, 4, 10_000), Next::GiveUp);
    }

    #[test]
    fn people_are_told_how_often_it_was_tried() {
        let passing = FetchError::transient(FailureCode::Timeout, "It was slow.");
        assert_eq!(
            given_up(&passing, 6).detail,
            "It was slow. So it did 6 times. See whether the address works, then refresh this source."
        );
        let lasting = FetchError::permanent(FailureCode::NotFound, "404.");
        assert_eq!(given_up(&lasting, 6).detail, "404.");
        assert!(
            trying_again(passing.failure())
                .detail
                .ends_with("tried again.")
        );
    }

    #[test]
    fn a_source_without_a_schedule_is_not_fetched_again() {
        assert_eq!(refresh_at(1_000, None), None);
        assert_eq!(refresh_at(1_000, Some(3_600)), Some(3_601_000));
    }
}
