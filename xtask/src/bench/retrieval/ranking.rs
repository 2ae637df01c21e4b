//! `cargo xtask bench retrieval --ranking`: how long 40 chunks take to rank, from what is stored of them and from their texts,
//! and how many bytes the database gives for that. This program is not optimized: only the ratio can be compared.

use anyhow::Result;
use bulle_edge_core::{
    ports::{Index, PortError, VectorIndex},
    retrieval::{find, query::Terms},
    search::{Found, Hit, Query},
};
use std::{cell::RefCell, time::Instant};

use super::{BOT, TENANT};
use crate::{bench::sqlite::Sqlite, paths, seed};

/// Questions in French that have 40 candidates in the documents of `examples/digital-twin`.
const QUESTIONS: [&str; 4] = [
    "Quelle est ton expérience avec Kubernetes ?",
    "Combien de personnes dans ton équipe actuelle ?",
    "Quand as-tu travaillé sur la supervision des plateformes ?",
    "Où as-tu fait tes études d'ingénieur ?",
];

const ROUNDS: u32 = 30;

/// The result of a search, given again and again.
struct Fixed<'d>(RefCell<Found>, &'d Sqlite);

impl VectorIndex for Fixed<'_> {}

impl Index for Fixed<'_> {
    async fn search(&self, _: &str, _: &str, _: &Query, _: u32) -> Result<Found, PortError> {
        Ok(self.0.borrow().clone())
    }

    async fn texts(&self, tenant: &str, bot: &str, ids: &[i64]) -> Result<Vec<Hit>, PortError> {
        self.1.texts(tenant, bot, ids).await
    }
}

/// Prints a line for each way.
pub fn run() -> Result<()> {
    let database = Sqlite::new()?;
    let folder = paths::root().join("examples/digital-twin/knowledge");
    let mut sql = format!(
        "INSERT INTO tenant (id, name, created_at) VALUES ('{TENANT}', '', 0);\n\
         INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ('{TENANT}', '{BOT}', '{{}}', 0);\n"
    );
    seed::documents(&folder, (TENANT, BOT), "", 0, &mut sql)?;
    database.script(&sql)?;
    println!("            chunks    bytes   ms to rank    ratio");
    let mut texts_ms = None;
    for (name, prepare) in [
        (
            "texts",
            "CREATE TEMP TABLE stored AS SELECT id, words FROM chunk; UPDATE chunk SET words = NULL",
        ),
        (
            "stored",
            "UPDATE chunk SET words = (SELECT words FROM stored WHERE stored.id = chunk.id)",
        ),
    ] {
        database.script(prepare)?;
        let (mut chunks, mut bytes, mut ms) = (0, 0, 0.0);
        for question in QUESTIONS {
            let terms = Terms::of(question, "fr");
            let before = database.bytes.get();
            let query = terms.query(TENANT, BOT);
            let found = pollster::block_on(database.search(TENANT, BOT, &query, 40));
            let found = found.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            bytes += database.bytes.get() - before;
            chunks += found.hits.len();
            let index = Fixed(RefCell::new(found), &database);
            let start = Instant::now();
            for _ in 0..ROUNDS {
                let found = pollster::block_on(find(&index, (TENANT, BOT), question, &terms, "fr"));
                found.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            }
            ms += start.elapsed().as_secs_f64() * 1_000.0 / f64::from(ROUNDS);
        }
        let count = QUESTIONS.len();
        let ms = ms / count as f64;
        let ratio = ms / *texts_ms.get_or_insert(ms);
        println!(
            "{name:10} {:7} {:8} {ms:12.2} {ratio:8.2}",
            chunks / count,
            bytes / count
        );
    }
    Ok(())
}
