//! The stored state of a model: its circuit breaker and its [`Habits`]. A model that fails repeatedly is not asked for a
//! while, in any turn. The state is in KV, by address and name of the model: all tenants share it. The isolate that changes it
//! sees the change at once, others in the same place within seconds ([`isolate_memory`]) and elsewhere within about a minute. A healthy
//! model costs at most one read of KV in [`isolate_memory::KEPT_MS`], and one write in [`KNOWN_SECONDS`] if it has habits.
//!
//! Closed: the model is asked. After [`FAILURES`] failures in a row the circuit opens: the model is not asked for
//! [`COOL_MS`], twice as long each time. Then the circuit is half open: the first turn asks, and the others pass the
//! model over until the outcome is known. (M. Nygard, Release It!, 2007.)

use serde::{Deserialize, Serialize};

use super::{Failure, Model, habits::Habits};
use crate::{
    digest::sha256_hex,
    isolate_memory,
    ports::{Clock, IsolateValues, Kv},
    record::Outcome,
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

/// After this many seconds the habits are found out anew, because the server may have changed.
const KNOWN_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Why a model did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// How it failed.
    pub outcome: Outcome,
    /// HTTP status of a refusal.
    pub status: Option<u16>,
    /// Whether the failure lasts until the configuration is corrected, see [`Failure::is_lasting`].
    pub lasting: bool,
}

impl Why {
    /// The reason that a failure stands for.
    pub fn of(failure: &Failure) -> Self {
        Self {
            outcome: failure.outcome,
            status: failure.status,
            lasting: failure.is_lasting(),
        }
    }
}

/// The state as it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// Failures in a row.
    failures: u32,
    /// The time before which the model is not asked, in Unix milliseconds.
    until_ms: u64,
    /// The time of the last failure, in Unix milliseconds.
    failed_ms: u64,
    /// The reason of the last failure.
    why: Option<Why>,
    /// Refused requests in a row, where each request may itself have been the cause.
    refusals: u32,
    /// Whether an owner has had a notice of these failures.
    told: bool,
    habits: Habits,
}

impl Known {
    /// The state at this time, without expired failures.
    fn at(self, now_ms: u64) -> Self {
        if now_ms < self.failed_ms + FORGOTTEN_SECONDS * 1_000 {
            return self;
        }
        Self {
            habits: self.habits,
            ..Self::default()
        }
    }
}

/// The circuit breaker of a model. Its caller reports the outcome of the request.
pub struct Breaker {
    key: String,
    found: Known,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// The circuit is open now.
    pub opened: bool,
    /// The owner is due a notice.
    pub alerts: bool,
}

impl Breaker {
    /// Whether the circuit is open, so that the model is not asked.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.found.failures >= FAILURES && now_ms < self.found.until_ms
    }

    /// The model's habits.
    pub fn habits(&self) -> Habits {
        self.found.habits
    }

    /// The reason of the last failure.
    pub fn why(&self) -> Option<Why> {
        self.found.why
    }

    /// Gives the breaker back when the model may be asked.
    ///
    /// # Errors
    /// The circuit is open: the reason of the last failure.
    pub fn admitted<P: Kv + IsolateValues + Clock>(self, ports: &P) -> Result<Self, Option<Why>> {
        let now = ports.now_ms();
        if self.is_open(now) {
            return Err(self.found.why);
        }
        if self.found.failures >= FAILURES {
            let probed = Known {
                until_ms: now + PROBE_MS,
                failed_ms: now,
                ..self.found
            };
            self.store(ports, probed);
        }
        Ok(self)
    }

    /// Reads the state of the model. When KV fails, the model counts as healthy.
    pub async fn look<P: Kv + IsolateValues + Clock>(ports: &P, model: &Model<'_>) -> Self {
        let key = key(model);
        let known = match isolate_memory::recall(ports, &key) {
            Some(known) => known,
            None => read(ports, &key).await,
        };
        let found = known.at(ports.now_ms());
        Self { key, found }
    }

    /// Whether this is the breaker of that model.
    pub fn is_of(&self, model: &Model<'_>) -> bool {
        self.key == key(model)
    }

    /// Records that the model has answered, and has these habits.
    pub fn succeeded<P: Kv + IsolateValues + Clock>(self, ports: &P, habits: Habits) {
        let healthy = Known {
            habits,
            ..Known::default()
        };
        if self.found != healthy {
            self.store(ports, healthy);
        }
    }

    /// Records that the model has failed.
    pub fn failed<P: Kv + IsolateValues + Clock>(self, ports: &P, why: Why) -> Verdict {
        let failures = self.found.failures + 1;
        let times = failures.saturating_sub(FAILURES).min(8);
        let cool = (COOL_MS << times).min(MAX_COOL_MS);
        let opened = failures >= FAILURES;
        let alerts = (opened || why.lasting) && !self.found.told;
        let now = ports.now_ms();
        let failed = Known {
            failures,
            until_ms: now + cool,
            failed_ms: now,
            why: Some(why),
            told: self.found.told || alerts,
            ..self.found
        };
        self.store(ports, failed);
        Verdict { opened, alerts }
    }

    /// Records that the model has refused a request, where the request itself may have been the cause. The circuit stays
    /// closed; the third refusal in a row is due a notice.
    pub fn refused<P: Kv + IsolateValues + Clock>(self, ports: &P, why: Why) -> Verdict {
        let refusals = self.found.refusals + 1;
        let alerts = refusals == FAILURES;
        if refusals <= FAILURES {
            let refused = Known {
                refusals,
                failed_ms: ports.now_ms(),
                why: Some(why),
                ..self.found
            };
            self.store(ports, refused);
        }
        Verdict {
            opened: false,
            alerts,
        }
    }

    fn store<P: Kv + IsolateValues + Clock>(&self, ports: &P, known: Known) {
        let seconds = if known.habits == Habits::default() {
            FORGOTTEN_SECONDS
        } else {
            KNOWN_SECONDS
        };
        isolate_memory::keep(ports, &self.key, known);
        let json = (known != Known::default())
            .then(|| serde_json::to_string(&known).ok())
            .flatten();
        // When the state cannot be written, other isolates ask the model more often than they should.
        ports.put_later(self.key.clone(), json, seconds);
    }
}

