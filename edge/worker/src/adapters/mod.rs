//! The ports of the core, implemented by the platform.

mod archive;
mod challenges;
pub mod files;
mod gaps;
pub mod golden;
mod history;
mod index;
mod kv;
pub mod library;
mod meaning;
mod memory;
pub mod meters;
mod models;
pub mod notices;
pub mod object;
pub mod owners;
mod profiles;
mod prompts;
mod summaries;
mod tenants;
mod usage;
mod visitors;
mod zones;

pub use meaning::Failed;
pub use models::Cancel;

use bulle_edge_core::ports::{Clock, Entropy, PortError};
use std::time::Duration;
use worker::{D1Database, Date, Delay, Env, console_error, wasm_bindgen::JsValue};

/// The platform behind the ports.
#[derive(Clone)]
pub struct Edge {
    env: Env,
}

impl Edge {
    /// The platform of a request or a Durable Object.
    pub fn new(env: Env) -> Self {
        Self { env }
    }

    /// The environment, for bindings that are no ports.
    pub fn env(&self) -> &Env {
        &self.env
    }

    fn db(&self) -> Result<D1Database, PortError> {
        self.env.d1("DB").map_err(port_error)
    }
}

impl Clock for Edge {
    fn now_ms(&self) -> u64 {
        Date::now().as_millis()
    }

    async fn sleep(&self, ms: u64) {
        Delay::from(Duration::from_millis(ms)).await;
    }
}

impl Entropy for Edge {
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // The platform's generator does not fail. Were it to, time alone would still tell most ids apart.
            console_error!("{{\"error\":\"no randomness\"}}");
        }
        u128::from_le_bytes(bytes)
    }
}

/// The platform's error as text for the log. A D1 error is asked for its cause: printing it directly can hang.
#[expect(clippy::needless_pass_by_value, reason = "made to be given to map_err")]
pub fn port_error(error: worker::Error) -> PortError {
    PortError(match &error {
        worker::Error::D1(d1) => format!("D1: {}", d1.cause()),
        other => other.to_string(),
    })
}

/// Milliseconds fit a double exactly; D1 refuses the BigInt that an `i64` would become.
fn time(ms: u64) -> JsValue {
    JsValue::from_f64(ms as f64)
}

fn nullable<T: Into<JsValue>>(value: Option<T>) -> JsValue {
    value.map_or(JsValue::NULL, Into::into)
}

impl Edge {
    /// Whether the database answers and has been migrated.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub async fn database_answers(&self) -> Result<(), String> {
        let asked = match self.db() {
            Ok(db) => db
                .prepare("SELECT 1 FROM tenant LIMIT 1")
                .all()
                .await
                .map_err(port_error),
            Err(error) => Err(error),
        };
        asked.map(|_| ()).map_err(|error| {
            format!("{error}. Were the migrations applied? `npx wrangler d1 migrations apply DB`")
        })
    }
}
