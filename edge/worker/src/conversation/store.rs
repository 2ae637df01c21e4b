//! The object's own storage: the owner, the turns, and the frames of the last turns.

use bulle_edge_core::{
    guard::Question,
    model::{Exchange, Owner},
    prompt::{MAX_EXCHANGES, MAX_HISTORY_CHARS},
    record::Record,
};
use bulle_protocol::{Id, event::Finish};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use worker::{Result, SqlStorage, SqlStorageValue};

/// Turns whose frames are kept, so that a late browser can replay them.
const REPLAYABLE_TURNS: u32 = 10;

/// How often a record is offered to the archive: about an hour of tries.
const MAX_OFFERS: u32 = 60;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turn (
  number     INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  text       TEXT NOT NULL,
  answer     TEXT NOT NULL DEFAULT '',
  locale     TEXT NOT NULL,
  state      TEXT NOT NULL,
  record     TEXT,
  unrecorded INTEGER NOT NULL DEFAULT 1 -- 0 once the archive has it, else 1 + refusals
);
CREATE TABLE IF NOT EXISTS spent (id INTEGER PRIMARY KEY, record TEXT NOT NULL, offers INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS written (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS frames (number INTEGER, first INTEGER, json TEXT NOT NULL, PRIMARY KEY (number, first)) WITHOUT ROWID;
";

/// The state of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnState {
    /// The turn was running when this was written. It has died if the object has no live turn of this number.
    Running,
    /// The turn has ended, or was stopped.
    Done,
    /// The turn has failed; it may be tried again.
    Failed,
}

/// An event as it goes over the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Number of the event in its turn. Numbers rise, with gaps where something was lost.
    pub seq: u32,
    /// The bytes of the stream.
    pub text: Rc<str>,
}

#[derive(Deserialize)]
struct Spent {
    id: i64,
    record: String,
}

/// A turn as stored.
#[derive(Clone, Debug)]
pub struct StoredTurn {
    /// The number of the turn, from 0.
    pub number: u32,
    /// Id of the visitor's message.
    pub message_id: Id,
    /// The visitor's message.
    pub text: String,
    /// Served locale of the visitor.
    pub locale: String,
    /// The state of the turn.
    pub state: TurnState,
    /// The record for the archive.
    pub record: Record,
}

impl StoredTurn {
    /// Whether another attempt may give a better answer: the turn failed, or the documents answered in a model's place.
    pub fn may_be_retried(&self) -> bool {
        let finish = self.record.reply.as_ref().and_then(|reply| reply.finish);
        self.state == TurnState::Failed || finish == Some(Finish::Fallback)
    }
}

#[derive(Deserialize)]
struct TurnRow {
    number: u32,
    message_id: String,
    text: String,
    locale: String,
    state: String,
    record: String,
}

#[derive(Deserialize)]
struct Json {
    json: String,
}

#[derive(Deserialize)]
struct ExchangeRow {
    number: u32,
    text: String,
    answer: String,
}

#[derive(Deserialize)]
struct Number {
    number: u32,
}

/// The storage of one conversation. What an instance of the object has read or written once it keeps in memory: nothing
/// else writes here.
pub struct ConversationStore {
    sql: SqlStorage,
    owner: RefCell<Option<Owner>>,
    /// Whether this instance has made the tables; those of an older release may lack some.
    has_tables: Cell<bool>,
    /// The number of the next turn, once it is known.
    next_number: Cell<Option<u32>>,
    /// Whether a turn may be stored as running: always while one runs, and until an instance has looked.
    may_be_running: Cell<bool>,
    /// Whether the text of a failed attempt may be stored.
    may_be_written: Cell<bool>,
    /// Whether the archive may lack something of the turns that have ended.
    may_be_unrecorded: Cell<bool>,
}

impl ConversationStore {
    /// Opens the storage. It stays empty until the conversation has an owner, so that asking for one that does
    /// not exist leaves nothing behind.
    pub fn new(sql: SqlStorage) -> Self {
        Self {
            sql,
            owner: RefCell::default(),
            has_tables: Cell::new(false),
            next_number: Cell::new(None),
            may_be_running: Cell::new(true),
            may_be_written: Cell::new(true),
            may_be_unrecorded: Cell::new(true),
        }
    }