/// The state in KV.
async fn read<P: Kv + IsolateValues + Clock>(ports: &P, key: &str) -> Known {
    let Ok(stored) = ports.get(key).await else {
        return Known::default();
    };
    let known: Option<Known> = stored.and_then(|json| serde_json::from_str(&json).ok());
    let known = known.unwrap_or_default();
    isolate_memory::keep(ports, key, known);
    known
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

    const WHY: Why = Why {
        outcome: Outcome::TimedOut,
        status: None,
        lasting: false,
    };

    fn admit(ports: &Fakes, name: &str) -> Option<Breaker> {
        let server = vendors::server("openai", "https://m.test", None);
        let model = vendors::model(&server, name);
        block_on(Breaker::look(ports, &model)).admitted(ports).ok()
    }

    fn fail(ports: &Fakes) -> bool {
        admit(ports, "m").unwrap().failed(ports, WHY).opened
    }

    fn succeed(ports: &Fakes) {
        admit(ports, "m")
            .unwrap()
            .succeeded(ports, Habits::default());
    }

    #[test]
    fn what_lasts_is_told_at_once_and_what_may_pass_when_it_does_not() {
        let lasting = Why {
            lasting: true,
            ..WHY
        };
        let alerts = |ports: &Fakes, whys: &[Why]| -> Vec<bool> {
            let failed = |why: &Why| admit(ports, "m").unwrap().failed(ports, *why).alerts;
            whys.iter().map(failed).collect()
        };
        assert_eq!(
            alerts(&Fakes::default(), &[lasting; 3]),
            [true, false, false]
        );
        assert_eq!(alerts(&Fakes::default(), &[WHY; 3]), [false, false, true]);
        assert_eq!(
            alerts(&Fakes::default(), &[WHY, lasting, WHY]),
            [false, true, false]
        );
    }

    #[test]
    fn requests_that_may_be_at_fault_close_no_door_and_the_third_is_told() {
        let ports = Fakes::default();
        let refuse = || admit(&ports, "m").unwrap().refused(&ports, WHY).alerts;
        assert_eq!([refuse(), refuse()], [false, false]);
        succeed(&ports);
        assert_eq!(
            [refuse(), refuse(), refuse(), refuse()],
            [false, false, true, false]
        );
        assert!(admit(&ports, "m").is_some());
    }

    #[test]
    fn habits_outlive_failures_and_are_found_out_anew_after_a_week() {
        let ports = Fakes::default();
        let habits = Habits {
            uncounted: true,
            ..Habits::default()
        };
        admit(&ports, "m").unwrap().succeeded(&ports, habits);
        fail(&ports);
        assert_eq!(admit(&ports, "m").unwrap().habits(), habits);
        ports.advance(COOL_MS + FORGOTTEN_SECONDS * 1_000);
        assert_eq!(admit(&ports, "m").unwrap().why(), None);
        admit(&ports, "m").unwrap().succeeded(&ports, habits);
        assert_eq!(admit(&ports, "m").unwrap().habits(), habits);
        ports.advance(KNOWN_SECONDS * 1_000);
        assert_eq!(admit(&ports, "m").unwrap().habits(), Habits::default());
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
        assert!(probe.failed(&ports, WHY).opened);
        ports.advance(COOL_MS);
        assert!(admit(&ports, "m").is_none(), "the second time is longer");
        ports.advance(COOL_MS);
        succeed(&ports);
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
        for _ in 0..3 {
            succeed(&ports);
        }
        assert_eq!(ports.calls("kv"), 1);
        ports.advance(isolate_memory::KEPT_MS);
        succeed(&ports);
        assert_eq!(ports.calls("kv"), 2);
        ports.fail("kv");
        for _ in 0..5 {
            ports.advance(COOL_MS);
            if let Some(breaker) = admit(&ports, "m") {
                let _ = breaker.failed(&ports, WHY);
            }
        }
    }

    #[test]
    fn another_isolate_sees_an_open_circuit_within_seconds() {
        let ports = Fakes::default();
        assert!(admit(&ports, "m").is_some());
        for _ in 0..FAILURES {
            fail(&ports);
        }
        ports.forget_memory();
        assert!(admit(&ports, "m").is_none());
    }
}
