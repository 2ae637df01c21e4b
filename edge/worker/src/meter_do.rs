//! The Durable Object that counts exactly for one tenant: quotas of visitors, budgets of bots and of the tenant. It
//! decides with the core's pure code; there is no `await` between reading and writing, so decisions cannot interleave.

use bulle_edge_core::{
    meter::{self, MeterStore, Quota, window::Window},
    ports::Clock,
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::cell::Cell;
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::{
    adapters::{Edge, meters::MeterCommand, object::asked},
    http::status,
    log,
};

/// Milliseconds between two deletions of expired rows.
const SWEEP_MS: i64 = 3_600_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS counted (key TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counted_by_end ON counted (until);
";

/// The object of a tenant.
#[durable_object(alarm)]
pub struct Meter {
    state: State,
    edge: Edge,
    rows: SqlRows,
    awake: Cell<bool>,
}

impl DurableObject for Meter {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        if let Err(error) = sql.exec(SCHEMA, None) {
            log(&error);
        }
        Self {
            rows: SqlRows(sql),
            edge: Edge::new(env),
            awake: Cell::new(false),
            state,
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command: MeterCommand = asked(&mut request).await?;
        let answer = self.run(&command);
        // Once in the life of an isolate, because the alarm sets itself again. An alarm that is already set is kept, as
        // each request would otherwise delay it.
        if !self.awake.replace(true)
            && let Err(error) = self.wake().await
        {
            log(&error);
            self.awake.set(false);
        }
        answer.or_else(|error| {
            log(&error);
            let problem = Problem::new(Code::StorageUnavailable, error.to_string());
            Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
        })
    }

    /// Deletes expired rows.
    async fn alarm(&self) -> worker::Result<Response> {
        let now = integer(self.edge.now_ms());
        let rows = &self.rows.0;
        rows.exec("DELETE FROM counted WHERE until < ?", vec![now])?;
        let left: Vec<Value> = rows
            .exec("SELECT value FROM counted LIMIT 1", None)?
            .to_array()?;
        if !left.is_empty() {
            self.state.storage().set_alarm(SWEEP_MS).await?;
        }
        self.awake.set(!left.is_empty());
        Response::empty()
    }
}

impl Meter {
    async fn wake(&self) -> worker::Result<()> {
        let storage = self.state.storage();
        match storage.get_alarm().await? {
            Some(_) => Ok(()),
            None => storage.set_alarm(SWEEP_MS).await,
        }
    }

    fn run(&self, command: &MeterCommand) -> worker::Result<Response> {
        let now = self.edge.now_ms();
        let mut rows = SqlRows(self.rows.0.clone());
        match command {
            MeterCommand::Charge(charge) => {
                Response::from_json(&meter::charge(&mut rows, now, charge)?)
            }
            MeterCommand::Settle(settlement) => {
                meter::settle(&mut rows, now, settlement)?;
                Response::empty()
            }
        }
    }
}

#[derive(Deserialize)]
struct Value {
    value: String,
}

/// One table for windows, totals and charges, whose keys have different prefixes.
struct SqlRows(SqlStorage);

impl SqlRows {
    fn read<T: DeserializeOwned>(&self, key: String) -> worker::Result<Option<T>> {
        let query = "SELECT value FROM counted WHERE key = ?";
        let rows: Vec<Value> = self.0.exec(query, vec![key.into()])?.to_array()?;
        let value = rows.first().map(|row| serde_json::from_str(&row.value));
        Ok(value.transpose()?)
    }

    fn write<T: Serialize + ?Sized>(
        &self,
        key: String,
        value: &T,
        until: u64,
    ) -> worker::Result<()> {
        let value = serde_json::to_string(value)?;
        let query = "INSERT INTO counted (key, value, until) VALUES (?, ?, ?) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until";
        self.0
            .exec(query, vec![key.into(), value.into(), integer(until)])?;
        Ok(())
    }
}

impl MeterStore for SqlRows {
    type Error = worker::Error;

    fn window(&self, key: &str) -> worker::Result<Window> {
        Ok(self.read(format!("window/{key}"))?.unwrap_or_default())
    }

    fn put_window(&mut self, key: &str, window: &Window, until: u64) -> worker::Result<()> {
        self.write(format!("window/{key}"), window, until)
    }

    fn total(&self, key: &str) -> worker::Result<u64> {
        Ok(self.read(format!("total/{key}"))?.unwrap_or_default())
    }

    fn put_total(&mut self, key: &str, total: u64, until: u64) -> worker::Result<()> {
        self.write(format!("total/{key}"), &total, until)
    }

    fn charged(&self, id: Id) -> worker::Result<Option<Vec<Quota>>> {
        self.read(format!("charge/{id}"))
    }

    fn put_charged(&mut self, id: Id, lines: &[Quota], until: u64) -> worker::Result<()> {
        self.write(format!("charge/{id}"), lines, until)
    }

    fn forget_charged(&mut self, id: Id) -> worker::Result<()> {
        let query = "DELETE FROM counted WHERE key = ?";
        self.0.exec(query, vec![format!("charge/{id}").into()])?;
        Ok(())
    }
}

fn integer(ms: u64) -> SqlStorageValue {
    i64::try_from(ms).unwrap_or(i64::MAX).into()
}

fn log(error: &worker::Error) {
    log::error("meter", error);
}
