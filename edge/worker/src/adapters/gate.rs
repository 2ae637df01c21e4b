//! The gates, Durable Objects in which passwords are hashed and attempts are slowed down. An account has one of 256.

use bulle_edge_core::{
    guard::address::{Address, DAY_MS},
    people::password::Pepper,
    ports::Clock,
};
use bulle_protocol::problem::{Code, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Edge, object::ObjectError};
use crate::{http::Refusal, log};

/// The request to a gate. Has no `Debug`, so that it cannot be logged.
#[derive(Serialize, Deserialize)]
pub enum GateCommand {
    /// Verifies a password: `true` or `false`.
    Verify {
        /// The account's name among attempts of the day.
        account: String,
        /// The account and the network.
        network: String,
        /// The password.
        password: String,
        /// PHC string; `None` when there is no such account.
        stored: Option<String>,
    },
    /// Hashes a password: its PHC string.
    Hash {
        /// The password.
        password: String,
    },
}

impl Edge {
    /// Whether this is the password of the account with this address. Attempts at an account that does not exist are
    /// counted and take as long.
    ///
    /// # Errors
    /// `rate_limited`; `storage_unavailable` when the gate cannot be reached.
    pub async fn verify_password(
        &self,
        pepper: &Pepper,
        email: &str,
        address: &Address,
        password: &str,
        stored: Option<String>,
    ) -> Result<bool, Refusal> {
        let day = self.now_ms() / DAY_MS;
        let name = pepper.attempts_name(email);
        let command = GateCommand::Verify {
            account: format!("{name}/{day}"),
            network: format!("{name}/{}", address.as_str()),
            password: password.to_owned(),
            stored,
        };
        self.ask_gate(&name, &command).await
    }

    /// The stored form of a password.
    ///
    /// # Errors
    /// `storage_unavailable` when the gate cannot be reached.
    pub async fn hash_password(
        &self,
        pepper: &Pepper,
        email: &str,
        password: &str,
    ) -> Result<String, Refusal> {
        let command = GateCommand::Hash {
            password: password.to_owned(),
        };
        self.ask_gate(&pepper.attempts_name(email), &command).await
    }

    async fn ask_gate<T: DeserializeOwned>(
        &self,
        name: &str,
        command: &GateCommand,
    ) -> Result<T, Refusal> {
        // The name is 64 hexadecimal digits; its first two are one of 256.
        let shard: String = name.chars().take(2).collect();
        let unavailable = |error: &dyn std::fmt::Display| {
            log::error("gate", error);
            let detail = "Passwords cannot be checked now. Try again in a few seconds.";
            Refusal(Problem::new(Code::StorageUnavailable, detail).retry_after(5))
        };
        let mut answer = match self.ask("GATES", &shard, command).await {
            Ok(answer) => answer,
            Err(ObjectError::Problem(problem)) => return Err(Refusal(*problem)),
            Err(ObjectError::Unreachable(error)) => return Err(unavailable(&error)),
        };
        answer.json().await.map_err(|error| unavailable(&error))
    }
}
