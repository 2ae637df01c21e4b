use bulle_edge_core::{
    search::Scope,
    sources::{FailureCode, SourceKind, failure, spec::SourceFields},
};
use serde_json::json;

use super::{search::found, world::*};
use crate::repositories::{
    library::{AttemptResult, BotKey, Library, Target, Validators},
    owners::sources,
};

fn create_source(world: &World, kind: &str, number: u128) -> String {
    let new = json!({ "kind": kind, "url": "https://example.com/", "refresh_seconds": 3_600 });
    let body = json!({ "bot_id": BOT, "new": new });
    create(&world.database, &sources::CREATION, ACME, &body, number)
}

#[test]
fn a_new_text_replaces_the_old_one_at_once() {
    let world = World::new();
    let source = world.source(ACME);
    let (library, scope) = (Library(&world.database), Scope::of(ACME, BOT));
    let prepared = prepared("A trombone is another one.");
    let staged = wait(library.stage(&bot_key(ACME), target(&source), &prepared)).unwrap();
    assert_eq!((staged.generation, staged.written), (2, 0));
    let batch = prepared.batch(0, &scope);
    // A batch that fails stores nothing, and one that is repeated is stored once.
    world.database.fail_after(2);
    error(library.write(
        &bot_key(ACME),
        target(&source),
        (&prepared, &staged),
        &batch,
    ));
    for _ in 0..2 {
        wait(library.write(
            &bot_key(ACME),
            target(&source),
            (&prepared, &staged),
            &batch,
        ));
    }
    assert_eq!(chunks(&world.database, ACME).len(), 2);
    // Until the swap the old generation answers.
    assert_eq!(found(&world, ACME, "xylophone").len(), 1);
    assert!(found(&world, ACME, "trombone").is_empty());
    // An interrupted generation continues where it was.
    let again = wait(library.stage(&bot_key(ACME), target(&source), &prepared)).unwrap();
    assert_eq!((again.generation, again.written), (2, 1));
    let validators = Validators {
        etag: "\"e\"".into(),
        last_modified: "then".into(),
    };
    let next = (Some(NOW + 9), &validators);
    let knowledge = || world.number("SELECT knowledge FROM bot WHERE tenant_id = 'acme'");
    let before = knowledge();
    assert!(wait(library.swap(
        &bot_key(ACME),
        target(&source),
        (&prepared, &staged),
        next,
        NOW
    )));
    assert_eq!(knowledge(), before + 1);
    assert!(found(&world, ACME, "xylophone").is_empty());
    assert_eq!(found(&world, ACME, "trombone").len(), 1);
    let work = wait(library.job(&bot_key(ACME), &source)).unwrap();
    assert_eq!(
        (&*work.etag, &*work.last_modified, work.attempts),
        ("\"e\"", "then", 0)
    );
    assert_eq!(work.checksum, prepared.checksum);
    assert_eq!(wait(library.due(&bot_key(ACME), NOW + 9)).len(), 1);
    // It is no longer staged, so another swap does nothing.
    assert!(!wait(library.swap(
        &bot_key(ACME),
        target(&source),
        (&prepared, &staged),
        next,
        NOW
    )));
    assert_eq!(
        world.number("SELECT count(*) FROM source_text WHERE tenant_id = 'acme'"),
        1
    );
}

#[test]
fn what_no_answer_quoted_is_swept_away() {
    let world = World::new();
    let source = world.source(ACME);
    let quoted = chunks(&world.database, ACME);
    assert!(index(&world.database, ACME, target(&source), "A trombone."));
    assert!(index(&world.database, ACME, target(&source), "A piano."));
    let left = chunks(&world.database, ACME);
    assert_eq!(left.len(), 2, "the quoted one and the one that answers");
    assert!(left.contains(&quoted[0]));
    let indexed = "SELECT count(*) FROM chunk_fts JOIN chunk ON chunk.id = chunk_fts.rowid WHERE tenant_id = 'acme'";
    assert_eq!(world.number(indexed), 1);
    wait(Library(&world.database).sweep(&bot_key(EMPTY), &[source]));
}

