//! Failed attempts at secrets (API keys, identities, challenges, session tokens), by network address. The secrets have
//! 256 bits and are not guessed; but whoever tries gets slower answers, and costs no more than a look into memory.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{
    address::Address,
    nearby::{self, Counter},
};
use crate::ports::{Clock, Entropy, Kv, Memory};

/// Failures a minute and address.
pub const PER_MINUTE: u32 = 20;

fn counter(address: &Address) -> Counter {
    Counter {
        key: format!("failed/{}", address.as_str()),
        length_ms: 60_000,
        limit: PER_MINUTE,
    }
}

/// Refuses an address that has failed too often, as far as this isolate has seen.
///
/// # Errors
/// `rate_limited`.
pub fn check<P: Memory + Clock>(ports: &P, address: &Address) -> Result<(), Problem> {
    let standing = nearby::look(ports, &counter(address));
    if standing.left > 0 {
        return Ok(());
    }
    Err(refusal(standing.reset_ms))
}

/// Counts a failure; what to answer to it.
pub async fn failed<P: Memory + Kv + Clock + Entropy>(
    ports: &P,
    address: &Address,
    problem: Problem,
) -> Problem {
    let counters = [counter(address)];
    let attempt = Id::from_parts(ports.now_ms(), ports.random());
    match nearby::admit(ports, &counters, attempt, true).await {
        Ok(_) => problem,
        Err(refused) => refusal(refused.standing.reset_ms),
    }
}

fn refusal(reset_ms: u64) -> Problem {
    let seconds = nearby::seconds(reset_ms);
    Problem::new(
        Code::RateLimited,
        format!("Too many failed attempts from this network. Try again in {seconds} s, with a secret that is right."),
    )
    .retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Fakes, block_on, secret};

    #[test]
    fn guessing_is_stopped_and_neighbours_are_not() {
        let ports = Fakes::default();
        let at = |ip| Address::new(&secret(), Some(ip), ports.now_ms());
        let (guesser, neighbour) = (at("192.0.2.1"), at("192.0.2.2"));
        let fail = |address| {
            let problem = Problem::new(Code::ApiKeyInvalid, "No.");
            block_on(failed(&ports, address, problem)).code
        };
        for _ in 0..PER_MINUTE {
            assert!(check(&ports, &guesser).is_ok());
            assert_eq!(fail(&guesser), Code::ApiKeyInvalid);
        }
        assert_eq!(check(&ports, &guesser).unwrap_err().code, Code::RateLimited);
        assert_eq!(fail(&guesser), Code::RateLimited);
        assert!(check(&ports, &neighbour).is_ok());
        ports.advance(60_000);
        assert!(check(&ports, &guesser).is_ok());
        // Another isolate has no memory of it, but learns from KV with its first failure.
        for _ in 0..PER_MINUTE {
            fail(&guesser);
        }
        ports.forget_memory();
        assert!(check(&ports, &guesser).is_ok());
        assert_eq!(fail(&guesser), Code::RateLimited);
    }
}