    /// Everything in the storage was deleted.
    pub fn forget(&self) {
        self.owner.take();
        self.has_tables.set(false);
        self.next_number.set(None);
        self.may_be_running.set(true);
        self.may_be_written.set(true);
        self.may_be_unrecorded.set(true);
    }

    fn make_tables(&self) -> Result<()> {
        if !self.has_tables.get() {
            self.sql.exec(SCHEMA, None)?;
            self.has_tables.set(true);
        }
        Ok(())
    }

    fn rows<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>> {
        self.sql.exec(query, values)?.to_array()
    }

    /// The owner of the conversation.
    pub fn owner(&self) -> Result<Option<Owner>> {
        if let Some(owner) = self.owner.borrow().as_ref() {
            return Ok(Some(owner.clone()));
        }
        let tables: Vec<Number> = self.rows(
            "SELECT COUNT(*) AS number FROM sqlite_master WHERE name = 'owner'",
            vec![],
        )?;
        if tables.first().is_none_or(|row| row.number == 0) {
            return Ok(None);
        }
        let rows: Vec<Json> = self.rows("SELECT json FROM owner", vec![])?;
        let owner: Option<Owner> = rows.first().map(|row| read(&row.json)).transpose()?;
        self.owner.replace(owner.clone());
        Ok(owner)
    }

    /// Whether the conversation has an owner and no turn.
    pub fn is_unused(&self) -> Result<bool> {
        Ok(self.owner()?.is_some() && self.last_turn()?.is_none())
    }

    /// Sets the owner of a conversation that has none.
    pub fn set_owner(&self, owner: &Owner) -> Result<()> {
        self.make_tables()?;
        let json = serde_json::to_string(owner)?;
        self.sql
            .exec("INSERT INTO owner VALUES (1, ?)", vec![json.into()])?;
        self.owner.replace(Some(owner.clone()));
        self.next_number.set(Some(0));
        self.may_be_running.set(false);
        self.may_be_written.set(false);
        self.may_be_unrecorded.set(false);
        Ok(())
    }

    /// The turn of a message.
    pub fn turn_of(&self, message: Id) -> Result<Option<StoredTurn>> {
        if self.next_number.get() == Some(0) {
            return Ok(None);
        }
        self.turn("WHERE message_id = ?", vec![message.to_string().into()])
    }

    /// The running or last turn.
    pub fn last_turn(&self) -> Result<Option<StoredTurn>> {
        self.turn("ORDER BY number DESC LIMIT 1", vec![])
    }

    /// The turn with this number.
    pub fn turn_at(&self, number: u32) -> Result<Option<StoredTurn>> {
        self.turn("WHERE number = ?", vec![i64::from(number).into()])
    }

    /// A turn that is stored as running; there is at most one.
    pub fn running_turn(&self) -> Result<Option<StoredTurn>> {
        if !self.may_be_running.get() {
            return Ok(None);
        }
        let turn = self.turn("WHERE state = 'running' LIMIT 1", vec![])?;
        self.may_be_running.set(turn.is_some());
        Ok(turn)
    }

    fn turn(&self, which: &str, values: Vec<SqlStorageValue>) -> Result<Option<StoredTurn>> {
        let query =
            format!("SELECT number, message_id, text, locale, state, record FROM turn {which}");
        let rows: Vec<TurnRow> = self.rows(&query, values)?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let id = row
            .message_id
            .parse()
            .map_err(|_| worker::Error::from("not an id"))?;
        Ok(Some(StoredTurn {
            number: row.number,
            message_id: id,
            text: row.text,
            locale: row.locale,
            state: read(&format!("\"{}\"", row.state))?,
            record: read(&row.record)?,
        }))
    }

