//! The database of an earlier release, migrated to the present one.
//!
//! `cargo xtask fixture` writes one file a release: a used database with all migrations of that release, as SQL. A migration
//! that comes later must leave the data readable by the present statements.

use std::{fmt::Write, fs, path::PathBuf};

use bulle_edge_core::{admin::usage::UsageQuery, retrieval::query::Terms};
use serde_json::Value;

use super::world::*;
use crate::{
    d1::sqlite::{Sqlite, migrations},
    repositories::{
        Conversations, Directory, Gaps, Golden, Library, Owned, Profiles, Prompts, Search, Usage,
        owners::{keys, tenants},
    },
};

/// The mark of a migration that is in the file.
const MIGRATION: &str = "-- migration: ";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Writes the file of this release: `cargo xtask fixture`.
#[test]
#[ignore = "it writes a file, once a release"]
fn write_the_fixture() {
    let world = World::new();
    let database = &world.database;
    // A source as `cargo xtask seed` stores it: not created over HTTP, and without its text.
    let source = serde_json::json!({ "bot_id": BOT, "new": { "kind": "text", "text": "…" } });
    let creation = &crate::repositories::owners::sources::CREATION;
    let source = create(database, creation, EMPTY, &source, SOURCE);
    index(
        database,
        EMPTY,
        target(&source),
        "A seeded text about a bassoon.",
    );
    database.script(
        "UPDATE source SET kind = 'file', created_at = 0 WHERE tenant_id = 'initech'; \
         DELETE FROM source_text WHERE tenant_id = 'initech'",
    );
    let file = folder().join(concat!(env!("CARGO_PKG_VERSION"), ".sql"));
    fs::create_dir_all(folder()).unwrap();
    fs::write(file, dump(database)).unwrap();
}

/// The whole database as SQL: schema, rows, and the internal tables of the full-text index.
fn dump(database: &Sqlite) -> String {
    let mut sql = String::from(
        "-- A used database of this release, for tests. `cargo xtask fixture` writes it.\n",
    );
    for (name, _) in migrations() {
        writeln!(sql, "{MIGRATION}{name}").unwrap();
    }
    sql.push_str("BEGIN;\nPRAGMA defer_foreign_keys = ON;\n");
    let text = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
    let schema = |kinds: &str| {
        let rows = database.query(&format!(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND {kinds} ORDER BY rowid"
        ));
        rows.iter()
            .map(|row| format!("{};\n", text(row, "sql")))
            .collect::<String>()
    };
    let shadows = "SELECT name FROM pragma_table_list WHERE type = 'shadow' ORDER BY name";
    let shadows: Vec<String> = database
        .query(shadows)
        .iter()
        .map(|row| text(row, "name"))
        .collect();
    let listed = shadows
        .iter()
        .map(|name| format!("'{name}'"))
        .collect::<Vec<_>>()
        .join(", ");
    sql.push_str(&schema(&format!(
        "type = 'table' AND name NOT IN ({listed})"
    )));
    let virtuals = "SELECT name FROM pragma_table_list WHERE type = 'virtual'";
    let virtuals: Vec<String> = database
        .query(virtuals)
        .iter()
        .map(|row| text(row, "name"))
        .collect();
    let tables = database
        .tables()
        .into_iter()
        .filter(|table| !virtuals.contains(table));
    for table in tables.chain(shadows.clone()) {
        if shadows.contains(&table) {
            writeln!(sql, "DELETE FROM {table};").unwrap();
        }
        let columns: Vec<String> = database
            .query(&format!(
                "SELECT name FROM pragma_table_info('{table}') ORDER BY cid"
            ))
            .iter()
            .map(|row| text(row, "name"))
            .collect();
        let values = columns
            .iter()
            .map(|column| format!("quote(\"{column}\")"))
            .collect::<Vec<_>>();
        let select = format!(
            "SELECT {} AS row FROM {table} ORDER BY 1",
            values.join(" || ', ' || ")
        );
        for row in database.query(&select) {
            writeln!(sql, "INSERT INTO {table} VALUES ({});", text(&row, "row")).unwrap();
        }
    }
    sql.push_str(&schema("type IN ('index', 'trigger')"));
    sql.push_str("COMMIT;\n");
    sql
}

