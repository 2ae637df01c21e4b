//! `cargo xtask bench retrieval`: how often the paragraph that answers a question is found, and how fast.
//!
//! A set is SQuAD's JSON (1.1 or 2.0): its paragraphs are indexed as the chunks of one bot in a database of the
//! Worker's, and each question goes through the code that the Worker uses. The baseline is SQLite by itself: FTS5 with
//! `unicode61 remove_diacritics 2` and any of the words.
//!
//! `--from-texts` ranks chunks without what is stored for ranking, as those of earlier releases are.
//!
//! Every second document of the shipped sets is held out: nothing was tuned on its questions.

mod overlap;
mod ranking;

use bulle_edge_text::language::guess;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    retrieval::{
        self, Passage,
        golden::{mrr, recall},
        query::Terms,
    },
    search::{Scope, index_columns},
};
use lexopt::{Arg, Parser, ValueExt};
use serde::Deserialize;
use serde_json::json;

use super::sqlite::Sqlite;
use crate::{paths, seed::quote};

const TENANT: &str = "bench";
const BOT: &str = "bot";

/// The number of passages that count.
const PLACES: usize = 6;

#[derive(Deserialize)]
pub(super) struct Set {
    #[serde(default)]
    language: String,
    pub data: Vec<Document>,
}

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    pub title: String,
    pub paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
pub(super) struct Paragraph {
    pub context: String,
    #[serde(default)]
    pub qas: Vec<Question>,
}

#[derive(Deserialize)]
pub(super) struct Question {
    pub question: String,
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// SQuAD 2.0: true when no paragraph answers the question.
    #[serde(default)]
    pub is_impossible: bool,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    pub text: String,
}

/// A chunk to be found, as the row of its number from 1.
pub(super) struct Row {
    pub document: usize,
    pub title: String,
    pub text: String,
}

/// A question, the row that answers it, and whether its document is held out.
struct Asked {
    question: String,
    row: i64,
    held_out: bool,
}

/// The ranks of the answers, from 1.
#[derive(Default)]
struct Places {
    found: Vec<(Option<usize>, bool)>,
    took: Vec<Duration>,
    bytes: usize,
}

impl Places {
    fn add(&mut self, place: Option<usize>, held_out: bool, took: Duration) {
        self.found.push((place, held_out));
        self.took.push(took);
    }

    fn share(&self, within: usize, wanted: impl Fn(bool) -> bool) -> f64 {
        let places: Vec<_> = (self.found.iter())
            .filter(|(_, held_out)| wanted(*held_out))
            .map(|(place, _)| *place)
            .collect();
        recall(&places, within)
    }

    fn mrr(&self) -> f64 {
        let places: Vec<_> = self.found.iter().map(|(place, _)| *place).collect();
        mrr(&places)
    }

    fn median_ms(&self) -> f64 {
        let mut took = self.took.clone();
        took.sort();
        took.get(took.len() / 2)
            .map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    }
}