    /// Number of the next turn.
    pub fn next_number(&self) -> Result<u32> {
        if let Some(number) = self.next_number.get() {
            return Ok(number);
        }
        let rows: Vec<Number> = self.rows(
            "SELECT COALESCE(MAX(number) + 1, 0) AS number FROM turn",
            vec![],
        )?;
        let number = rows.first().map_or(0, |row| row.number);
        self.next_number.set(Some(number));
        Ok(number)
    }

    /// Stores that a turn begins.
    pub fn begin(&self, number: u32, question: &Question, record: &Record) -> Result<()> {
        self.make_tables()?;
        self.put_turn(number, question, record)?;
        self.next_number.set(Some(number.saturating_add(1)));
        if let Some(oldest) = number.checked_sub(REPLAYABLE_TURNS) {
            self.sql.exec(
                "DELETE FROM frames WHERE number <= ?",
                vec![i64::from(oldest).into()],
            )?;
        }
        Ok(())
    }

    /// Stores that another attempt at a turn begins. Costs of the one before that the archive has not taken are kept.
    pub fn begin_again(&self, number: u32, question: &Question, record: &Record) -> Result<()> {
        self.make_tables()?;
        self.sql.exec(
            "INSERT INTO spent (record) SELECT record FROM turn \
             WHERE number = ? AND state <> 'running' AND unrecorded > 0 AND record IS NOT NULL",
            vec![i64::from(number).into()],
        )?;
        self.put_turn(number, question, record)
    }

    fn put_turn(&self, number: u32, question: &Question, record: &Record) -> Result<()> {
        self.may_be_running.set(true);
        self.sql.exec(
            "INSERT INTO turn (number, message_id, text, locale, state, record) VALUES (?, ?, ?, ?, 'running', ?) \
             ON CONFLICT (number) DO UPDATE SET state = 'running', record = excluded.record, unrecorded = 1",
            vec![
                i64::from(number).into(),
                question.id().to_string().into(),
                question.text().to_owned().into(),
                question.locale().to_owned().into(),
                serde_json::to_string(record)?.into(),
            ],
        )?;
        Ok(())
    }

    /// Stores the end of a turn. `unrecorded`: the archive has not taken it yet.
    pub fn end(&self, number: u32, record: &Record, unrecorded: bool) -> Result<()> {
        let reply = record.reply.as_ref();
        let failed = reply.is_none_or(|reply| reply.error.is_some());
        self.sql.exec(
            "UPDATE turn SET state = ?, answer = ?, record = ?, unrecorded = ? WHERE number = ?",
            vec![
                if failed { "failed" } else { "done" }.to_owned().into(),
                reply
                    .map(|reply| reply.text.clone())
                    .unwrap_or_default()
                    .into(),
                serde_json::to_string(record)?.into(),
                i64::from(unrecorded).into(),
                i64::from(number).into(),
            ],
        )?;
        self.may_be_running.set(false);
        if unrecorded {
            self.may_be_unrecorded.set(true);
        }
        Ok(())
    }

    /// Whether the archive lacks something that it may take.
    pub fn has_unrecorded(&self) -> Result<bool> {
        if self.may_be_unrecorded.get() {
            let some = !self.unrecorded()?.is_empty() || !self.spent()?.is_empty();
            self.may_be_unrecorded.set(some);
        }
        Ok(self.may_be_unrecorded.get())
    }

    /// Ended turns that the archive has not taken yet, and may take.
    pub fn unrecorded(&self) -> Result<Vec<(u32, Record)>> {
        let query = "SELECT number, message_id, text, locale, state, record FROM turn \
                     WHERE unrecorded BETWEEN 1 AND ? AND state <> 'running' ORDER BY number";
        let rows: Vec<TurnRow> = self.rows(query, vec![i64::from(MAX_OFFERS).into()])?;
        rows.into_iter()
            .map(|row| Ok((row.number, read(&row.record)?)))
            .collect()
    }

    /// Records of attempts that were replaced, whose calls the archive has not taken yet, and may take.
    pub fn spent(&self) -> Result<Vec<(i64, Record)>> {
        self.make_tables()?;
        let query = "SELECT id, record FROM spent WHERE offers < ? ORDER BY id";
        let rows: Vec<Spent> = self.rows(query, vec![i64::from(MAX_OFFERS).into()])?;
        let records = rows.into_iter().map(|row| Ok((row.id, read(&row.record)?)));
        records.collect()
    }

