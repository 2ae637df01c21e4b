//! The core's ports, implemented on Cloudflare's platform.

mod challenges;
mod database;
pub mod files;
pub mod gate;
pub mod ingest;
mod kv;
mod meaning;
mod memory;
pub mod meters;
mod models;
pub mod notices;
pub mod object;
pub mod zones;

pub use meaning::VectorIndexError;
pub use models::Cancel;

use bulle_edge_core::ports::{Clock, Entropy, PortError};
use std::{sync::Arc, time::Duration};
use worker::{Context, Date, Delay, Env, wasm_bindgen_futures::spawn_local};

use crate::log;

/// The platform behind the ports.
#[derive(Clone)]
pub struct Edge {
    env: Env,
    /// The context of the request that is served, if there is one.
    context: Option<Arc<Context>>,
}

impl Edge {
    /// The platform of a request or a Durable Object.
    pub fn new(env: Env) -> Self {
        Self { env, context: None }
    }

    /// The platform of a request, which may leave work behind.
    pub fn of_request(mut self, context: Option<Arc<Context>>) -> Self {
        self.context = context;
        self
    }

    /// Does work for which nobody waits. A Durable Object lives until it is done, a request is kept for it.
    pub fn later(&self, work: impl Future<Output = ()> + 'static) {
        match &self.context {
            Some(context) => context.wait_until(work),
            None => spawn_local(work),
        }
    }

    /// The environment, for bindings that are not ports.
    pub fn env(&self) -> &Env {
        &self.env
    }
}

impl Clock for Edge {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else is given"
    )]
    fn now_ms(&self) -> u64 {
        Date::now().as_millis()
    }

    async fn sleep(&self, ms: u64) {
        Delay::from(Duration::from_millis(ms)).await;
    }
}

impl Entropy for Edge {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the randomness that everybody else is given"
    )]
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // The platform's generator does not fail. If it did, ids would still differ in most cases by their time.
            log::error("error", &"no randomness");
        }
        u128::from_le_bytes(bytes)
    }
}

/// The platform's error as text for the log.
#[expect(clippy::needless_pass_by_value, reason = "made to be given to map_err")]
pub fn port_error(error: worker::Error) -> PortError {
    PortError(error.to_string())
}
