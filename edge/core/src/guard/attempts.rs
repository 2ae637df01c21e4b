//! Failed attempts at secrets (API keys, identities, challenges, session tokens, passwords), counted by network address.
//! All but passwords have 256 bits and cannot be guessed. The limit slows down callers that try, and keeps the cost of a
//! try at one look into memory.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{
    address::Address,
    local_limiter::{self, Counter},
};
use crate::ports::{Clock, Entropy, IsolateCache, Kv};

/// The kind of secret that was tried. Each kind is counted by itself, so failures at one do not block the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session token.
    Token,
    /// An identity's signature.
    Identity,
    /// A Turnstile token.
    Challenge,
    /// An API key.
    ApiKey,
    /// The session of a person.
    PersonSession,
    /// A person's password, or an invitation.
    Password,
}

impl Credential {
    /// Failures allowed a minute and address.
    pub fn per_minute(self) -> u32 {
        match self {
            // After a change of `SESSION_SECRET` the token of every browser in an office fails once or twice.
            Self::Token | Self::PersonSession => 100,
            Self::Identity | Self::Challenge | Self::ApiKey | Self::Password => 20,
        }
    }

    fn counter(self, address: &Address) -> Counter {
        let name = match self {
            Self::Token => "token",
            Self::Identity => "identity",
            Self::Challenge => "challenge",
            Self::ApiKey => "key",
            Self::PersonSession => "person",
            Self::Password => "password",
        };
        Counter {
            key: format!("failed/{name}/{}", address.as_str()),
            length_ms: 60_000,
            limit: self.per_minute(),
        }
    }
}

/// Refuses an address with too many failures, as far as this isolate knows.
///
/// # Errors
/// `rate_limited`.
pub fn check<P: IsolateCache + Clock>(
    ports: &P,
    secret: Credential,
    address: &Address,
) -> Result<(), Problem> {
    let standing = local_limiter::look(ports, &secret.counter(address));
    if standing.left > 0 {
        return Ok(());
    }
    Err(refusal(standing.reset_ms))
}

/// Counts a failure, and gives the problem to answer with.
pub async fn failed<P: IsolateCache + Kv + Clock + Entropy>(
    ports: &P,
    secret: Credential,
    address: &Address,
    problem: Problem,
) -> Problem {
    let counters = [secret.counter(address)];
    let attempt = Id::from_parts(ports.now_ms(), ports.random());
    match local_limiter::admit(ports, &counters, attempt).await {
        Ok(_) => problem,
        Err(refused) => refusal(refused.standing.reset_ms),
    }
}

fn refusal(reset_ms: u64) -> Problem {
    let seconds = local_limiter::seconds(reset_ms);
    Problem::new(
        Code::RateLimited,
        format!("Too many failed attempts from this network. Try again in {seconds} s, with a secret that is right."),
    )
    .retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, secret};

    #[test]
    fn guessing_is_stopped_and_neighbours_are_not() {
        let ports = Fakes::default();
        let at = |ip| Address::new(&secret(), Some(ip), ports.now_ms());
        let (guesser, neighbour) = (at("192.0.2.1"), at("192.0.2.2"));
        let fail = |address| {
            let problem = Problem::new(Code::ApiKeyInvalid, "No.");
            block_on(failed(&ports, Credential::ApiKey, address, problem)).code
        };
        for _ in 0..Credential::ApiKey.per_minute() {
            assert!(check(&ports, Credential::ApiKey, &guesser).is_ok());
            assert_eq!(fail(&guesser), Code::ApiKeyInvalid);
        }
        assert_eq!(
            check(&ports, Credential::ApiKey, &guesser)
                .unwrap_err()
                .code,
            Code::RateLimited
        );
        assert_eq!(fail(&guesser), Code::RateLimited);
        assert!(check(&ports, Credential::ApiKey, &neighbour).is_ok());
        ports.advance(60_000);
        assert!(check(&ports, Credential::ApiKey, &guesser).is_ok());
        // Another isolate does not have these failures in memory; it reads them from KV at its first failure.
        for _ in 0..Credential::ApiKey.per_minute() {
            fail(&guesser);
        }
        ports.forget_memory();
        assert!(check(&ports, Credential::ApiKey, &guesser).is_ok());
        assert_eq!(fail(&guesser), Code::RateLimited);
    }
}
