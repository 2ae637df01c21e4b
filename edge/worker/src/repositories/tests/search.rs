use bulle_edge_core::{retrieval::query::Terms, search::Hit};
use serde_json::Value;

use super::world::*;
use crate::{
    d1::{Database, Statement, values},
    repositories::{Search, library::Library},
};

/// The texts of the chunks that a question finds.
pub fn found(world: &World, tenant_id: &str, question: &str) -> Vec<String> {
    let terms = Terms::of(question, "en");
    let query = terms.query(tenant_id, BOT);
    let found = wait(Search(&world.database).search(tenant_id, BOT, &query, 10));
    found.hits.into_iter().map(|found| found.hit.text).collect()
}

#[test]
fn a_search_finds_the_chunks_of_one_bot_in_one_round_trip() {
    let world = World::new();
    let search = Search(&world.database);
    let terms = Terms::of("What is a xylophone?", "en");
    world.database.round_trips();
    let result = wait(search.search(ACME, BOT, &terms.query(ACME, BOT), 10));
    assert_eq!(world.database.round_trips(), 1);
    assert_eq!(result.hits.len(), 1);
    let hit = &result.hits[0].hit;
    assert_eq!(
        (&*hit.title, &*hit.heading, &*hit.language),
        ("Music", "Instruments", "en")
    );
    assert!(hit.text.contains("instrument of acme"));
    assert!(
        hit.url
            .as_deref()
            .unwrap()
            .starts_with("https://example.com/music")
    );
    assert!(hit.score > 0.0);
    assert_eq!(result.all, 1);
    // A word with another bot's scope is not found, nor is a row with another bot's id.
    for (tenant, scope) in [(ACME, GLOBEX), (GLOBEX, ACME), (EMPTY, EMPTY)] {
        let query = terms.query(scope, BOT);
        assert!(
            wait(search.search(tenant, BOT, &query, 10)).hits.is_empty(),
            "{tenant} {scope}"
        );
    }
    assert!(found(&world, ACME, "trombone").is_empty());
    assert!(
        wait(search.search(ACME, BOT, &terms.query(ACME, BOT), 0))
            .hits
            .is_empty()
    );
}

#[test]
fn the_sections_are_those_of_one_bot_that_answer() {
    let world = World::new();
    let sections = |tenant: &str| -> Vec<(String, String)> {
        let sections = wait(Search(&world.database).sections(tenant, BOT)).into_iter();
        sections
            .map(|section| (section.title, section.heading))
            .collect()
    };
    let known = vec![("Music".to_owned(), "Instruments".to_owned())];
    assert_eq!(sections(ACME), known);
    assert!(sections(EMPTY).is_empty());
    // A chunk of the generation that is being written does not answer yet.
    world.database.script(&format!(
        "INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text, generation) \
         SELECT 900000, tenant_id, bot_id, id, 3, 'Later', '', '', generation + 1 FROM source WHERE tenant_id = 'acme' AND id = '{}'",
        world.source(ACME)
    ));
    assert_eq!(sections(ACME), known);
}

#[test]
fn words_that_are_syntax_are_only_words() {
    let world = World::new();
    for question in [
        "\"xylophone\" AND NOT (x)",
        "xylophone*",
        "NEAR(xylophone)",
        "xylophone - ^ : +",
        "' OR 1=1; --",
    ] {
        let expected = usize::from(question.contains("xylophone"));
        assert_eq!(found(&world, ACME, question).len(), expected, "{question}");
    }
}

