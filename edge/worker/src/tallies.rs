//! The messages that a shard of a tenant's meter has counted: a row each, in a table of the day. The tables of two days take
//! turns, because a table that is dropped costs nothing and a row that is deleted as much as one that is written.

use bulle_edge_core::meter::{
    Charge, ChargeOutcome,
    tally::{Change, CountedMessage, Tally, Uncount},
};
use bulle_protocol::Id;
use serde::Deserialize;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};
use worker::{Result, SqlStorage, SqlStorageValue};

const DAY_MS: u64 = 86_400_000;

/// Longest window, in milliseconds: how far back a tally reaches into the day before.
const WINDOW_MS: u64 = 60_000;

/// How long the messages of a day are kept after it, in milliseconds.
const KEPT_MS: u64 = 3_600_000;

/// Most tallies in memory.
const MOST: usize = 2_000;

#[derive(Deserialize)]
struct Row {
    id: String,
    at: f64,
    refunded: u32,
}

#[derive(Deserialize)]
struct At {
    at: f64,
}

/// The tallies of a shard, those in use in memory: nothing else writes the rows.
pub struct Tallies {
    sql: SqlStorage,
    /// The day of the tables, in days since 1970; none before this instance has looked.
    day: Cell<Option<u64>>,
    memory: RefCell<HashMap<String, Tally>>,
}

impl Tallies {
    /// The tallies in this storage.
    pub fn new(sql: SqlStorage) -> Self {
        Self {
            sql,
            day: Cell::new(None),
            memory: RefCell::default(),
        }
    }

    /// Counts a message of a subject in all lines, or in none.
    pub fn count(&self, now_ms: u64, subject: &str, charge: &Charge) -> Result<ChargeOutcome> {
        self.change(now_ms, subject, |tally| tally.count(now_ms, charge))
    }

    /// Takes a message of a subject back.
    pub fn uncount(&self, now_ms: u64, subject: &str, id: Id, how: Uncount) -> Result<()> {
        self.change(now_ms, subject, |tally| ((), tally.uncount(id, how)))
    }

    fn change<T>(
        &self,
        now_ms: u64,
        subject: &str,
        act: impl FnOnce(&mut Tally) -> (T, Option<Change>),
    ) -> Result<T> {
        self.begin_day(now_ms)?;
        let mut memory = self.memory.borrow_mut();
        if !memory.contains_key(subject) {
            if memory.len() >= MOST {
                memory.clear();
            }
            memory.insert(subject.to_owned(), self.read(now_ms, subject)?);
        }
        let Some(tally) = memory.get_mut(subject) else {
            return Err("a tally is gone".into());
        };
        let (result, change) = act(tally);
        if let Some(change) = change
            && let Err(error) = self.write(subject, change)
        {
            // The rows are right, the memory is not.
            memory.remove(subject);
            return Err(error);
        }
        Ok(result)
    }

    /// Makes the tables of the day and of the day before, without the messages of earlier days.
    fn begin_day(&self, now_ms: u64) -> Result<()> {
        let today = now_ms / DAY_MS;
        if self.day.get() == Some(today) {
            return Ok(());
        }
        self.memory.borrow_mut().clear();
        for day in [today, today.saturating_sub(1)] {
            let table = table(day);
            self.sql.exec(
                &format!(
                    "CREATE TABLE IF NOT EXISTS {table} (subject TEXT, id TEXT, at INTEGER NOT NULL, \
                     refunded INTEGER NOT NULL, PRIMARY KEY (subject, id)) WITHOUT ROWID"
                ),
                None,
            )?;
            if self.first_day(&table)?.is_some_and(|first| first != day) {
                self.drop_table(&table)?;
                return self.begin_day(now_ms);
            }
        }
        self.day.set(Some(today));
        Ok(())
    }

    fn drop_table(&self, table: &str) -> Result<()> {
        self.sql.exec(&format!("DROP TABLE {table}"), None)?;
        self.day.set(None);
        Ok(())
    }

    /// The day of the messages in a table.
    fn first_day(&self, table: &str) -> Result<Option<u64>> {
        let query = format!("SELECT at FROM {table} LIMIT 1");
        let rows: Vec<At> = self.sql.exec(&query, None)?.to_array()?;
        Ok(rows.first().map(|row| row.at as u64 / DAY_MS))
    }

    fn read(&self, now_ms: u64, subject: &str) -> Result<Tally> {
        let today = now_ms / DAY_MS;
        let mut messages = self.rows(&table(today), subject)?;
        if now_ms % DAY_MS < WINDOW_MS {
            messages.extend(self.rows(&table(today.saturating_sub(1)), subject)?);
        }
        Ok(Tally::of(messages))
    }

    fn rows(&self, table: &str, subject: &str) -> Result<Vec<CountedMessage>> {
        let query = format!("SELECT id, at, refunded FROM {table} WHERE subject = ?");
        let rows: Vec<Row> = self.sql.exec(&query, vec![subject.into()])?.to_array()?;
        let message = |row: Row| {
            Some(CountedMessage {
                id: row.id.parse().ok()?,
                at_ms: row.at as u64,
                refunded: row.refunded != 0,
            })
        };
        Ok(rows.into_iter().filter_map(message).collect())
    }

    fn write(&self, subject: &str, change: Change) -> Result<()> {
        let (Change::Put(one) | Change::Delete(one)) = change;
        let table = table(one.at_ms / DAY_MS);
        let mut values: Vec<SqlStorageValue> = vec![subject.into(), one.id.to_string().into()];
        let query = match change {
            Change::Delete(_) => format!("DELETE FROM {table} WHERE subject = ? AND id = ?"),
            Change::Put(_) => {
                values.push(i64::try_from(one.at_ms).unwrap_or(i64::MAX).into());
                values.push(i64::from(one.refunded).into());
                format!(
                    "INSERT INTO {table} (subject, id, at, refunded) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (subject, id) DO UPDATE SET at = excluded.at, refunded = excluded.refunded"
                )
            }
        };
        self.sql.exec(&query, values).map(drop)
    }

    /// Deletes the messages of days that ended an hour ago or earlier. Gives the milliseconds until the next time, when
    /// messages are left.
    pub fn sweep(&self, now_ms: u64) -> Result<Option<u64>> {
        self.begin_day(now_ms)?;
        let today = now_ms / DAY_MS;
        let before = table(today.saturating_sub(1));
        let since_midnight = now_ms % DAY_MS;
        if since_midnight >= KEPT_MS {
            self.drop_table(&before)?;
            let left = self.first_day(&table(today))?.is_some();
            return Ok(left.then_some(DAY_MS - since_midnight + KEPT_MS));
        }
        let left = self.first_day(&before)?.or(self.first_day(&table(today))?);
        Ok(left.map(|_| KEPT_MS - since_midnight))
    }
}

/// The table of a day.
fn table(day: u64) -> String {
    format!("message_{}", day % 2)
}
