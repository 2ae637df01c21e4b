//! Failed exchanges: the cause, the text for the visitor, and what a retry does.

use bulle_protocol::{
    event::TurnError,
    problem::{Action, Code, Problem},
    strings::{Strings, duration},
};

use crate::format::fill;

/// The failure of an exchange or of opening the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause.
    pub code: Code,
    /// The edge's text in the visitor's language, if it sent one; `{time}` is replaced by the time left to wait.
    pub message: Option<String>,
    /// A link that helps the visitor, such as to upgrade.
    pub action: Option<Action>,
    /// When a retry becomes possible, in Unix milliseconds.
    pub until: Option<u64>,
    pub(crate) next_call: NextCall,
}

/// The call that a retry, or the next attempt to connect, makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextCall {
    /// Posts the message; `retry` asks the model once more if its turn has failed.
    Post {
        /// The member `retry` of the body.
        retry: bool,
    },
    /// Resumes the turn, which the edge has accepted.
    Attach,
}

impl Failure {
    /// A failure that the bubble itself has detected.
    pub(crate) fn new(code: Code, next_call: NextCall) -> Self {
        Self {
            code,
            message: None,
            action: None,
            until: None,
            next_call,
        }
    }

    /// The visitor stopped the message before the edge had it. The text is empty, because there is nothing to explain.
    pub(crate) fn taken_back(next_call: NextCall) -> Self {
        Self {
            message: Some(String::new()),
            ..Self::new(Code::Interrupted, next_call)
        }
    }

    /// The `error` event of a turn.
    pub(crate) fn from_turn_error(error: TurnError, now: u64) -> Self {
        Self {
            message: words(Some(error.message), error.retry_after),
            action: error.action,
            until: deadline(error.retry_after, now),
            ..Self::new(error.code, NextCall::Post { retry: true })
        }
    }

    /// A problem response to a call of the turn.
    pub(crate) fn from_problem(problem: &Problem, now: u64) -> Self {
        // The edge has not accepted a refused message, so a retry posts it again. `retry` matters only for a turn
        // that exists and has failed; the edge ignores it otherwise.
        Self {
            message: words(problem.message.clone(), problem.retry_after),
            action: problem.action.clone(),
            until: deadline(problem.retry_after, now),
            ..Self::new(problem.code, NextCall::Post { retry: true })
        }
    }

    /// Seconds until a retry is possible, rounded up.
    pub fn seconds_left(&self, now: u64) -> u64 {
        self.until.unwrap_or(0).saturating_sub(now).div_ceil(1000)
    }

    /// The text for the visitor. It is empty once a limit has passed, when the retry button is enough, and without
    /// `strings`, which come with the session, unless the edge has sent a text.
    pub fn text(&self, strings: Option<&Strings>, now: u64) -> String {
        let left = self.seconds_left(now);
        if left == 0 && self.until.is_some() && is_limit(self.code) {
            return String::new();
        }
        fill(self.words(strings), "time", &duration(left))
    }

    /// The time left to wait, if the text does not contain it.
    pub fn countdown(&self, strings: &Strings, now: u64) -> Option<String> {
        let left = self.seconds_left(now);
        let words = self.words(Some(strings));
        (left > 0 && fill(words, "time", "") == words).then(|| duration(left))
    }

    /// True when the wait is too long for a countdown.
    pub fn waits_long(&self, now: u64) -> bool {
        self.seconds_left(now) > 120
    }

    /// True when the same call may succeed later. Otherwise the owner or the page must change something first.
    pub fn may_pass(&self) -> bool {
        use Code::{
            IdentityExpired, IdentityInvalid, IdentityRequired, OriginNotAllowed, UnknownSite,
        };
        !matches!(
            self.code,
            UnknownSite | OriginNotAllowed | IdentityRequired | IdentityInvalid | IdentityExpired
        )
    }

    fn words<'a>(&'a self, strings: Option<&'a Strings>) -> &'a str {
        let own = |strings| text_of(self.code, strings);
        match &self.message {
            Some(message) => message,
            None => strings.map(own).unwrap_or_default(),
        }
    }
}

/// The edge's text, with the time to wait replaced by `{time}` so that it can be counted down.
fn words(message: Option<String>, retry_after: Option<u32>) -> Option<String> {
    let message = message.filter(|text| !text.is_empty())?;
    let told = retry_after.map(|seconds| duration(seconds.into()));
    Some(match told.and_then(|told| around_last(&message, &told)) {
        Some((before, after)) => format!("{before}{{time}}{after}"),
        None => message,
    })
}