    /// Notes the result of offering the calls to the archive.
    pub fn offered_spent(&self, id: i64, taken: bool) -> Result<()> {
        let sql = if taken {
            "DELETE FROM spent WHERE id = ?"
        } else {
            "UPDATE spent SET offers = offers + 1 WHERE id = ?"
        };
        self.sql.exec(sql, vec![id.into()])?;
        Ok(())
    }

    /// Notes the result of offering the turn to the archive.
    pub fn offered(&self, number: u32, taken: bool) -> Result<()> {
        self.sql.exec(
            "UPDATE turn SET unrecorded = CASE ? WHEN 1 THEN 0 ELSE unrecorded + 1 END WHERE number = ?",
            vec![i64::from(taken).into(), i64::from(number).into()],
        )?;
        Ok(())
    }

    /// Stores the text that a failed attempt has written, for the next attempt; an empty text deletes it.
    pub fn keep_written(&self, number: u32, text: &str) -> Result<()> {
        if self.may_be_written.get() {
            self.make_tables()?;
            self.sql.exec("DELETE FROM written", None)?;
        }
        self.may_be_written.set(!text.is_empty());
        if !text.is_empty() {
            let values = vec![i64::from(number).into(), text.to_owned().into()];
            self.sql.exec("INSERT INTO written VALUES (?, ?)", values)?;
        }
        Ok(())
    }

    /// The text that the last attempt at a turn has written before it failed.
    pub fn written(&self, number: u32) -> Result<String> {
        if !self.may_be_written.get() {
            return Ok(String::new());
        }
        self.make_tables()?;
        let query = "SELECT text AS json FROM written WHERE number = ?";
        let rows: Vec<Json> = self.rows(query, vec![i64::from(number).into()])?;
        Ok(rows
            .into_iter()
            .next()
            .map_or_else(String::new, |row| row.json))
    }

    /// The exchanges before a turn, oldest first: only the newest ones that a prompt can have room for.
    pub fn history(&self, before: u32) -> Result<Vec<Exchange>> {
        if before == 0 {
            return Ok(Vec::new());
        }
        let most = |n: usize| i64::try_from(n).unwrap_or(i64::MAX).into();
        let mut rows: Vec<ExchangeRow> = self.rows(
            "SELECT number, text, answer FROM (SELECT number, text, answer, \
             SUM(length(text) + length(answer)) OVER (ORDER BY number DESC) AS so_far \
             FROM (SELECT number, text, answer FROM turn WHERE number < ? ORDER BY number DESC LIMIT ?)) \
             WHERE so_far <= ? ORDER BY number DESC",
            vec![
                i64::from(before).into(),
                most(MAX_EXCHANGES),
                most(MAX_HISTORY_CHARS),
            ],
        )?;
        rows.reverse();
        Ok(rows
            .into_iter()
            .map(|row| Exchange {
                position: row.number.saturating_mul(2),
                question: row.text,
                answer: row.answer,
            })
            .collect())
    }

    /// Adds frames; the first one's number is their key.
    pub fn add_frames(&self, number: u32, frames: &[Frame]) -> Result<()> {
        let Some(first) = frames.first() else {
            return Ok(());
        };
        self.sql.exec(
            "INSERT OR REPLACE INTO frames VALUES (?, ?, ?)",
            vec![
                i64::from(number).into(),
                i64::from(first.seq).into(),
                serde_json::to_string(frames)?.into(),
            ],
        )?;
        Ok(())
    }

    /// The frames of a turn, oldest first.
    pub fn frames(&self, number: u32) -> Result<Vec<Frame>> {
        let query = "SELECT json FROM frames WHERE number = ? ORDER BY first";
        let rows: Vec<Json> = self.rows(query, vec![i64::from(number).into()])?;
        let mut frames = Vec::new();
        for row in rows {
            frames.extend(read::<Vec<Frame>>(&row.json)?);
        }
        Ok(frames)
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(worker::Error::from)
}
