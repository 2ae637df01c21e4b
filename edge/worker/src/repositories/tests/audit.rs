//! The audit: newest first, for a year, and a page costs the same however much there is.

use bulle_api::{admin::audit::AuditEntry, people::Role};
use bulle_protocol::Id;

use super::world::*;
use crate::{
    d1::sqlite::Sqlite,
    repositories::{
        Audit, Owned, People,
        audit::{Entry, KEPT_MS},
        owners::{Filter, audit},
    },
};

/// Writes an entry.
pub fn write(database: &Sqlite, tenant_id: &str, number: u128, person_id: Option<Id>) {
    let entry = Entry {
        id: id(number),
        at: NOW,
        tenant_id,
        person_id,
        key_id: Some(id(KEY)),
        action: "bot_change",
        object: "bots/guide",
        detail: None,
    };
    wait(Audit(database).write(&entry));
}

fn page(
    database: &Sqlite,
    tenant_id: &str,
    after: &str,
    limit: u32,
) -> (Vec<AuditEntry>, Option<String>) {
    let filter = Filter {
        limit,
        after: after.to_owned(),
        status: None,
        bot: None,
        bots: None,
        kind: None,
        parent: None,
    };
    let list = wait(Owned(database).page(&audit::KIND, tenant_id, &filter));
    let list = serde_json::to_value(list).unwrap();
    let next = list["next"].as_str().map(str::to_owned);
    (serde_json::from_value(list["items"].clone()).unwrap(), next)
}

#[test]
fn who_did_what_is_listed_newest_first_for_its_tenant() {
    let world = World::new();
    let token = join(&world.database, EMPTY, "bo@example.com", Role::Agent, None);
    let bo = wait(People(&world.database).signed(&token, None, NOW)).unwrap();
    for number in 1..=5 {
        write(&world.database, EMPTY, 500 + number, Some(bo.person_id));
    }
    let (first, next) = page(&world.database, EMPTY, "", 3);
    let (rest, end) = page(&world.database, EMPTY, &next.unwrap(), 3);
    let ids: Vec<Id> = first.iter().chain(&rest).map(|entry| entry.id).collect();
    assert_eq!(ids, [505, 504, 503, 502, 501].map(id));
    assert_eq!(end, None);
    let entry = &first[0];
    assert_eq!(
        (entry.action.as_str(), entry.object.as_str(), entry.at),
        ("bot_change", "bots/guide", NOW)
    );
    assert_eq!(entry.email.as_deref(), Some("bo@example.com"));
    // That tenant has no such key, though another one has.
    assert_eq!(
        (entry.key_id.clone(), entry.key_name.as_deref()),
        (Some(id(KEY).to_string()), None)
    );
    let acme = page(&world.database, ACME, "", 9).0;
    assert_eq!(acme.len(), 1);
    assert!(acme[0].key_name.is_some());
    // Of a person who is gone, nothing stays but a random id.
    world
        .database
        .script("DELETE FROM person WHERE email = 'bo@example.com'");
    assert_eq!(page(&world.database, EMPTY, "", 1).0[0].email, None);
}

#[test]
fn what_is_a_year_old_goes() {
    let world = World::new();
    write(&world.database, EMPTY, 600, None);
    let count = || world.number("SELECT count(*) FROM audit WHERE tenant_id = 'initech'");
    wait(Audit(&world.database).forget_old(NOW + KEPT_MS));
    assert_eq!(count(), 1);
    let other = Sqlite::new();
    found(&other, EMPTY);
    write(&other, EMPTY, 600, None);
    wait(Audit(&other).forget_old(NOW + KEPT_MS + 1));
    assert_eq!(other.number("SELECT count(*) FROM audit"), 0);
}

#[test]
fn a_page_costs_the_same_however_much_there_is() {
    let cost = |entries: u32| {
        let database = Sqlite::new();
        found(&database, EMPTY);
        database.script(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {entries}) \
             INSERT INTO audit (tenant_id, id, at, action, object) SELECT 'initech', printf('01HF%022d', i), i, 'a', 'b' FROM n"
        ));
        let middle = format!("01HF{:022}", entries / 2);
        ["", &middle].map(|after| {
            let before = database.steps();
            assert_eq!(page(&database, EMPTY, after, 50).0.len(), 50);
            database.steps() - before
        })
    };
    let [small, large] = [cost(1_000), cost(100_000)];
    assert_eq!(
        small, large,
        "steps of SQLite at 1,000 and at 100,000 entries"
    );
}
