//! `cargo xtask bench answers`: what the embedded model makes of the questions in `xtask/answers`, which people might type to small
//! businesses, from their documents in a database of the Worker's.
//!
//! A folder is a business: its documents, and `questions.json`. What a set is used for and what counts as right is in
//! `edge/core/src/quality/judged.rs`. Of the sets that are held out only the counts are printed.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use bulle_api::settings::BotSettings;
use bulle_edge_core::{
    knowledge::chunk::chunks,
    provider::extractive::{self, Asked},
    quality::judged::{Answer, Judged, Purpose, Set},
    retrieval::{self, query::Terms},
    search::{Scope, index_columns},
    strings,
};
use bulle_edge_text::{Document, language::guess};
use lexopt::{Arg, Parser};

use super::sqlite::Sqlite;
use crate::{paths, seed::quote};

const TENANT: &str = "bench";
const BOT: &str = "bot";

/// How often an answer was what.
type Counts = BTreeMap<Judged, usize>;

/// Asks all questions and prints a line for each business, each language, and all together.
pub fn run(parser: &mut Parser) -> Result<()> {
    let mut misses = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("misses") => misses = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let mut folders = fs::read_dir(paths::root().join("xtask/answers"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    folders.sort();
    println!(
        "{:43} | {:5}{:12}{:12}{:12}{:10} | {:5}{:12}{:12}{:10}",
        "", "", "right", "partly", "wrong", "refused", "", "refused", "unsure", "answered"
    );
    let mut totals: BTreeMap<(Purpose, String), Counts> = BTreeMap::new();
    for folder in folders {
        let (set, counts) =
            one(&folder, misses).with_context(|| format!("asking {}", folder.display()))?;
        line(
            &format!("{} ({}, {})", set.name, set.language, set.purpose.name()),
            &counts,
        );
        for whose in [set.language, "all".to_owned()] {
            let total = totals.entry((set.purpose, whose)).or_default();
            for (judged, count) in &counts {
                *total.entry(*judged).or_default() += count;
            }
        }
    }
    println!();
    for ((purpose, whose), counts) in &totals {
        line(&format!("{}, {whose}", purpose.name()), counts);
    }
    Ok(())
}

/// Counts, and for all questions that the documents answer, and all that they do not, the shares.
fn line(name: &str, counts: &Counts) {
    let of = |judged: Judged| counts.get(&judged).copied().unwrap_or_default();
    let cells = |kinds: &[Judged]| {
        let all: usize = kinds.iter().map(|kind| of(*kind)).sum();
        let share = |kind: &Judged| {
            let percent = 100.0 * of(*kind) as f64 / all.max(1) as f64;
            format!("{:3} {percent:4.1} %", of(*kind))
        };
        format!(
            "{all:3}: {}",
            kinds.iter().map(share).collect::<Vec<_>>().join("  ")
        )
    };
    println!(
        "{name:43} | {} | {}",
        cells(&[
            Judged::Right,
            Judged::Partly,
            Judged::Wrong,
            Judged::WronglyRefused,
        ]),
        cells(&[Judged::RightlyRefused, Judged::Unsure, Judged::False])
    );
}

/// Asks one business.
fn one(folder: &Path, misses: bool) -> Result<(Set, Counts)> {
    let set: Set = serde_json::from_str(&fs::read_to_string(folder.join("questions.json"))?)?;
    let database = Sqlite::new()?;
    index(&database, folder)?;
    let bot = BotSettings {
        name: set.name.clone(),
        locale: set.language.clone(),
        ..BotSettings::default()
    };
    let mut counts = Counts::new();
    for expected in &set.questions {
        let ask = expected.ask.as_str();
        let language = guess(ask, &set.language);
        let terms = Terms::of(ask, language).without_name(&bot.name);
        let found = retrieval::passages(&database, (TENANT, BOT), ask, terms, language);
        let passages = pollster::block_on(found).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let asked = Asked {
            text: ask,
            locale: &set.language,
            bot: &bot,
        };
        let extract = extractive::answer(asked, &passages);
        let text = extract.pieces.concat();
        let locale = strings::negotiate(&[language, &set.language]);
        let answer = Answer {
            text: &text,
            found: extract.found,
            closest: &strings::texts(locale).answers.closest,
        };
        let judged = expected.judge(answer, &set.language);
        *counts.entry(judged).or_default() += 1;
        if misses
            && set.purpose != Purpose::HeldOut
            && ![Judged::Right, Judged::RightlyRefused].contains(&judged)
        {
            println!("{judged:?}: {ask}\n    {}", text.replace('\n', "\n    "));
        }
    }
    Ok((set, counts))
}

/// Fills the database with the documents of a folder, cut as the Worker cuts them.
fn index(database: &Sqlite, folder: &Path) -> Result<()> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let mut sql = format!(
        "INSERT INTO tenant (id, name, created_at) VALUES ('{TENANT}', '', 0);\n\
         INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ('{TENANT}', '{BOT}', '{{}}', 0);\n"
    );
    let scope = Scope::of(TENANT, BOT);
    let mut row = 0;
    for (number, file) in files.iter().enumerate() {
        let document = Document::parse(&fs::read_to_string(file)?);
        sql.push_str(&format!(
            "INSERT INTO source (tenant_id, bot_id, id, title, language, updated_at) \
             VALUES ('{TENANT}', '{BOT}', '{number}', {}, {}, 0);\n",
            quote(&document.title),
            quote(&document.language),
        ));
        for chunk in chunks(&document) {
            row += 1;
            let columns = index_columns(
                &scope,
                &document.title,
                &chunk.heading,
                &chunk.text,
                &document.language,
            );
            sql.push_str(&format!(
                "INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text, words) \
                 VALUES ({row}, '{TENANT}', '{BOT}', '{number}', {row}, {}, '', {}, {});\n\
                 INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES ({row}, {}, {}, {}, {});\n",
                quote(&chunk.heading),
                quote(&chunk.text),
                quote(&columns.words),
                quote(&columns.scope),
                quote(&columns.title),
                quote(&columns.heading),
                quote(&columns.body),
            ));
        }
    }
    database.script(&format!("BEGIN;\n{sql}COMMIT;\n"))
}
