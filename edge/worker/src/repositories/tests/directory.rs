use super::world::*;
use crate::repositories::Directory;

#[test]
fn a_site_is_found_by_its_key_with_bot_and_tenant() {
    let world = World::new();
    let directory = Directory(&world.database);
    let site = wait(directory.site(&world.site)).unwrap();
    assert_eq!(
        (&*site.key, &*site.tenant_id, &*site.bot_id),
        (&*world.site, ACME, BOT)
    );
    assert_eq!(site.origins, ["https://example.com"]);
    assert_eq!(site.bot.name, "Guide");
    assert_eq!(
        (site.bot_since, site.bot_version, site.knowledge),
        (NOW, 1, 2)
    );
    assert_eq!(site.identity_secrets, [id(SECRET).to_string()]);
    assert!(site.active);
    assert!(wait(directory.site("unknown")).is_none());
    // One round trip, whatever the number of its parts.
    world.database.round_trips();
    wait(directory.site(&world.site));
    assert_eq!(world.database.round_trips(), 1);
}

#[test]
fn what_is_paused_serves_nobody() {
    for table in ["site", "bot", "tenant"] {
        let world = World::new();
        let column = if table == "tenant" { "id" } else { "tenant_id" };
        world.database.script(&format!(
            "UPDATE {table} SET status = 'paused' WHERE {column} = 'acme'"
        ));
        let directory = Directory(&world.database);
        assert!(
            !wait(directory.site(&world.site)).unwrap().active,
            "{table}"
        );
        let bot = wait(directory.bot(ACME, BOT)).unwrap();
        assert_eq!(bot.active, table == "site");
        assert_eq!(
            wait(directory.active_bots(ACME)).is_empty(),
            table != "site"
        );
    }
}

#[test]
fn a_bot_is_found_by_tenant_and_id() {
    let world = World::new();
    let directory = Directory(&world.database);
    let bot = wait(directory.bot(ACME, BOT)).unwrap();
    assert_eq!(
        (&*bot.key, &*bot.tenant_id, bot.origins.len()),
        ("", ACME, 0)
    );
    assert!(wait(directory.bot("nobody", BOT)).is_none());
    assert!(wait(directory.bot(ACME, "other")).is_none());
    assert_eq!(wait(directory.active_bots(ACME)), [(BOT.to_owned(), NOW)]);
    assert!(wait(directory.active_bots("nobody")).is_empty());
}

#[test]
fn a_column_that_cannot_be_read_is_named() {
    let world = World::new();
    for (set, what) in [
        ("site SET origins = '{'", "origins of acme/guide"),
        ("site SET environment = 'moon'", "environment of acme/guide"),
        ("bot SET settings = '7'", "settings of acme/guide"),
    ] {
        world
            .database
            .script(&format!("UPDATE {set} WHERE tenant_id = 'acme'"));
        let why = error(Directory(&world.database).site(&world.site));
        assert!(why.starts_with(what), "{why}");
        world.database.script(
            "UPDATE site SET origins = '[]', environment = 'production' WHERE tenant_id = 'acme'",
        );
    }
}

#[test]
fn a_database_that_was_not_migrated_does_not_answer() {
    let world = World::new();
    wait(Directory(&world.database).answers());
    let empty = crate::d1::sqlite::Sqlite::empty();
    assert!(error(Directory(&empty).answers()).contains("no such table"));
}