#[test]
fn a_search_asks_the_index_once_and_not_once_for_every_chunk_of_the_bot() {
    let world = World::new();
    let sql = concat!("EXPLAIN QUERY PLAN ", include_str!("../search.sql"));
    let plan = wait((&world.database).rows(Statement::new(
        sql,
        values![ACME, BOT, "[\"word\"]", 1, 9, 1],
    )));
    let plan: Vec<Value> = plan;
    let detail = |step: &Value| step["detail"].as_str().unwrap().to_owned();
    let scan = (plan.iter()).find(|step| detail(step).starts_with("SCAN chunk_fts VIRTUAL TABLE"));
    let scan = scan.unwrap();
    let beside = plan.iter().filter(|step| step["parent"] == scan["parent"]);
    let steps: Vec<String> = beside.map(detail).collect();
    // There is no sorting: SQLite stops reading at the limit.
    let chunk = "SEARCH chunk USING INTEGER PRIMARY KEY (rowid=?)";
    let source = "SEARCH source USING PRIMARY KEY (tenant_id=? AND bot_id=? AND id=?)";
    let rest: Vec<&str> = (steps[1..].iter().map(String::as_str))
        .filter(|step| !step.starts_with("SCALAR SUBQUERY"))
        .collect();
    assert_eq!(rest, [chunk, source]);
}

#[test]
fn a_search_finds_what_answers_however_much_is_written_beside_it() {
    let world = World::new();
    let source = world.source(ACME);
    let sql = "UPDATE source SET generation = 3 WHERE tenant_id = 'acme'";
    world.database.script(sql);
    let word = Terms::of(WORD, "en").query(ACME, BOT).words().remove(0);
    let write = |id: i64, generation: i64, body: String| {
        world.database.script(&format!(
            "INSERT INTO chunk (id, tenant_id, bot_id, source_id, position, heading, anchor, text, generation) \
             VALUES ({id}, 'acme', '{BOT}', '{source}', {id}, '', '', '{id}', {generation}); \
             INSERT INTO chunk_fts (rowid, scope, title, heading, body) VALUES ({id}, 'a', '', '', '{body}')"
        ));
    };
    for next in 1..=20 {
        write(
            800_000 + next,
            if next % 2 == 0 { 2 } else { 4 },
            [&*word; 3].join(" "),
        );
    }
    write(800_100, 3, format!("{word} b c"));
    let query = Terms::of(WORD, "en").query(ACME, BOT);
    let hits = wait(Search(&world.database).search(ACME, BOT, &query, 5)).hits;
    assert_eq!(
        hits.iter().map(|found| found.hit.id).collect::<Vec<_>>(),
        [800_100]
    );
}

#[test]
fn what_ranking_needs_is_computed_for_the_chunks_of_earlier_releases() {
    let world = World::new();
    let search = Search(&world.database);
    let library = Library(&world.database);
    let query = Terms::of("What is a xylophone?", "en").query(ACME, BOT);
    let words = || {
        let found = wait(search.search(ACME, BOT, &query, 10)).hits.remove(0);
        (found.whole, found.words)
    };
    let stored = words();
    assert!(
        stored.1.as_deref().unwrap().contains("xylophone "),
        "{stored:?}"
    );
    world.database.script("UPDATE chunk SET words = NULL");
    assert_eq!(words(), (true, None));
    assert!(wait(library.store_words(&bot_key(ACME))));
    assert_eq!(words(), stored);
    assert!(!wait(library.store_words(&bot_key(ACME))));
    // Those of another bot are left to its own object, and chunks that only answers need are left alone.
    assert!(wait(library.store_words(&bot_key(GLOBEX))));
    let kept = "UPDATE chunk SET words = NULL, generation = -1 WHERE tenant_id = 'acme'";
    world.database.script(kept);
    assert!(!wait(library.store_words(&bot_key(ACME))));
}

#[test]
fn a_text_that_did_not_come_with_the_search_is_read_by_its_id() {
    let world = World::new();
    let search = Search(&world.database);
    let query = Terms::of("What is a xylophone?", "en").query(ACME, BOT);
    let hit = wait(search.search(ACME, BOT, &query, 10))
        .hits
        .remove(0)
        .hit;
    let texts = |tenant: &str| wait(search.texts(tenant, BOT, &[hit.id, 999_999]));
    assert_eq!(
        texts(ACME),
        [Hit {
            score: 0.0,
            ..hit.clone()
        }]
    );
    assert!(texts(GLOBEX).is_empty());
    world
        .database
        .script("UPDATE source SET generation = generation + 1 WHERE tenant_id = 'acme'");
    assert!(texts(ACME).is_empty());
}
