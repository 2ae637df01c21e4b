//! The circuit breaker: a model that fails repeatedly is not asked for a while, in any turn. Its state is in KV, so all
//! isolates in the same place share it at once and others within about a minute. A healthy model costs one read of KV
//! and no write.
//!
//! Closed: the model is asked. After [`FAILURES`] failures in a row the circuit opens: the model is not asked for
//! [`COOL_MS`], twice as long each time. Then the circuit is half open: the first turn asks, and the others pass the
//! model over until the outcome is known. (M. Nygard, Release It!, 2007.)

use serde::{Deserialize, Serialize};

use super::Model;
use crate::{
    digest::sha256_hex,
    ports::{Clock, Kv},
};

/// Failures in a row that open the circuit.
pub const FAILURES: u32 = 3;

/// How long the circuit is open the first time, in milliseconds.
pub const COOL_MS: u64 = 30_000;

/// The longest time that the circuit is open, in milliseconds.
const MAX_COOL_MS: u64 = 300_000;

/// How long a turn that tries a half-open circuit keeps other turns from it, in milliseconds.
const PROBE_MS: u64 = 30_000;

/// After this many seconds without a failure the model counts as healthy.
const FORGOTTEN_SECONDS: u64 = 900;

/// The stored state of a model that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Circuit {
    /// Failures in a row.
    failures: u32,
    /// The time before which the model is not asked, in Unix milliseconds.
    until_ms: u64,
}

/// The circuit breaker of a model. Its caller reports the outcome of the request.
pub struct Breaker {
    key: String,
    found: Option<Circuit>,
}

impl Breaker {
    /// Whether the circuit is open, so that the model is not asked.
    pub async fn is_open<P: Kv + Clock>(ports: &P, model: &Model<'_>) -> bool {
        Self::look(ports, model).await.rests(ports.now_ms())
    }

    /// Gives the breaker back when the model may be asked.
    pub async fn admitted<P: Kv + Clock>(self, ports: &P) -> Option<Self> {
        let now = ports.now_ms();
        if self.rests(now) {
            return None;
        }
        if let Some(circuit) = self.found.filter(|found| found.failures >= FAILURES) {
            let until_ms = now + PROBE_MS;
            let probed = Circuit {
                until_ms,
                ..circuit
            };
            self.store(ports, probed).await;
        }
        Some(self)
    }

    fn rests(&self, now_ms: u64) -> bool {
        let open = |circuit: &Circuit| circuit.failures >= FAILURES && now_ms < circuit.until_ms;
        self.found.as_ref().is_some_and(open)
    }

    /// Reads the state of the model's circuit. When KV fails, the model counts as healthy.
    pub async fn look<P: Kv>(ports: &P, model: &Model<'_>) -> Self {
        let key = key(model);
        let stored = ports.get(&key).await.ok().flatten();
        let found: Option<Circuit> = stored.and_then(|json| serde_json::from_str(&json).ok());
        Self { key, found }
    }

    /// Whether this is the breaker of that model.
    pub fn is_of(&self, model: &Model<'_>) -> bool {
        self.key == key(model)
    }

    /// The model has answered.
    pub async fn succeeded<P: Kv>(self, ports: &P) {
        if self.found.is_some() {
            // When the deletion fails, the old state stays until it expires, and the model is asked less often than it could be.
            let _ = ports.delete(&self.key).await;
        }
    }

    /// Records that the model has failed. True when its circuit is open now.
    pub async fn failed<P: Kv + Clock>(self, ports: &P) -> bool {
        let failures = self.found.map_or(0, |circuit| circuit.failures) + 1;
        let times = failures.saturating_sub(FAILURES).min(8);
        let cool = (COOL_MS << times).min(MAX_COOL_MS);
        let until_ms = ports.now_ms() + cool;
        self.store(ports, Circuit { failures, until_ms }).await;
        failures >= FAILURES
    }

    async fn store<P: Kv>(&self, ports: &P, circuit: Circuit) {
        if let Ok(json) = serde_json::to_string(&circuit) {
            // When the state cannot be written, the model is asked more often than it should be.
            let _ = ports.put(&self.key, &json, FORGOTTEN_SECONDS).await;
        }
    }
}

fn key(model: &Model<'_>) -> String {
    let server = &model.server;
    // Names of models may be longer than KV's keys.
    let digest = sha256_hex([server.base_url.as_bytes(), b"\n", model.name.as_bytes()]);
    format!("circuit/{}/{digest}", server.provider.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, vendors};

    fn admit(ports: &Fakes, name: &str) -> Option<Breaker> {
        let server = vendors::server("openai", "https://m.test", None);
        let model = vendors::model(&server, name);
        block_on(async { Breaker::look(ports, &model).await.admitted(ports).await })
    }

    fn fail(ports: &Fakes) -> bool {
        block_on(admit(ports, "m").unwrap().failed(ports))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try() {
        let ports = Fakes::default();
        assert_eq!(
            [fail(&ports), fail(&ports), fail(&ports)],
            [false, false, true]
        );
        assert!(admit(&ports, "m").is_none());
        assert!(admit(&ports, "another").is_some());
        ports.advance(COOL_MS);
        let probe = admit(&ports, "m").unwrap();
        assert!(admit(&ports, "m").is_none(), "one is enough");
        assert!(block_on(probe.failed(&ports)));
        ports.advance(COOL_MS);
        assert!(admit(&ports, "m").is_none(), "the second time is longer");
        ports.advance(COOL_MS);
        block_on(admit(&ports, "m").unwrap().succeeded(&ports));
        assert!(!fail(&ports) && admit(&ports, "m").is_some());
    }

    #[test]
    fn who_never_comes_back_from_a_try_does_not_keep_the_others_off_for_ever() {
        let ports = Fakes::default();
        for _ in 0..FAILURES {
            fail(&ports);
        }
        ports.advance(COOL_MS);
        drop(admit(&ports, "m"));
        ports.advance(PROBE_MS);
        assert!(admit(&ports, "m").is_some());
    }

    #[test]
    fn a_model_in_health_costs_one_read_and_a_broken_store_stops_nobody() {
        let ports = Fakes::default();
        block_on(admit(&ports, "m").unwrap().succeeded(&ports));
        assert_eq!(ports.calls("kv"), 1);
        ports.fail("kv");
        for _ in 0..5 {
            fail(&ports);
        }
    }
}
