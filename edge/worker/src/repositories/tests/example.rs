//! The digital twin of `examples/` in the Worker's database: the repositories write its documents, and its test questions
//! find the passages that hold the answers. The core's tests hold what is answered from them.

use bulle_edge_core::{
    ports::{Index, PortError, VectorIndex},
    retrieval::{Passage, find, query::Terms},
    search::{Found, Hit, Query},
    sources::content::Prepared,
};
use bulle_edge_text::{Document, language};
use serde_json::{Value, json};
use std::{fs, path::Path};

use super::world::*;
use crate::repositories::{Search, owners::sources};

/// The search of the repositories, as the core asks for it.
struct Searched<'w>(&'w World);

impl VectorIndex for Searched<'_> {}

impl Index for Searched<'_> {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let search = Search(&self.0.database);
        search.search(tenant_id, bot_id, query, limit).await
    }

    async fn texts(
        &self,
        tenant_id: &str,
        bot_id: &str,
        ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        Search(&self.0.database).texts(tenant_id, bot_id, ids).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the example is files of the repository"
)]
fn example(name: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/digital-twin")
        .join(name);
    let files = if folder.is_dir() {
        let entries = fs::read_dir(&folder).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    } else {
        vec![folder]
    };
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    files.iter().map(|path| (name(path), read(path))).collect()
}

/// A database in which the bot of a tenant has the documents of the example.
fn twin() -> World {
    let world = World::new();
    for (number, (_, text)) in (100..).zip(example("knowledge")) {
        let new = json!({ "kind": "text", "text": text });
        let body = json!({ "bot_id": BOT, "new": new });
        let source = create(&world.database, &sources::CREATION, EMPTY, &body, number);
        let prepared = Prepared::new(Document::parse(&text), number.to_string(), 1);
        assert!(index_prepared(
            &world.database,
            EMPTY,
            target(&source),
            &prepared
        ));
    }
    world
}

fn passages(world: &World, question: &str, locale: &str) -> Vec<Passage> {
    let language = language::guess(question, locale);
    let terms = Terms::of(question, language).without_name("Maëlle Kervadec");
    let bot = (EMPTY, BOT);
    wait(find(&Searched(world), bot, question, &terms, language))
}

fn plain(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}'], " ").to_lowercase()
}

/// The text of the passages.
fn text(passages: &[Passage]) -> String {
    let texts = passages.iter().map(|passage| &passage.hit);
    plain(
        &texts
            .map(|hit| format!("{}\n{}\n", hit.heading, hit.text))
            .collect::<String>(),
    )
}

#[test]
fn what_the_documents_answer_is_found_with_its_source() {
    let world = twin();
    let questions: Value = serde_json::from_str(&example("questions.json")[0].1).unwrap();
    let words = |value: &Value| -> Vec<String> {
        let words = value.as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let answered = questions["answered"].as_array().unwrap();
    assert_eq!(answered.len(), 20);
    for asked in answered {
        let question = asked["question"].as_str().unwrap();
        let found = passages(&world, question, asked["locale"].as_str().unwrap());
        let said = text(&found);
        for fact in words(&asked["facts"]) {
            assert!(said.contains(&plain(&fact)), "{question}: {fact}\n{said}");
        }
        let urls = found.iter().filter_map(|passage| passage.hit.url.clone());
        let urls: Vec<String> = urls.collect();
        let sourced = |url: &String| {
            words(&asked["sources"])
                .iter()
                .any(|end| url.ends_with(end))
        };
        assert!(urls.iter().any(sourced), "{question}: {urls:?}");
    }
}

#[test]
fn the_words_that_the_example_expects_are_found() {
    let world = twin();
    let mut asked = 0;
    for line in example("questions.md")[0].1.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, question, locale @ ("fr" | "en"), words, ..] = cells.as_slice() {
            asked += 1;
            let said = text(&passages(&world, question, locale));
            for word in words.split(';').map(|word| plain(word.trim())) {
                assert!(said.contains(&word), "{question}: {word}\n{said}");
            }
        }
    }
    assert_eq!(asked, 20);
}