/// `str::rsplit_once` in fewer bytes: the standard one brings a search algorithm for long needles.
fn around_last<'a>(text: &'a str, needle: &str) -> Option<(&'a str, &'a str)> {
    let after = |at: usize| text.get(at..)?.strip_prefix(needle);
    let at = (0..text.len()).rev().find(|at| after(*at).is_some())?;
    Some((text.get(..at)?, after(at)?))
}

/// True for a limit that ends with time.
pub(crate) fn is_limit(code: Code) -> bool {
    matches!(code, Code::RateLimited | Code::QuotaExceeded)
}

/// True for a refusal that asks for a Turnstile token.
pub(crate) fn is_challenge(code: Code) -> bool {
    matches!(code, Code::ChallengeRequired | Code::ChallengeFailed)
}

/// True for a refusal that only the site's owner can fix.
pub(crate) fn is_owners(code: Code) -> bool {
    use Code::{
        ChallengeFailed, IdentityExpired, IdentityInvalid, IdentityRequired, Misconfigured,
        OriginNotAllowed, Paused, UnknownSite,
    };
    matches!(
        code,
        UnknownSite
            | OriginNotAllowed
            | Paused
            | IdentityRequired
            | IdentityInvalid
            | IdentityExpired
            | ChallengeFailed
            | Misconfigured
    )
}

fn deadline(retry_after: Option<u32>, now: u64) -> Option<u64> {
    retry_after.map(|seconds| now.saturating_add(u64::from(seconds) * 1000))
}

/// The interface text for a code.
fn text_of(code: Code, strings: &Strings) -> &str {
    match code {
        Code::UpstreamUnavailable => &strings.upstream_unavailable,
        Code::UpstreamTimeout => &strings.upstream_timeout,
        Code::UpstreamInterrupted | Code::Interrupted => &strings.upstream_interrupted,
        Code::UnknownSite | Code::OriginNotAllowed => &strings.not_here,
        Code::Misconfigured => &strings.unavailable,
        Code::RateLimited => &strings.rate_limited,
        Code::QuotaExceeded => &strings.quota_exceeded,
        Code::Paused => &strings.paused,
        Code::IdentityRequired => &strings.identity_required,
        Code::IdentityInvalid => &strings.identity_invalid,
        Code::IdentityExpired => &strings.identity_expired,
        Code::ChallengeRequired => &strings.challenge,
        Code::ChallengeFailed => &strings.challenge_failed,
        Code::Offline => &strings.offline,
        _ => &strings.failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_words_are_told_with_the_time_that_is_left() {
        let refused = |message: &str, code: Code, retry_after: Option<u32>| {
            let mut problem = Problem::new(code, "for the owner");
            problem.message = Some(message.to_owned());
            problem.retry_after = retry_after;
            Failure::from_problem(&problem, 1_000)
        };
        let strings = Strings {
            rate_limited: "wait {time}".to_owned(),
            paused: "paused".to_owned(),
            ..Strings::default()
        };
        let told = |failure: &Failure, now: u64| {
            (
                failure.text(Some(&strings), now),
                failure.countdown(&strings, now),
            )
        };
        let limit = Code::RateLimited;
        for (failure, now, text, countdown) in [
            (
                refused("In 45 s.", limit, Some(45)),
                1_000,
                "In 45 s.",
                None,
            ),
            (
                refused("In 45 s.", limit, Some(45)),
                31_000,
                "In 15 s.",
                None,
            ),
            (
                refused("In {time}.", limit, Some(9)),
                1_000,
                "In 9 s.",
                None,
            ),
            (
                refused("9 s? 9 s!", limit, Some(9)),
                8_000,
                "9 s? 2 s!",
                None,
            ),
            (
                refused("Slowly!", limit, Some(45)),
                2_000,
                "Slowly!",
                Some("44 s"),
            ),
            (refused("Slowly!", limit, Some(45)), 90_000, "", None),
            (refused("", limit, Some(45)), 1_000, "wait 45 s", None),
            (refused("Later.", Code::Paused, None), 1_000, "Later.", None),
            (
                refused("", Code::Paused, Some(5)),
                1_000,
                "paused",
                Some("5 s"),
            ),
            (
                refused("In 3 h 20 min.", Code::QuotaExceeded, Some(12_000)),
                61_000,
                "In 3 h 19 min.",
                None,
            ),
        ] {
            let (text, countdown) = (text.to_owned(), countdown.map(str::to_owned));
            assert_eq!(told(&failure, now), (text, countdown));
        }
    }
}
