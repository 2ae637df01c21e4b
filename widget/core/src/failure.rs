//! Why an exchange went no further, and what helps.

use bulle_protocol::{
    event::{Action, TurnError},
    problem::{Code, Problem},
    strings::Strings,
};

use crate::words::fill;

/// A failed exchange, in words for the visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// The edge's own words in the visitor's language, when it had any.
    pub message: Option<String>,
    /// A way out.
    pub action: Option<Action>,
    /// A retry is of no use before this time (Unix milliseconds).
    pub until: Option<u64>,
    /// What a retry does.
    pub(crate) again: Again,
}

/// What a retry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Posts the message; `retry` asks the model once more if its turn has failed.
    Post {
        /// For the body of the call.
        retry: bool,
    },
    /// Follows the turn, which the edge has.
    Attach,
}

impl Failure {
    /// A failure that the bubble found by itself.
    pub(crate) fn new(code: Code, again: Again) -> Self {
        Self {
            code,
            message: None,
            action: None,
            until: None,
            again,
        }
    }

    /// The visitor took the message back before the edge had it: nothing to explain.
    pub(crate) fn taken_back(again: Again) -> Self {
        Self {
            message: Some(String::new()),
            ..Self::new(Code::Interrupted, again)
        }
    }

    /// The `error` event of a turn.
    pub(crate) fn in_band(error: TurnError, now: u64) -> Self {
        Self {
            message: Some(error.message).filter(|text| !text.is_empty()),
            action: error.action,
            until: deadline(error.retry_after, now),
            ..Self::new(error.code, Again::Post { retry: true })
        }
    }

    /// A problem response to a call of the turn.
    pub(crate) fn refused(problem: &Problem, now: u64) -> Self {
        // A refused message was never taken, so the same post is simply made again; `retry` only
        // matters for a turn that exists and has failed, and is ignored for every other.
        Self {
            until: deadline(problem.retry_after, now),
            ..Self::new(problem.code, Again::Post { retry: true })
        }
    }

    /// Seconds before a retry is of use, rounded up.
    pub fn seconds_left(&self, now: u64) -> u64 {
        self.until.unwrap_or(0).saturating_sub(now).div_ceil(1000)
    }

    /// What to tell the visitor; empty once a limit has passed, when only the button is left to say.
    pub fn text(&self, strings: &Strings, now: u64) -> String {
        let left = self.seconds_left(now);
        if self.code == Code::RateLimited && self.until.is_some() {
            return match (&self.message, left) {
                (_, 0) => String::new(),
                // Nobody counts down a whole day: the edge's own sentence says it better.
                (Some(message), 121..) => message.clone(),
                _ => fill(&strings.rate_limited, "time", &duration(left)),
            };
        }
        match &self.message {
            Some(message) => message.clone(),
            None => text_of(self.code, strings).to_owned(),
        }
    }
}

/// A time to wait in the unit that a person would use, rounded up. The signs are the same in every language.
fn duration(seconds: u64) -> String {
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..=7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

fn deadline(retry_after: Option<u32>, now: u64) -> Option<u64> {
    retry_after.map(|seconds| now.saturating_add(u64::from(seconds) * 1000))
}

/// The bubble's own words for a code.
fn text_of(code: Code, strings: &Strings) -> &str {
    match code {
        Code::UpstreamUnavailable => &strings.upstream_unavailable,
        Code::UpstreamTimeout => &strings.upstream_timeout,
        Code::UpstreamInterrupted | Code::Interrupted => &strings.upstream_interrupted,
        Code::UnknownSite | Code::OriginNotAllowed | Code::Misconfigured => &strings.unavailable,
        Code::Offline => &strings.offline,
        _ => &strings.failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_told_in_larger_units_rounded_up() {
        for (seconds, told) in [
            (1, "1 s"),
            (120, "120 s"),
            (121, "3 min"),
            (7200, "120 min"),
            (7201, "3 h"),
            (86_400, "24 h"),
        ] {
            assert_eq!(duration(seconds), told);
        }
    }
}
