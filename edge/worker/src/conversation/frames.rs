//! The frames of the last turns, as the object stores them: batches while a turn runs, and with its end the rest.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{cell::Cell, rc::Rc};
use worker::{Result, SqlStorage, SqlStorageValue};

/// Turns whose frames are kept, so that a late browser can replay them. The row of a batch is used again by the turn that
/// comes so many turns later, because a row that is deleted costs as much as one that is written.
pub const REPLAYABLE_TURNS: u32 = 10;

/// An event as it goes over the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Number of the event in its turn. Numbers rise, with gaps where something was lost.
    pub seq: u32,
    /// The bytes of the stream.
    pub text: Rc<str>,
}

#[derive(Deserialize)]
struct Json {
    json: String,
}

/// The stored frames of one conversation.
pub struct FrameStore {
    sql: SqlStorage,
    /// Whether an older release has stored frames, in its table `frames`.
    older: Cell<bool>,
}

impl FrameStore {
    /// The frames in this storage.
    pub fn new(sql: SqlStorage) -> Self {
        let older = Cell::new(false);
        Self { sql, older }
    }

    /// There are frames of an older release.
    pub fn has_older(&self) {
        self.older.set(true);
    }

    /// Everything in the storage was deleted.
    pub fn forget(&self) {
        self.older.set(false);
    }

    /// Stores a batch at its place among the batches of its turn.
    pub fn add_batch(&self, number: u32, place: u32, frames: &[Frame]) -> Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        self.sql.exec(
            "INSERT INTO batch (slot, place, number, json) VALUES (?, ?, ?, ?) \
             ON CONFLICT (slot, place) DO UPDATE SET number = excluded.number, json = excluded.json",
            vec![
                slot(number),
                i64::from(place).into(),
                i64::from(number).into(),
                serde_json::to_string(frames)?.into(),
            ],
        )?;
        Ok(())
    }

    /// Makes the frames of earlier attempts at a turn its first batch.
    pub fn begin_again(&self, number: u32, before: &[Frame]) -> Result<()> {
        let values = vec![slot(number), i64::from(number).into()];
        let query = "DELETE FROM batch WHERE slot = ? AND number = ?";
        self.sql.exec(query, values)?;
        if self.older.get() {
            let query = "DELETE FROM frames WHERE number = ?";
            self.sql.exec(query, vec![i64::from(number).into()])?;
        }
        self.add_batch(number, 0, before)
    }

    /// The frames of a turn, oldest first; none when those of a later turn may have replaced some.
    pub fn of(&self, number: u32) -> Result<Vec<Frame>> {
        let mut rows = self.rows(
            "SELECT json FROM batch WHERE slot = ? AND number = ? \
             AND number + ? > (SELECT MAX(number) FROM turn) ORDER BY place",
            vec![slot(number), i64::from(number).into(), kept()],
        )?;
        if self.older.get() {
            let query = "SELECT json FROM frames WHERE number = ? ORDER BY first";
            rows.extend(self.rows(query, vec![i64::from(number).into()])?);
        }
        let query = "SELECT last_frames AS json FROM turn WHERE number = ? \
                     AND number + ? > (SELECT MAX(number) FROM turn)";
        rows.extend(self.rows(query, vec![i64::from(number).into(), kept()])?);
        let mut frames = Vec::new();
        for row in rows {
            frames.extend(read::<Vec<Frame>>(&row.json)?);
        }
        Ok(frames)
    }

    fn rows(&self, query: &str, values: Vec<SqlStorageValue>) -> Result<Vec<Json>> {
        self.sql.exec(query, values)?.to_array()
    }
}

fn kept() -> SqlStorageValue {
    i64::from(REPLAYABLE_TURNS).into()
}

fn slot(number: u32) -> SqlStorageValue {
    i64::from(number % REPLAYABLE_TURNS).into()
}

/// Reads a column that holds JSON.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(worker::Error::from)
}
