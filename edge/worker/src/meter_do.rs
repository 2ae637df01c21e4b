//! The Durable Objects that count exactly for one tenant: one its budgets, and shards the messages of its visitors
//! ([`tallies`](crate::tallies)). They decide with the core's pure code; there is no `await` between reading and writing, so
//! decisions cannot interleave.

use bulle_edge_core::{
    meter::{self, Charged, MeterStore, window::Window},
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
    tallies::Tallies,
};

/// Milliseconds between two deletions of expired rows.
const SWEEP_MS: u64 = 3_600_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS counted (key TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counted_by_end ON counted (until);
";

/// An object of a tenant.
#[durable_object(alarm)]
pub struct Meter {
    state: State,
    edge: Edge,
    rows: SqlRows,
    tallies: Tallies,
    awake: Cell<bool>,
}

impl DurableObject for Meter {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        Self {
            tallies: Tallies::new(sql.clone()),
            rows: SqlRows {
                sql,
                has_table: Cell::new(false),
            },
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

    /// Deletes what has expired, and sets itself again while something is left.
    async fn alarm(&self) -> worker::Result<Response> {
        let next = self.sweep()?;
        if let Some(ms) = next {
            self.state.storage().set_alarm(integer_ms(ms)).await?;
        }
        self.awake.set(next.is_some());
        Response::empty()
    }
}

impl Meter {
    /// Deletes what has expired. Gives the milliseconds until more will have.
    fn sweep(&self) -> worker::Result<Option<u64>> {
        let now = self.edge.now_ms();
        let tables: Vec<Value> = (self.rows.sql)
            .exec("SELECT name AS value FROM sqlite_master", None)?
            .to_array()?;
        if tables
            .iter()
            .any(|table| table.value.starts_with("message_"))
        {
            return self.tallies.sweep(now);
        }
        let rows = self.rows.table()?;
        rows.exec("DELETE FROM counted WHERE until < ?", vec![integer(now)])?;
        let left: Vec<Value> = rows
            .exec("SELECT value FROM counted LIMIT 1", None)?
            .to_array()?;
        Ok((!left.is_empty()).then_some(SWEEP_MS))
    }

    async fn wake(&self) -> worker::Result<()> {
        let storage = self.state.storage();
        match storage.get_alarm().await? {
            Some(_) => Ok(()),
            None => storage.set_alarm(integer_ms(SWEEP_MS)).await,
        }
    }

    fn run(&self, command: &MeterCommand) -> worker::Result<Response> {
        let now = self.edge.now_ms();
        let mut rows = &self.rows;
        match command {
            MeterCommand::Count { subject, charge } => {
                Response::from_json(&self.tallies.count(now, subject, charge)?)
            }
            MeterCommand::Uncount { subject, id, how } => {
                self.tallies.uncount(now, subject, *id, *how)?;
                Response::empty()
            }
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
struct SqlRows {
    sql: SqlStorage,
    /// Whether this instance has made the table.
    has_table: Cell<bool>,
}

impl SqlRows {
    fn table(&self) -> worker::Result<&SqlStorage> {
        if !self.has_table.replace(true) {
            self.sql.exec(SCHEMA, None)?;
        }
        Ok(&self.sql)
    }

    fn read<T: DeserializeOwned>(&self, key: String) -> worker::Result<Option<T>> {
        let query = "SELECT value FROM counted WHERE key = ?";
        let rows: Vec<Value> = self.table()?.exec(query, vec![key.into()])?.to_array()?;
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
        self.table()?
            .exec(query, vec![key.into(), value.into(), integer(until)])?;
        Ok(())
    }
}

impl MeterStore for &SqlRows {
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

    fn charged(&self, id: Id) -> worker::Result<Option<Charged>> {
        self.read(charge_key(id))
    }

    fn put_charged(&mut self, id: Id, charged: &Charged, until: u64) -> worker::Result<()> {
        self.write(charge_key(id), charged, until)
    }

    fn forget_charged(&mut self, id: Id) -> worker::Result<()> {
        let query = "DELETE FROM counted WHERE key = ?";
        self.table()?.exec(query, vec![charge_key(id).into()])?;
        Ok(())
    }
}

/// Earlier releases stored charges in another form, under keys that begin with "charge/"; they end with their period.
fn charge_key(id: Id) -> String {
    format!("held/{id}")
}

fn integer(ms: u64) -> SqlStorageValue {
    integer_ms(ms).into()
}

fn integer_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn log(error: &worker::Error) {
    log::error("meter", error);
}
