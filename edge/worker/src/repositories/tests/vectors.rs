use super::world::*;
use crate::repositories::{
    Match, Search,
    library::{Library, Unembedded},
    owners::{Owned, bots},
};

fn ids(chunks: &[Unembedded]) -> Vec<String> {
    chunks.iter().map(|chunk| chunk.id.clone()).collect()
}

/// Marks vectors for all chunks of the tenant, as the ingestion does; gives their ids.
fn embed(world: &World, now: u64) -> Vec<String> {
    let library = Library(&world.database);
    let (chunks, more) = wait(library.unembedded(&bot_key(ACME), 10, now));
    assert!(more);
    wait(library.embedded(&bot_key(ACME), &chunks));
    ids(&chunks)
}

#[test]
fn chunks_are_sent_once_under_an_id_of_their_own() {
    let world = World::new();
    let library = Library(&world.database);
    assert!(wait(library.has_unmarked(&bot_key(ACME))));
    let chunk = chunks(&world.database, ACME)[0];
    let unembedded = |now| wait(library.unembedded(&bot_key(ACME), 10, now));
    let (first, more) = unembedded(NOW);
    assert!(more);
    assert_eq!(ids(&first), [format!("{chunk}-{NOW}")]);
    assert!(first[0].text().starts_with("Music\nInstruments\n"));
    assert!(!wait(library.has_unmarked(&bot_key(ACME))));
    // A vector whose sending was interrupted is sent again under the same id.
    let (again, _) = unembedded(NOW + 1);
    assert_eq!(ids(&again), ids(&first));
    wait(library.embedded(&bot_key(EMPTY), &first));
    assert_eq!(ids(&unembedded(NOW + 2).0), ids(&first));
    wait(library.embedded(&bot_key(ACME), &first));
    let (none, more) = unembedded(NOW + 3);
    assert!(none.is_empty() && !more);
    assert!(
        wait(library.unembedded(&bot_key(EMPTY), 10, NOW))
            .0
            .is_empty()
    );
}

#[test]
fn a_vector_finds_the_answering_chunk_of_its_bot() {
    let world = World::new();
    let search = Search(&world.database);
    let vector = embed(&world, NOW).remove(0);
    let matches = |ids: &[&str]| -> Vec<Match> {
        ids.iter()
            .map(|id| Match {
                id: (*id).to_owned(),
                score: 0.5,
            })
            .collect()
    };
    let near = |tenant: &str, ids: &[&str]| wait(search.near(tenant, BOT, &matches(ids)));
    let hits = near(ACME, &["999-1", &vector]);
    assert_eq!(hits.len(), 1);
    assert!(hits[0].text.contains("instrument of acme"));
    assert!((hits[0].score - 0.5).abs() < f64::EPSILON);
    assert!(near(EMPTY, &[&vector]).is_empty());
    assert!(near(GLOBEX, &[&vector]).is_empty());
    // The number of another embedding makes another vector id.
    assert!(near(ACME, &[&vector.replace(&NOW.to_string(), "1")]).is_empty());
    // The vector of a chunk that no longer answers finds nothing.
    assert!(index(
        &world.database,
        ACME,
        target(&world.source(ACME)),
        "A trombone."
    ));
    assert!(near(ACME, &[&vector]).is_empty());
}

#[test]
fn the_vectors_of_chunks_that_go_are_to_be_deleted() {
    let world = World::new();
    let library = Library(&world.database);
    let quoted = embed(&world, NOW);
    assert!(index(
        &world.database,
        ACME,
        target(&world.source(ACME)),
        "A trombone."
    ));
    assert_eq!(
        wait(library.unwanted_vectors()),
        quoted,
        "kept for an answer, out of the index"
    );
    let second = embed(&world, NOW + 1);
    wait(Owned(&world.database).delete(&bots::CHANGES, (ACME, BOT, 1)));
    let mut all = [quoted.clone(), second.clone()].concat();
    all.sort();
    assert_eq!(wait(library.unwanted_vectors()), all);
    wait(library.vectors_deleted(&quoted));
    assert_eq!(wait(library.unwanted_vectors()), second);
}