/// Runs the sets of the command line, or those of `xtask/sets`.
pub fn run(parser: &mut Parser) -> Result<()> {
    let (mut files, mut verbose, mut overlap, mut from_texts) = (Vec::new(), false, false, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("set") => files.push(PathBuf::from(parser.value()?)),
            Arg::Long("misses") => verbose = true,
            Arg::Long("overlap") => overlap = true,
            Arg::Long("ranking") => return ranking::run(),
            Arg::Long("from-texts") => from_texts = true,
            Arg::Value(word) => bail!("`{}`: name a file as `--set FILE`", word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if files.is_empty() {
        let entries = fs::read_dir(paths::root().join("xtask/sets"))?;
        files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
    }
    if overlap {
        println!("                     sentences    chunks    tokens |    @1    @5   MRR");
        return files.iter().try_for_each(|file| overlap::run(file));
    }
    println!(
        "          paragraphs  questions | plain FTS5: @1    @5    MRR     ms | ours: @1    @5    MRR     ms | @1 tuned on  held out |  bytes trips again"
    );
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        one(&file, &name, verbose, from_texts)
            .with_context(|| format!("measuring with {}", file.display()))?;
    }
    Ok(())
}

/// A set and its language.
fn read(file: &Path) -> Result<(Set, String)> {
    let set: Set =
        serde_json::from_str(&fs::read_to_string(file)?).context("this is no SQuAD JSON")?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let language = match set.language.as_str() {
        "" => name
            .rsplit(['.', '-', '_'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        language => language.to_owned(),
    };
    Ok((set, language))
}

fn one(file: &Path, name: &str, verbose: bool, from_texts: bool) -> Result<()> {
    let (set, language) = read(file)?;
    let database = Sqlite::new()?;
    let (asked, rows) = index(&database, &set, &language)?;
    if from_texts {
        database.script("UPDATE chunk SET words = NULL")?;
    }
    let (mut plain, mut ours) = (Places::default(), Places::default());
    for Asked {
        question,
        row,
        held_out,
    } in &asked
    {
        let at = |found: &[i64]| found.iter().position(|id| id == row).map(|place| place + 1);
        let start = Instant::now();
        let found = by_sqlite(&database, question)?;
        plain.add(at(&found), *held_out, start.elapsed());
        let start = Instant::now();
        let before = database.bytes.get();
        let found = by_us(&database, question, &language)?;
        ours.bytes += database.bytes.get() - before;
        let ids: Vec<i64> = found.iter().map(|passage| passage.hit.id).collect();
        ours.add(at(&ids), *held_out, start.elapsed());
        if verbose && at(&ids) != Some(1) && !held_out {
            let first = found
                .first()
                .map_or("-", |passage| passage.hit.text.as_str());
            let spoken = guess(question, &language);
            let terms = Terms::of(question, spoken);
            println!(
                "{:?} {question}\n    {spoken} {:?}\n    {first}",
                at(&ids),
                terms.words().iter().map(|w| &w.key).collect::<Vec<_>>()
            );
        }
    }
    println!(
        "{name:10} {rows:9} {:10} |        {:.3} {:.3} {:.3} {:6.2} |  {:.3} {:.3} {:.3} {:6.2} |       {:.3}     {:.3} | {:6} {:7.2}",
        asked.len(),
        plain.share(1, |_| true),
        plain.share(5, |_| true),
        plain.mrr(),
        plain.median_ms(),
        ours.share(1, |_| true),
        ours.share(5, |_| true),
        ours.mrr(),
        ours.median_ms(),
        ours.share(1, |held_out| !held_out),
        ours.share(1, |held_out| held_out),
        ours.bytes / asked.len().max(1),
        f64::from(database.again.get()) / asked.len().max(1) as f64,
    );
    Ok(())
}

/// The rank with the Worker's search.
fn by_us(database: &Sqlite, question: &str, language: &str) -> Result<Vec<Passage>> {
    let spoken = guess(question, language);
    let terms = Terms::of(question, spoken);
    let found = retrieval::find(database, (TENANT, BOT), question, &terms, spoken);
    pollster::block_on(found).map_err(|error| anyhow::anyhow!("{error:?}"))
}

/// Indexes the paragraphs for both searches.
fn index(database: &Sqlite, set: &Set, language: &str) -> Result<(Vec<Asked>, i64)> {
    let (mut asked, mut rows) = (Vec::new(), Vec::new());
    for (document, number) in set.data.iter().zip(0_usize..) {
        for paragraph in &document.paragraphs {
            rows.push(Row {
                document: number,
                title: document.title.clone(),
                text: paragraph.context.clone(),
            });
            let row = i64::try_from(rows.len())?;
            let answered = paragraph.qas.iter().filter(|asked| !asked.is_impossible);
            asked.extend(answered.map(|asked| Asked {
                question: asked.question.clone(),
                row,
                held_out: number % 2 == 1,
            }));
        }
    }
    fill(database, &rows, language)?;
    Ok((asked, i64::try_from(rows.len())?))
}

/// Fills the tables; the rows of a document are adjacent.
fn fill(database: &Sqlite, rows: &[Row], language: &str) -> Result<()> {
    let mut sql = format!(
        "CREATE VIRTUAL TABLE plain USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2');\n\
         INSERT INTO tenant (id, name, created_at) VALUES ('{TENANT}', '', 0);\n\
         INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ('{TENANT}', '{BOT}', '{{}}', 0);\n"
    );
    let scope = Scope::of(TENANT, BOT);
    let mut before = None;
    for (
        Row {
            document,
            title,
            text,
        },
        row,
    ) in rows.iter().zip(1..)
    {
        let columns = index_columns(&scope, title, "", text, language);
        let (title, text) = (quote(title), quote(text));
        if before.replace(*document) != Some(*document) {
            sql.push_str(&format!(
                "INSERT INTO source (tenant_id, bot_id, id, title, language, updated_at) \
                 VALUES ('{TENANT}', '{BOT}', '{document}', {title}, {}, 0);\n",
                quote(language)
            ));
        }
        sql.push_str(&format!(
            "INSERT INTO plain (rowid, title, body) VALUES ({row}, {title}, {text});\n\
             INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text, words) \
             VALUES ({row}, '{TENANT}', '{BOT}', '{document}', {row}, '', '', {text}, {});\n\
             INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES ({row}, {}, {}, {}, {});\n",
            quote(&columns.words), quote(&columns.scope), quote(&columns.title), quote(&columns.heading), quote(&columns.body),
        ));
    }
    database.script(&format!("BEGIN;\n{sql}COMMIT;\n"))
}

/// The rank with SQLite's own search.
fn by_sqlite(database: &Sqlite, question: &str) -> Result<Vec<i64>> {
    #[derive(Deserialize)]
    struct Row {
        rowid: i64,
    }
    let words: Vec<String> = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    let sql = "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY rank LIMIT ?";
    let rows: Vec<Row> = database.rows(sql, &[json!(words.join(" OR ")), json!(PLACES)])?;
    Ok(rows.iter().map(|row| row.rowid).collect())
}