#[test]
fn nothing_is_written_of_another_revision_or_tenant() {
    let world = World::new();
    let source = world.source(ACME);
    let library = Library(&world.database);
    let before = world.database.rows_of_tenant(ACME);
    let later = Target {
        id: &source,
        revision: 2,
    };
    let strangers = [
        (ACME, later),
        (ACME, target("gone")),
        (EMPTY, target(&source)),
    ];
    for (tenant, target) in strangers {
        assert!(!index(&world.database, tenant, target, "A trombone."));
        assert_eq!(wait(library.begin(&bot_key(tenant), target, NOW)), None);
        wait(library.show_progress(&bot_key(tenant), target, (1, 2)));
        let end = AttemptResult::Failed(failure(FailureCode::NotFound, "gone"), None);
        wait(library.end(&bot_key(tenant), target, &end, NOW));
        assert!(
            wait(library.part(
                &bot_key(tenant),
                target,
                "page",
                "https://example.com/a",
                NOW
            ))
            .is_none()
        );
        wait(library.remove_parts(&bot_key(tenant), target, &["page".to_owned()]));
    }
    assert_eq!(world.database.rows_of_tenant(ACME), before);
    assert!(wait(library.job(&bot_key(EMPTY), &source)).is_none());
    assert!(!wait(library.refresh_source(&bot_key(EMPTY), &source, NOW)));
    let given = SourceFields::default();
    assert!(!wait(library.replace_file(
        &bot_key(EMPTY),
        (&source, 1),
        &given,
        NOW
    )));
}

#[test]
fn an_attempt_is_counted_until_something_is_achieved() {
    let world = World::new();
    let library = Library(&world.database);
    let source = create_source(&world, "url", 50);
    let bot_key = bot_key(ACME);
    let columns = || {
        let sql = format!(
            "SELECT status, reason, attempts, next_at, version FROM source WHERE tenant_id = 'acme' AND id = '{source}'"
        );
        world.database.query(&sql).remove(0)
    };
    assert_eq!(wait(library.begin(&bot_key, target(&source), NOW)), Some(1));
    assert_eq!(wait(library.begin(&bot_key, target(&source), NOW)), Some(2));
    assert_eq!(
        columns(),
        json!({ "status": "indexing", "reason": "", "attempts": 2, "next_at": NOW, "version": 2 })
    );
    let again = AttemptResult::Again(failure(FailureCode::Timeout, "slow"), NOW + 5);
    wait(library.end(&bot_key, target(&source), &again, NOW));
    assert_eq!(
        columns(),
        json!({ "status": "queued", "reason": "timeout", "attempts": 2, "next_at": NOW + 5, "version": 3 })
    );
    let failed = AttemptResult::Failed(failure(FailureCode::NotFound, "gone"), None);
    wait(library.end(&bot_key, target(&source), &failed, NOW));
    assert_eq!(
        columns(),
        json!({ "status": "failed", "reason": "not_found", "attempts": 0, "next_at": null, "version": 4 })
    );
    wait(library.begin(&bot_key, target(&source), NOW));
    let validators = Validators {
        etag: "\"e\"".into(),
        last_modified: String::new(),
    };
    let unchanged = AttemptResult::Unchanged {
        next_at: Some(NOW + 9),
        validators,
    };
    wait(library.end(&bot_key, target(&source), &unchanged, NOW));
    assert_eq!(
        columns(),
        json!({ "status": "ready", "reason": "", "attempts": 0, "next_at": NOW + 9, "version": 6 })
    );
    assert_eq!(wait(library.job(&bot_key, &source)).unwrap().etag, "\"e\"");
}

#[test]
fn sources_are_due_at_their_time_and_sites_last() {
    let world = World::new();
    let library = Library(&world.database);
    let site = create_source(&world, "site", 50);
    let page = create_source(&world, "url", 51);
    world.database.script(&format!(
        "UPDATE source SET next_at = {NOW} - 5 WHERE tenant_id = 'acme' AND id = '{site}'"
    ));
    let due: Vec<_> = wait(library.due(&bot_key(ACME), NOW))
        .into_iter()
        .map(|due| (due.id, due.kind))
        .collect();
    assert_eq!(
        due,
        [
            (page.clone(), SourceKind::Url),
            (site.clone(), SourceKind::Site)
        ]
    );
    assert_eq!(wait(library.due_later(&bot_key(ACME), NOW)), None);
    assert_eq!(wait(library.due_later(&bot_key(ACME), NOW - 1)), Some(NOW));
    assert!(wait(library.due(&bot_key(EMPTY), NOW)).is_empty());
    assert_eq!(wait(library.due_later(&bot_key(EMPTY), 0)), None);
}

