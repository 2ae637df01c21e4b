//! A database in memory with the tables of the Worker: SQLite as it comes with Node, with FTS5.

use std::{
    cell::{Cell, RefCell},
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    ports::{Index, PortError, VectorIndex},
    search::{Candidate, Found, Hit, MAX_ROWS, Query},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{paths, process};

const SEARCH: &str = include_str!("../../../edge/worker/src/repositories/search.sql");
const TEXTS: &str = include_str!("../../../edge/worker/src/repositories/texts.sql");
const WORDS: &str = include_str!("../../../edge/worker/src/repositories/words.sql");

/// The database; it is closed when the value is dropped.
pub struct Sqlite {
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    /// Questions for which texts were asked for after the search.
    pub again: Cell<u32>,
    /// Bytes of all answers.
    pub bytes: Cell<usize>,
}

#[derive(Deserialize)]
struct Answer {
    rows: Option<Value>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Chunk {
    id: i64,
    title: String,
    language: String,
    score: f64,
    words: Option<String>,
    /// JSON: heading, text, address, anchor.
    whole: Option<String>,
}

#[derive(Deserialize)]
struct Count {
    term: String,
    chunks: u32,
}

impl Sqlite {
    /// An empty, migrated database.
    pub fn new() -> Result<Self> {
        let mut child = Command::new("node")
            .args(["--no-warnings", "xtask/src/bench/sqlite.mjs"])
            .current_dir(paths::root())
            .env("PATH", process::path_with_npm())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting node; `cargo xtask setup` brings it")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            bail!("node has no pipes");
        };
        let database = Self {
            child,
            pipes: RefCell::new((stdin, BufReader::new(stdout))),
            again: Cell::new(0),
            bytes: Cell::new(0),
        };
        let mut migrations: Vec<_> = fs::read_dir(paths::worker().join("migrations"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        migrations.sort();
        for migration in migrations {
            database.script(&fs::read_to_string(migration)?)?;
        }
        Ok(database)
    }

    /// Runs statements.
    pub fn script(&self, script: &str) -> Result<()> {
        self.ask::<Value>(&json!({ "script": script })).map(|_| ())
    }

    /// The rows of a statement.
    pub fn rows<T: DeserializeOwned>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>> {
        self.ask(&json!({ "sql": sql, "values": values }))
    }

    fn ask<T: DeserializeOwned>(&self, message: &Value) -> Result<Vec<T>> {
        let mut pipes = self.pipes.borrow_mut();
        writeln!(pipes.0, "{message}")?;
        let mut line = String::new();
        pipes.1.read_line(&mut line)?;
        self.bytes.set(self.bytes.get() + line.len());
        let answer: Answer = serde_json::from_str(&line).context("node ended early")?;
        match (answer.rows, answer.error) {
            (Some(rows), _) => Ok(serde_json::from_value(rows)?),
            (None, error) => bail!("SQLite: {}", error.unwrap_or_default()),
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The process may be killed, because the database is only in its memory.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Chunk {
    fn into_candidate(self) -> Candidate {
        let whole = self.whole.as_deref().unwrap_or("[\"\",\"\",\"\",\"\"]");
        let (heading, text, _, _): (String, String, String, String) =
            serde_json::from_str(whole).unwrap_or_default();
        Candidate {
            whole: self.whole.is_some(),
            words: self.words,
            hit: Hit {
                id: self.id,
                title: self.title,
                heading,
                text,
                url: None,
                language: self.language,
                score: self.score,
            },
        }
    }
}

impl VectorIndex for Sqlite {}

impl Index for Sqlite {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let failed = |error: anyhow::Error| PortError(format!("{error:#}"));
        let words = json!(query.words()).to_string();
        let (sql, keys, texts) = query.statement(SEARCH, limit);
        let fixed = [
            json!(tenant_id),
            json!(bot_id),
            json!(words),
            json!(limit),
            json!(MAX_ROWS),
            json!(texts),
        ];
        let keys = keys.iter().map(|key| json!(key));
        let values: Vec<Value> = fixed.into_iter().chain(keys).collect();
        let chunks: Vec<Chunk> = self.rows(&sql, &values).map_err(failed)?;
        let mut counted = query.words();
        counted.push(query.scope.word(""));
        let counts: Vec<Count> = self
            .rows(WORDS, &[json!(json!(counted).to_string())])
            .map_err(failed)?;
        Ok(query.found(
            chunks.into_iter().map(Chunk::into_candidate).collect(),
            counts.into_iter().map(|count| (count.term, count.chunks)),
        ))
    }

    async fn texts(
        &self,
        tenant_id: &str,
        bot_id: &str,
        ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        self.again.set(self.again.get() + 1);
        let values = [
            json!(tenant_id),
            json!(bot_id),
            json!(json!(ids).to_string()),
        ];
        let failed = |error: anyhow::Error| PortError(format!("{error:#}"));
        let chunks: Vec<Chunk> = self.rows(TEXTS, &values).map_err(failed)?;
        Ok(chunks
            .into_iter()
            .map(|chunk| chunk.into_candidate().hit)
            .collect())
    }
}
