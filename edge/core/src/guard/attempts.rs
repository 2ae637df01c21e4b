//! Failed attempts at secrets (API keys, identities, challenges, session tokens), by network address. The secrets have
//! 256 bits and are not guessed; but whoever tries gets slower answers, and costs no more than a look into memory.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{
    address::Address,
    local_limiter::{self, Counter},
};
use crate::ports::{Clock, Entropy, IsolateCache, Kv};

/// What was tried. Each is counted by itself: who fails at one is not kept from another.
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
}

impl Credential {
    /// Failures a minute and address.
    pub fn per_minute(self) -> u32 {
        match self {
            // After a change of SESSION_SECRET every browser of an office fails once or twice.
            Self::Token => 100,
            Self::Identity | Self::Challenge | Self::ApiKey => 20,
        }
    }

    fn counter(self, address: &Address) -> Counter {
        let name = match self {
            Self::Token => "token",
            Self::Identity => "identity",
            Self::Challenge => "challenge",
            Self::ApiKey => "key",
        };
        Counter {
            key: format!("failed/{name}/{}", address.as_str()),
            length_ms: 60_000,
            limit: self.per_minute(),
        }
    }
}

/// Refuses an address that has failed too often, as far as this isolate has seen.
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

/// Counts a failure; what to answer to it.
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
        // Another isolate has no memory of it, but learns from KV with its first failure.
        for _ in 0..Credential::ApiKey.per_minute() {
            fail(&guesser);
        }
        ports.forget_memory();
        assert!(check(&ports, Credential::ApiKey, &guesser).is_ok());
        assert_eq!(fail(&guesser), Code::RateLimited);
    }
}
