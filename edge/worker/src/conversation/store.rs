//! The object's own storage: the owner and the turns. The frames of the last turns are in [`frames`](super::frames).

use bulle_edge_core::{
    guard::Question,
    model::{Exchange, Owner},
    record::Record,
};
use bulle_protocol::{Id, event::Finish};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};
use worker::{Result, SqlStorage, SqlStorageValue};

use super::{
    frames::{Frame, FrameStore, REPLAYABLE_TURNS, read},
    history,
};

/// The column that a turn of an older release lacks.
const LAST_FRAMES: &str = "ALTER TABLE turn ADD COLUMN last_frames TEXT NOT NULL DEFAULT '[]'";

/// How often a record is offered to the archive: about an hour of tries.
const MAX_OFFERS: u32 = 60;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turn (
  number     INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL,             -- unique; an index would be one more row to write for each turn
  text       TEXT NOT NULL,
  answer     TEXT NOT NULL DEFAULT '',
  locale     TEXT NOT NULL,
  state      TEXT NOT NULL,
  record     TEXT,
  unrecorded INTEGER NOT NULL DEFAULT 1, -- 0 once the archive has it, else 1 + refusals
  last_frames TEXT NOT NULL DEFAULT '[]' -- the frames after those of `batch`, once the turn has ended
);
CREATE TABLE IF NOT EXISTS spent (id INTEGER PRIMARY KEY, record TEXT NOT NULL, offers INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS written (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batch (
  slot INTEGER, place INTEGER, number INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (slot, place)
) WITHOUT ROWID;
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
struct Table {
    name: String,
    sql: String,
}

#[derive(Deserialize)]
struct MessageNumber {
    message_id: String,
    number: u32,
}

#[derive(Deserialize)]
struct Number {
    number: u32,
}

/// The storage of one conversation. What an instance of the object has read or written once it keeps in memory: nothing
/// else writes here.
pub struct ConversationStore {
    sql: SqlStorage,
    frames: FrameStore,
    owner: RefCell<Option<Owner>>,
    /// Whether all tables are there as this release wants them.
    has_tables: Cell<bool>,
    /// The turns of the messages, once they are known.
    numbers: RefCell<Option<HashMap<Id, u32>>>,
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
            frames: FrameStore::new(sql.clone()),
            sql,
            owner: RefCell::default(),
            has_tables: Cell::new(false),
            numbers: RefCell::default(),
            next_number: Cell::new(None),
            may_be_running: Cell::new(true),
            may_be_written: Cell::new(true),
            may_be_unrecorded: Cell::new(true),
        }
    }

    /// Everything in the storage was deleted.
    pub fn forget(&self) {
        self.owner.take();
        self.numbers.take();
        self.frames.forget();
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

    /// Reads which tables there are, and brings those of an older release up to date. False when there are none.
    fn look_at_tables(&self) -> Result<bool> {
        let tables: Vec<Table> = self.rows(
            "SELECT name, sql FROM sqlite_master WHERE name IN ('owner', 'turn', 'frames', 'batch')",
            vec![],
        )?;
        let found = |name: &str| tables.iter().find(|table| table.name == name);
        if found("owner").is_none() {
            return Ok(false);
        }
        if found("frames").is_some() {
            self.frames.has_older();
        }
        if found("turn").is_some_and(|turn| !turn.sql.contains("last_frames")) {
            self.sql.exec(LAST_FRAMES, None)?;
        }
        self.has_tables.set(found("batch").is_some());
        self.make_tables()?;
        Ok(true)
    }

    /// The owner of the conversation.
    pub fn owner(&self) -> Result<Option<Owner>> {
        if let Some(owner) = self.owner.borrow().as_ref() {
            return Ok(Some(owner.clone()));
        }
        if !self.look_at_tables()? {
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
        self.numbers.replace(Some(HashMap::new()));
        self.may_be_running.set(false);
        self.may_be_written.set(false);
        self.may_be_unrecorded.set(false);
        Ok(())
    }

    /// The turn of a message.
    pub fn turn_of(&self, message: Id) -> Result<Option<StoredTurn>> {
        if self.numbers.borrow().is_none() {
            self.numbers.replace(Some(self.read_numbers()?));
        }
        let numbers = self.numbers.borrow();
        match numbers.as_ref().and_then(|numbers| numbers.get(&message)) {
            Some(number) => self.turn_at(*number),
            None => Ok(None),
        }
    }

    fn read_numbers(&self) -> Result<HashMap<Id, u32>> {
        let rows: Vec<MessageNumber> = self.rows("SELECT message_id, number FROM turn", vec![])?;
        let number = |row: MessageNumber| Some((row.message_id.parse().ok()?, row.number));
        Ok(rows.into_iter().filter_map(number).collect())
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
        if let Some(numbers) = self.numbers.borrow_mut().as_mut() {
            numbers.insert(question.id(), number);
        }
        Ok(())
    }

    /// Stores that another attempt at a turn begins, with the frames of those `before`. Costs of the one before that the
    /// archive has not taken are kept.
    pub fn begin_again(
        &self,
        number: u32,
        question: &Question,
        record: &Record,
        before: &[Frame],
    ) -> Result<()> {
        self.make_tables()?;
        self.sql.exec(
            "INSERT INTO spent (record) SELECT record FROM turn \
             WHERE number = ? AND state <> 'running' AND unrecorded > 0 AND record IS NOT NULL",
            vec![i64::from(number).into()],
        )?;
        if self.is_replayable(number)? {
            self.frames.begin_again(number, before)?;
        }
        self.put_turn(number, question, record)
    }

    fn put_turn(&self, number: u32, question: &Question, record: &Record) -> Result<()> {
        self.may_be_running.set(true);
        self.sql.exec(
            "INSERT INTO turn (number, message_id, text, locale, state, record) VALUES (?, ?, ?, ?, 'running', ?) \
             ON CONFLICT (number) DO UPDATE SET state = 'running', record = excluded.record, unrecorded = 1, last_frames = '[]'",
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

    /// Stores the end of a turn with its last frames, those after the batches. `unrecorded`: the archive has not taken it yet.
    pub fn end(
        &self,
        number: u32,
        record: &Record,
        unrecorded: bool,
        last: &[Frame],
    ) -> Result<()> {
        let reply = record.reply.as_ref();
        let failed = reply.is_none_or(|reply| reply.error.is_some());
        self.sql.exec(
            "UPDATE turn SET state = ?, answer = ?, record = ?, unrecorded = ?, last_frames = ? WHERE number = ?",
            vec![
                if failed { "failed" } else { "done" }.to_owned().into(),
                reply
                    .map(|reply| reply.text.clone())
                    .unwrap_or_default()
                    .into(),
                serde_json::to_string(record)?.into(),
                i64::from(unrecorded).into(),
                serde_json::to_string(last)?.into(),
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

    /// The records of the running turn, and of turns that the archive has not taken.
    pub fn unarchived(&self) -> Result<Vec<Record>> {
        let running = "SELECT record AS json FROM turn WHERE unrecorded > 0 ORDER BY number";
        let rows: Vec<Json> = self.rows(running, vec![])?;
        rows.into_iter().map(|row| read(&row.json)).collect()
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
        history::before(&self.sql, before)
    }

    /// Stores a batch of frames of the running turn at its place among the turn's batches; not those of another attempt at
    /// a turn so old that a later one has its place.
    pub fn add_batch(&self, number: u32, place: u32, frames: &[Frame]) -> Result<()> {
        match self.is_replayable(number)? {
            true => self.frames.add_batch(number, place, frames),
            false => Ok(()),
        }
    }

    fn is_replayable(&self, number: u32) -> Result<bool> {
        Ok(number.saturating_add(REPLAYABLE_TURNS) >= self.next_number()?)
    }

    /// The frames of a turn, oldest first.
    pub fn frames(&self, number: u32) -> Result<Vec<Frame>> {
        self.frames.of(number)
    }
}