#[test]
fn parts_of_a_collection_come_and_go() {
    let world = World::new();
    let library = Library(&world.database);
    let site = create_source(&world, "site", 50);
    let (bot_key, whole) = (bot_key(ACME), target(&site));
    for _ in 0..2 {
        for part in ["a", "b", "c"] {
            let work =
                wait(library.part(&bot_key, whole, part, "https://example.com/p", NOW)).unwrap();
            assert_eq!((work.kind, work.revision), (SourceKind::Url, 1));
        }
    }
    assert!(index(&world.database, ACME, target("a"), "A trombone."));
    assert_eq!(found(&world, ACME, "trombone").len(), 1);
    let stay = ["b".to_owned()];
    assert_eq!(
        wait(library.other_parts(&bot_key, &site, &stay)),
        ["a", "c"]
    );
    assert!(wait(library.other_parts(&super::world::bot_key(EMPTY), &site, &[])).is_empty());
    let collected = AttemptResult::Collected {
        next_at: None,
        title: Some("Example".into()),
        validators: Validators::default(),
        note: Some(failure(FailureCode::Corrupt, "Its sitemap is cut off.")),
    };
    wait(library.end(&bot_key, whole, &collected, NOW));
    wait(library.show_progress(&bot_key, whole, (2, 3)));
    let row = world.database.query(&format!("SELECT title, status, reason, detail, done, total, indexed_at FROM source WHERE tenant_id = 'acme' AND id = '{site}'"));
    assert_eq!(
        row,
        [
            json!({ "title": "Example", "status": "ready", "reason": "corrupt", "detail": "Its sitemap is cut off.",
            "done": 2, "total": 3, "indexed_at": NOW })
        ]
    );
    // Only what was read is known.
    let known: Vec<_> = wait(library.parts(&bot_key, &site))
        .into_iter()
        .map(|part| part.id)
        .collect();
    assert_eq!(known, ["a"]);
    assert!(wait(library.parts(&super::world::bot_key(EMPTY), &site)).is_empty());
    // A source that is not a part is not deleted, even with its id in the list.
    let gone = ["a".to_owned(), "c".to_owned(), world.source(ACME)];
    wait(library.remove_parts(&bot_key, whole, &gone));
    assert!(found(&world, ACME, "trombone").is_empty());
    assert_eq!(found(&world, ACME, "xylophone").len(), 1);
    assert_eq!(wait(library.other_parts(&bot_key, &site, &[])), ["b"]);
    let text = "SELECT count(*) FROM source_text WHERE tenant_id = 'acme' AND source_id = 'a'";
    assert_eq!(world.number(text), 0);
}

#[test]
fn a_file_is_replaced_in_the_version_that_was_read() {
    let world = World::new();
    let library = Library(&world.database);
    let upload = |checksum: &str| json!({ "file": { "name": "cv.pdf", "content_type": "", "checksum": checksum, "bytes": 1 } });
    let body = json!({ "bot_id": BOT, "upload": upload("one") });
    let file = create(&world.database, &sources::CREATION, ACME, &body, 50);
    let given: SourceFields = serde_json::from_value(upload("two")).unwrap();
    let replace =
        |version| wait(library.replace_file(&bot_key(ACME), (&file, version), &given, NOW));
    assert!(!replace(2));
    assert!(replace(1));
    let work = wait(library.job(&bot_key(ACME), &file)).unwrap();
    assert_eq!(work.revision, 2);
    assert_eq!(work.given().unwrap().file.unwrap().checksum, "two");
    let held = wait(library.files_of(&bot_key(ACME), &[file.clone(), "gone".into()]));
    assert_eq!(held.len(), 1);
    assert_eq!(
        (&*held[0].id, held[0].checksum.as_deref()),
        (&*file, Some("two"))
    );
    assert!(wait(library.files_of(&bot_key(EMPTY), &[file])).is_empty());
    // A source of kind text has no file.
    assert!(!wait(library.replace_file(
        &bot_key(ACME),
        (&world.source(ACME), 2),
        &given,
        NOW
    )));
}

#[test]
fn a_refreshed_source_is_read_again() {
    let world = World::new();
    let library = Library(&world.database);
    let (page, text) = (create_source(&world, "url", 50), world.source(ACME));
    world
        .database
        .script("UPDATE source SET checksum = 'old' WHERE tenant_id = 'acme'");
    for (source, checksum) in [(page, "old"), (text, "")] {
        assert!(wait(library.refresh_source(
            &bot_key(ACME),
            &source,
            NOW + 7
        )));
        let work = wait(library.job(&bot_key(ACME), &source)).unwrap();
        assert_eq!((work.revision, &*work.checksum), (2, checksum));
    }
    assert_eq!(wait(library.due(&bot_key(ACME), NOW + 7)).len(), 2);
    assert!(!wait(library.refresh_source(&bot_key(ACME), "gone", NOW)));
}

#[test]
fn bots_and_their_sites_are_the_tenants() {
    let world = World::new();
    let library = Library(&world.database);
    assert!(wait(library.bot_exists(&bot_key(ACME))));
    let other = BotKey {
        bot_id: "other".into(),
        ..bot_key(ACME)
    };
    assert!(!wait(library.bot_exists(&other)));
    assert!(!wait(library.bot_exists(&bot_key("nobody"))));
    assert_eq!(wait(library.bot_ids(ACME)), [BOT]);
    assert!(wait(library.bot_ids("nobody")).is_empty());
    assert_eq!(wait(library.sites_of(&bot_key(ACME))), [world.site.clone()]);
    assert!(wait(library.sites_of(&bot_key(EMPTY))).is_empty());
}
