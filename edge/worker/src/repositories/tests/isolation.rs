//! A tenant's statements never touch another tenant's rows, and a deletion leaves none of its own.

use super::world::*;
use crate::{
    d1::sqlite::Sqlite,
    repositories::{
        Owned,
        owners::{bots, tenants},
    },
};

#[test]
fn a_filled_tenant_has_a_row_in_every_table() {
    let database = Sqlite::new();
    fill(&database, "acme");
    let rows = database.rows_of_tenant("acme");
    assert!(rows.len() >= 19, "only {} tables were found", rows.len());
    for (table, rows) in rows {
        assert!(!rows.is_empty(), "{table} has none");
    }
}

/// Every table is emptied of a tenant's rows when the tenant is deleted, also a table that a later migration makes.
#[test]
fn a_deleted_tenant_leaves_no_row() {
    let database = Sqlite::new();
    fill(&database, "acme");
    fill(&database, "globex");
    let others = database.rows_of_tenant("globex");
    let owned = Owned(&database);
    let deleted = wait(owned.delete(&tenants::CHANGES, ("acme", "acme", 1)));
    assert_eq!(deleted.unwrap().len(), 1);
    for (table, rows) in database.rows_of_tenant("acme") {
        assert!(rows.is_empty(), "{table} has {rows:?}");
    }
    assert_eq!(database.number("SELECT count(*) FROM tenant"), 1);
    assert_eq!(
        database.number("SELECT count(*) FROM idempotency WHERE key = 'create acme'"),
        0
    );
    assert_eq!(
        database.number("SELECT count(*) FROM chunk_fts WHERE rowid NOT IN (SELECT id FROM chunk)"),
        0
    );
    assert_eq!(database.rows_of_tenant("globex"), others);
}

/// After a bot's deletion there are still the tenant's costs, identified visitors and notices.
#[test]
fn a_deleted_bot_leaves_only_what_is_the_tenants() {
    let database = Sqlite::new();
    let key = fill(&database, "acme");
    fill(&database, "globex");
    let others = database.rows_of_tenant("globex");
    let owned = Owned(&database);
    let deleted = wait(owned.delete(&bots::CHANGES, ("acme", BOT, 1)));
    assert_eq!(deleted.unwrap(), [key]);
    let left: Vec<String> = database
        .rows_of_tenant("acme")
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(table, _)| table)
        .collect();
    let tenants = [
        "api_key",
        "audit",
        "erased",
        "idempotency",
        "identity_secret",
        "invitation",
        "membership",
        "model_call",
        "notice",
        "visitor",
    ];
    assert_eq!(left, tenants);
    assert_eq!(database.rows_of_tenant("globex"), others);
}

#[test]
fn another_version_deletes_nothing() {
    let database = Sqlite::new();
    fill(&database, "acme");
    let before = database.rows_of_tenant("acme");
    let owned = Owned(&database);
    assert_eq!(
        wait(owned.delete(&tenants::CHANGES, ("acme", "acme", 2))),
        None
    );
    assert_eq!(wait(owned.delete(&bots::CHANGES, ("acme", BOT, 2))), None);
    assert_eq!(database.rows_of_tenant("acme"), before);
    // A deletion that fails halfway deletes nothing.
    for statements in [5, 10, 15] {
        database.fail_after(statements);
        error(owned.delete(&tenants::CHANGES, ("acme", "acme", 1)));
        assert_eq!(database.rows_of_tenant("acme"), before);
    }
}
