//! The Durable Object that verifies passwords. It has the CPU time that argon2 takes, one attempt is verified after the
//! other, and there is no `await` between reading the failures and writing them.

use bulle_edge_core::{
    people::throttle::{ACCOUNT, Bound, FORGOTTEN_MS, Failures, NETWORK},
    ports::{Clock, Entropy},
};
use bulle_protocol::problem::{Code, Problem};
use serde::Deserialize;
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::{
    adapters::{Edge, gate::GateCommand, object::asked},
    config,
    http::status,
    log,
};

/// Milliseconds between two deletions of what is forgotten.
const SWEEP_MS: i64 = 3_600_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS failed (name TEXT PRIMARY KEY, failures TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failed_by_end ON failed (until);
";

/// The object of some of the accounts.
#[durable_object(alarm)]
pub struct Gate {
    state: State,
    edge: Edge,
    sql: SqlStorage,
}

#[derive(Deserialize)]
struct Row {
    failures: String,
}

impl DurableObject for Gate {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        if let Err(error) = sql.exec(SCHEMA, None) {
            log::error("gate", &error);
        }
        Self {
            sql,
            edge: Edge::new(env),
            state,
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command: GateCommand = asked(&mut request).await?;
        let answer = self.run(&command);
        if matches!(command, GateCommand::Verify { .. })
            && self.state.storage().get_alarm().await?.is_none()
        {
            self.state.storage().set_alarm(SWEEP_MS).await?;
        }
        answer.or_else(|problem| {
            Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
        })
    }

    /// Deletes what is forgotten.
    async fn alarm(&self) -> worker::Result<Response> {
        let now = integer(self.edge.now_ms());
        self.sql
            .exec("DELETE FROM failed WHERE until < ?", vec![now])?;
        let left: Vec<Row> = self
            .sql
            .exec("SELECT failures FROM failed LIMIT 1", None)?
            .to_array()?;
        if !left.is_empty() {
            self.state.storage().set_alarm(SWEEP_MS).await?;
        }
        Response::empty()
    }
}

impl Gate {
    fn run(&self, command: &GateCommand) -> Result<Response, Problem> {
        let pepper = config::pepper(self.edge.env())?;
        match command {
            GateCommand::Verify {
                account,
                network,
                password,
                stored,
            } => {
                let verified = self.attempt([(network, NETWORK), (account, ACCOUNT)], || {
                    pepper.verify(password, stored.as_deref())
                })?;
                Response::from_json(&verified).map_err(|error| failed(&error))
            }
            GateCommand::Hash { password } => {
                let salt = self.edge.random();
                let hash = pepper.hash(password, salt).ok_or_else(|| {
                    Problem::new(Code::Internal, "The password could not be hashed.")
                })?;
                Response::from_json(&hash).map_err(|error| failed(&error))
            }
        }
    }

    /// Verifies unless one of the counters has to wait. The failure is stored first and taken back after a success, so
    /// that no attempt is free.
    fn attempt(
        &self,
        counters: [(&String, Bound); 2],
        verify: impl FnOnce() -> bool,
    ) -> Result<bool, Problem> {
        let now_ms = self.edge.now_ms();
        let failures = counters.each_ref().map(|(name, _)| self.read(name));
        let waits = counters.iter().zip(&failures);
        let wait_ms = waits
            .map(|((_, bound), failures)| failures.wait_ms(bound, now_ms))
            .max()
            .unwrap_or_default();
        if wait_ms > 0 {
            return Err(slowed(wait_ms));
        }
        for ((name, _), failures) in counters.iter().zip(&failures) {
            self.write(name, &failures.more(now_ms), now_ms + FORGOTTEN_MS)?;
        }
        let verified = verify();
        if verified {
            for (name, _) in counters {
                self.forget(name)?;
            }
        }
        Ok(verified)
    }

    /// The failures under a name. A row that cannot be read counts as none: the caller is also counted by address.
    fn read(&self, name: &str) -> Failures {
        let query = "SELECT failures FROM failed WHERE name = ?";
        let rows = self
            .sql
            .exec(query, vec![name.into()])
            .and_then(|rows| rows.to_array::<Row>());
        let row = rows.ok().and_then(|rows| rows.into_iter().next());
        row.and_then(|row| bulle_edge_core::json::read(&row.failures).ok())
            .unwrap_or_default()
    }

    fn write(&self, name: &str, failures: &Failures, until: u64) -> Result<(), Problem> {
        let json = serde_json::to_string(failures)
            .map_err(|_| Problem::new(Code::Internal, "The attempt could not be counted."))?;
        let query = "INSERT INTO failed (name, failures, until) VALUES (?, ?, ?) \
                     ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, until = excluded.until";
        self.sql
            .exec(query, vec![name.into(), json.into(), integer(until)])
            .map(|_| ())
            .map_err(|error| failed(&error))
    }

    fn forget(&self, name: &str) -> Result<(), Problem> {
        let query = "DELETE FROM failed WHERE name = ?";
        self.sql
            .exec(query, vec![name.into()])
            .map(|_| ())
            .map_err(|error| failed(&error))
    }
}

fn slowed(wait_ms: u64) -> Problem {
    let seconds = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    Problem::new(
        Code::RateLimited,
        format!(
            "Too many wrong passwords. Try again in {seconds} s, or ask an operator for a link."
        ),
    )
    .retry_after(seconds)
}

fn failed(error: &worker::Error) -> Problem {
    log::error("gate", error);
    Problem::new(
        Code::StorageUnavailable,
        "Passwords cannot be checked now. Try again in a few seconds.",
    )
    .retry_after(5)
}

fn integer(ms: u64) -> SqlStorageValue {
    i64::try_from(ms).unwrap_or(i64::MAX).into()
}