/// The name and the statement of every table, index and trigger of the schema.
fn schema(database: &Sqlite) -> Vec<Value> {
    database.query("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
}

#[test]
fn the_database_of_an_earlier_release_is_migrated_and_read() {
    let fixtures: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        let sql = fs::read_to_string(&fixture).unwrap();
        let database = Sqlite::empty();
        database.script(&sql);
        let applied: Vec<&str> = sql
            .lines()
            .filter_map(|line| line.strip_prefix(MIGRATION))
            .collect();
        for (name, migration) in migrations() {
            if !applied.contains(&name.as_str()) {
                database.script(&migration);
            }
        }
        assert!(applied.len() >= 8, "{}", fixture.display());
        // A database of this release with the data of the earlier one.
        assert_eq!(
            schema(&database),
            schema(&Sqlite::new()),
            "{}",
            fixture.display()
        );
        assert_eq!(
            database.query("PRAGMA foreign_key_check"),
            Vec::<Value>::new()
        );
        assert_eq!(
            database.query("PRAGMA integrity_check")[0]["integrity_check"],
            "ok"
        );
        for tenant in [ACME, GLOBEX] {
            read(&database, tenant);
        }
        let seeded = Terms::of("bassoon", "en").query(EMPTY, BOT);
        assert_eq!(
            wait(Search(&database).search(EMPTY, BOT, &seeded, 9))
                .hits
                .len(),
            1
        );
        write(&database);
    }
}

/// Reads the data as a visitor and an owner do.
fn read(database: &Sqlite, tenant: &str) {
    let owned = Owned(database);
    let site = wait(owned.all_site_keys(tenant)).remove(0);
    let site = wait(Directory(database).site(&site)).unwrap();
    assert_eq!((&*site.tenant_id, site.active), (tenant, true));
    let query = Terms::of(WORD, "en").query(tenant, BOT);
    let found = wait(Search(database).search(tenant, BOT, &query, 9));
    assert!(
        found.hits[0]
            .hit
            .text
            .contains(&format!("instrument of {tenant}"))
    );
    let conversations = Conversations(database);
    let history = wait(conversations.messages(&owner(tenant), id(CONVERSATION), None, 9)).unwrap();
    assert_eq!(history.items.len(), 2);
    assert!(wait(Profiles(database).has_filled(&owner(tenant))));
    let answered = wait(Prompts(database).answered(tenant, id(REPLY))).unwrap();
    let reference = answered.reference.clone().unwrap();
    let prompt = wait(Prompts(database).rebuild(tenant, &answered, &reference));
    assert!(prompt.turns.iter().any(|turn| turn.content.contains(WORD)));
    let query = UsageQuery::read(&[], NOW)
        .map_err(|problem| problem.detail)
        .unwrap();
    let (usage, _) = wait(Usage(database).page(tenant, &query));
    assert!(usage.contains(r#""calls":1"#), "{usage}");
    assert!(wait(Usage(database).answer(tenant, id(REPLY))).is_some());
    assert_eq!(wait(Gaps(database).unanswered(tenant, BOT, 0)).len(), 1);
    assert_eq!(wait(Golden(database).report(tenant, BOT)).0.items.len(), 1);
    assert!(wait(owned.get(&keys::KIND, tenant, &id(KEY).to_string())).is_some());
    assert!(wait(owned.remembered(tenant, "create", NOW)).is_some());
}

/// Writes as a tenant would do next, and deletes the tenant.
fn write(database: &Sqlite) {
    let owned = Owned(database);
    let source = database.query("SELECT id FROM source WHERE tenant_id = 'acme'");
    let source = source[0]["id"].as_str().unwrap();
    assert!(wait(Library(database).refresh_source(
        &bot_key(ACME),
        source,
        NOW
    )));
    let next = crate::repositories::library::Target {
        id: source,
        revision: 2,
    };
    assert!(index(database, ACME, next, "A trombone."));
    assert!(wait(
        Conversations(database).delete(&owner(ACME), id(CONVERSATION))
    ));
    assert!(wait(owned.delete(&tenants::CHANGES, (ACME, ACME, 1))).is_some());
    assert!(database.rows_of_tenant(ACME).values().all(Vec::is_empty));
}
