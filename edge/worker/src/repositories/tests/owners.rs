use bulle_api::admin::Scope;
use bulle_edge_core::{
    admin::{Principal, key, key::USE_GRAIN_MS, rules},
    outbound::AddressPolicy,
};
use serde_json::{Value, json};

use super::world::*;
use crate::{
    d1::Database,
    repositories::owners::{
        ChangeContext, Changes, Creation, Filter, Owned, ResourceKind, bots, forms,
        identity_secrets, keys, notices, sites, sources, tenants,
    },
};

fn filter(limit: u32, after: &str) -> Filter {
    Filter {
        limit,
        after: after.to_owned(),
        status: None,
        bot: None,
        bots: None,
        kind: None,
        parent: None,
    }
}

/// The ids of a page, and its cursor.
fn page<D: Database>(
    owned: &Owned<D>,
    kind: &ResourceKind,
    tenant_id: &str,
    filter: &Filter,
) -> (Vec<String>, Option<String>) {
    let page = serde_json::to_value(wait(owned.page(kind, tenant_id, filter))).unwrap();
    let id = |item: &Value| {
        let id = item.get("id").or_else(|| item.get("key")).unwrap();
        id.as_str().unwrap().to_owned()
    };
    let ids = page["items"].as_array().unwrap().iter().map(id).collect();
    (ids, page["next"].as_str().map(str::to_owned))
}

fn at(now_ms: u64) -> ChangeContext {
    ChangeContext {
        caller: Principal::Operator,
        now_ms,
        policy: AddressPolicy::default(),
    }
}

/// Applies a merge patch to a version: the changed item, the keys of its sites.
fn change<D: Database>(
    owned: &Owned<D>,
    changes: &Changes,
    (tenant_id, id, version): (&str, &str, u64),
    patch: Value,
) -> Option<(Value, u64, Vec<String>)> {
    let row = wait(owned.get(changes.kind, tenant_id, id)).unwrap();
    let change = (changes.apply)(&row.item, patch, &at(NOW + 1)).map_err(|problem| problem.detail);
    let change = change.unwrap().unwrap();
    let changed = owned.change(changes, (tenant_id, id, version), &change, NOW + 1);
    wait(changed).map(|(row, keys)| {
        let shown = (changes.kind.show)(&row.item).unwrap();
        (serde_json::from_str(&shown).unwrap(), row.version(), keys)
    })
}

/// The problem of a refused creation. Nothing of the creation is stored, not even the answer to its `Idempotency-Key`.
fn refusal<D: Database>(
    owned: &Owned<D>,
    creation: &Creation,
    tenant_id: &str,
    body: &Value,
    number: u128,
) -> String {
    let made = made(creation, tenant_id, body, number);
    let remembered = remembered("refused", &made);
    error(owned.create(creation, tenant_id, &made, Some(&remembered), NOW));
    assert!(wait(owned.remembered(tenant_id, "refused", NOW)).is_none());
    let obstacle = wait(owned.obstacle(creation, tenant_id, &made)).unwrap();
    (creation.refusal)(&obstacle, &made).detail
}

#[test]
fn every_kind_is_shown_to_its_tenant_alone() {
    let world = World::new();
    let owned = Owned(&world.database);
    let source = format!("{BOT}/{}", world.source(ACME));
    let kinds: [(&ResourceKind, &str, String); 7] = [
        (&bots::KIND, BOT, BOT.into()),
        (&sites::KIND, &world.site, world.site.clone()),
        (&keys::KIND, "", id(KEY).to_string()),
        (&identity_secrets::KIND, "", id(SECRET).to_string()),
        (&notices::KIND, "", id(NOTICE).to_string()),
        (&forms::KIND, "", id(FORM).to_string()),
        (&sources::KIND, "", source),
    ];
    for (kind, _, id) in kinds {
        let row = wait(owned.get(kind, ACME, &id)).unwrap();
        let shown: Value = serde_json::from_str(&(kind.show)(&row.item).unwrap()).unwrap();
        assert!(shown.is_object(), "{shown}");
        assert!(wait(owned.get(kind, "nobody", &id)).is_none(), "{id}");
        if id != BOT {
            assert!(wait(owned.get(kind, EMPTY, &id)).is_none(), "{id}");
        }
        if kind.page.is_empty() {
            continue;
        }
        assert_eq!(page(&owned, kind, ACME, &filter(9, "")), (vec![id], None));
        let others = page(&owned, kind, EMPTY, &filter(9, "")).0;
        assert!(others.is_empty() || others == [BOT], "{others:?}");
    }
    assert!(wait(owned.tenant_exists(ACME)));
    assert!(!wait(owned.tenant_exists("nobody")));
}

#[test]
fn lists_are_paged_in_the_order_of_ids() {
    let world = World::new();
    let owned = Owned(&world.database);
    for bot in ["a", "b", "z"] {
        let body = json!({ "id": bot, "settings": { "name": bot } });
        create(&world.database, &bots::CREATION, ACME, &body, 0);
    }
    assert_eq!(
        page(&owned, &bots::KIND, ACME, &filter(3, "")),
        (["a", "b", BOT].map(Into::into).to_vec(), Some(BOT.into()))
    );
    assert_eq!(
        page(&owned, &bots::KIND, ACME, &filter(3, BOT)),
        (vec!["z".into()], None)
    );
    assert_eq!(page(&owned, &bots::KIND, ACME, &filter(4, "")).1, None);
    world
        .database
        .script("UPDATE bot SET status = 'paused' WHERE tenant_id = 'acme' AND id = 'b'");
    let paused = Filter {
        status: Some("paused"),
        ..filter(9, "")
    };
    assert_eq!(page(&owned, &bots::KIND, ACME, &paused).0, ["b"]);
    let own = Filter {
        bots: Some(vec!["b".into(), "elsewhere".into()]),
        ..filter(9, "")
    };
    assert_eq!(page(&owned, &bots::KIND, ACME, &own).0, ["b"]);
    // Tenants are listed for the operator.
    assert_eq!(
        page(&owned, &tenants::KIND, "", &filter(2, "")),
        (vec![ACME.into(), GLOBEX.into()], Some(GLOBEX.into()))
    );
    // Notices and forms are listed newest first.
    wait(crate::repositories::Notices(&world.database).insert(ACME, &notice(90, "other")));
    let newest = id(90).to_string();
    assert_eq!(
        page(&owned, &notices::KIND, ACME, &filter(1, "")),
        (vec![newest.clone()], Some(newest.clone()))
    );
    assert_eq!(
        page(&owned, &notices::KIND, ACME, &filter(1, &newest)),
        (vec![id(NOTICE).to_string()], None)
    );
    let of_bot = |bot: &str| Filter {
        bot: Some(bot.into()),
        ..filter(9, "")
    };
    assert_eq!(page(&owned, &forms::KIND, ACME, &of_bot(BOT)).0.len(), 1);
    assert_eq!(page(&owned, &forms::KIND, ACME, &of_bot("a")).0.len(), 0);
    assert_eq!(page(&owned, &sites::KIND, ACME, &of_bot("a")).0.len(), 0);
}

#[test]
fn sources_are_listed_by_status_kind_and_parent() {
    let world = World::new();
    let owned = Owned(&world.database);
    let body = json!({ "bot_id": BOT, "new": { "kind": "site", "url": "https://example.com/" } });
    let site = create(&world.database, &sources::CREATION, ACME, &body, 50);
    let part = crate::repositories::Library(&world.database);
    wait(part.part(
        &bot_key(ACME),
        target(&site),
        "page",
        "https://example.com/a",
        NOW,
    ))
    .unwrap();
    let of = |kind: Option<&str>, parent: Option<&str>, status| {
        let filter = Filter {
            bot: Some(BOT.into()),
            kind: kind.map(Into::into),
            parent: parent.map(Into::into),
            status,
            ..filter(9, "")
        };
        page(&owned, &sources::LIST, ACME, &filter).0
    };
    assert_eq!(of(None, None, None), [world.source(ACME), site.clone()]);
    assert_eq!(of(Some("site"), None, None), [site.clone()]);
    assert_eq!(of(None, None, Some("ready")), [world.source(ACME)]);
    assert_eq!(of(None, Some(&site), None), ["page"]);
    let row = wait(owned.get(&sources::KIND, ACME, &format!("{BOT}/{site}"))).unwrap();
    let shown: Value = serde_json::from_str(&(sources::KIND.show)(&row.item).unwrap()).unwrap();
    assert_eq!(shown["address"], "https://example.com/");
    assert_eq!(shown["progress"], json!({ "done": 0, "total": 0 }));
    assert_eq!(shown.get("next_at"), None, "not before it was read once");
}

#[test]
fn a_change_needs_the_version_that_was_read() {
    let world = World::new();
    let owned = Owned(&world.database);
    let source = format!("{BOT}/{}", world.source(ACME));
    let cases: [(&Changes, &str, Value); 4] = [
        (&tenants::CHANGES, ACME, json!({ "name": "New" })),
        (
            &bots::CHANGES,
            BOT,
            json!({ "settings": { "name": "New" } }),
        ),
        (&sites::CHANGES, &world.site, json!({ "name": "New" })),
        (&sources::CHANGES, &source, json!({ "title": "New" })),
    ];
    for (changes, thing, patch) in cases {
        let version = wait(owned.get(changes.kind, ACME, thing))
            .unwrap()
            .version();
        let wrong = (ACME, thing, version + 1);
        assert!(
            change(&owned, changes, wrong, patch.clone()).is_none(),
            "{thing}"
        );
        let right = (ACME, thing, version);
        let (item, grown, sites) = change(&owned, changes, right, patch.clone()).unwrap();
        assert_eq!(grown, version + 1);
        assert_eq!(sites, [world.site.clone()], "whose visitors notice");
        assert!(item.to_string().contains("New") || thing == source);
        assert_eq!(item["updated_at"], NOW + 1);
        // The same patch changes nothing, and the old version is refused.
        let row = wait(owned.get(changes.kind, ACME, thing)).unwrap();
        assert!(
            (changes.apply)(&row.item, patch.clone(), &at(NOW))
                .is_ok_and(|change| change.is_none())
        );
        assert_eq!(wait(owned.delete(changes, right)), None);
    }
}

#[test]
fn every_version_of_a_bots_settings_is_kept() {
    let world = World::new();
    let owned = Owned(&world.database);
    for version in 1..4 {
        let patch = json!({ "settings": { "name": format!("Name {version}") } });
        change(&owned, &bots::CHANGES, (ACME, BOT, version), patch).unwrap();
    }
    let versions = "SELECT version, settings ->> 'name' AS name FROM bot_version WHERE tenant_id = 'acme' ORDER BY version";
    let versions: Vec<_> = world
        .database
        .query(versions)
        .into_iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(versions, ["Guide", "Name 1", "Name 2", "Name 3"]);
}

#[test]
fn a_site_shows_a_bot_of_its_tenant() {
    let world = World::new();
    let owned = Owned(&world.database);
    let body = json!({ "bot_id": "other", "name": "", "origins": ["https://example.com"] });
    let why = refusal(&owned, &sites::CREATION, ACME, &body, 7);
    assert!(why.contains("\"other\""), "{why}");
    let row = wait(owned.get(&sites::KIND, ACME, &world.site)).unwrap();
    let patch = (sites::CHANGES.apply)(&row.item, json!({ "bot_id": "other" }), &at(NOW));
    let patch = patch.map_err(|problem| problem.detail).unwrap().unwrap();
    let changed = owned.change(&sites::CHANGES, (ACME, &world.site, 1), &patch, NOW);
    assert!(wait(changed).is_none());
    assert!(patch.refusal.unwrap().detail.contains("other"));
    let body = json!({ "bot_id": "other", "new": { "kind": "text", "text": "…" } });
    let why = refusal(&owned, &sources::CREATION, ACME, &body, 7);
    assert!(why.contains("There is nothing"), "{why}");
}

#[test]
fn what_is_taken_or_too_much_is_not_created() {
    let world = World::new();
    let owned = Owned(&world.database);
    let bot = json!({ "id": BOT, "settings": { "name": "Guide" } });
    let why = refusal(&owned, &bots::CREATION, ACME, &bot, 0);
    assert!(why.contains("guide"), "{why}");
    let tenant = json!({ "id": ACME, "name": "Tenant" });
    let why = refusal(&owned, &tenants::CREATION, "", &tenant, 0);
    assert!(why.contains("acme"), "{why}");

    // There is one resource of each kind.
    for number in 1..u128::from(rules::MAX_IDENTITY_SECRETS) {
        create(
            &world.database,
            &identity_secrets::CREATION,
            ACME,
            &json!({}),
            100 + number,
        );
    }
    let why = refusal(&owned, &identity_secrets::CREATION, ACME, &json!({}), 99);
    assert!(why.contains("2 identity secrets"), "{why}");
    for number in 1..rules::MAX_BOTS {
        let body = json!({ "id": format!("bot-{number}"), "settings": { "name": "B" } });
        create(&world.database, &bots::CREATION, ACME, &body, 0);
    }
    let another = json!({ "id": "another", "settings": { "name": "B" } });
    let why = refusal(&owned, &bots::CREATION, ACME, &another, 0);
    assert!(why.contains("100 bots"), "{why}");
    let site = json!({ "bot_id": BOT, "name": "", "origins": ["https://example.com"] });
    for number in 1..u128::from(rules::MAX_SITES) {
        create(&world.database, &sites::CREATION, ACME, &site, number << 60);
    }
    let why = refusal(&owned, &sites::CREATION, ACME, &site, 999 << 60);
    assert!(why.contains("500 sites"), "{why}");
    let source = json!({ "bot_id": BOT, "new": { "kind": "text", "text": "…" } });
    for number in 1..1_000 {
        create(
            &world.database,
            &sources::CREATION,
            ACME,
            &source,
            5_000 + number,
        );
    }
    let why = refusal(&owned, &sources::CREATION, ACME, &source, 1);
    assert!(why.contains("1000 sources"), "{why}");
    // Resources of another tenant are not counted.
    create(&world.database, &bots::CREATION, EMPTY, &another, 0);
}

#[test]
fn revoked_and_expired_keys_are_not_counted() {
    let world = World::new();
    let owned = Owned(&world.database);
    let body = json!({ "name": "CI", "scopes": ["bots:read"] });
    for number in 1..u128::from(rules::MAX_KEYS) {
        create(&world.database, &keys::CREATION, ACME, &body, 100 + number);
    }
    let why = refusal(&owned, &keys::CREATION, ACME, &body, 99);
    assert!(why.contains("50 API keys"), "{why}");
    assert!(wait(owned.revoke_key(ACME, &id(KEY).to_string(), NOW)));
    create(&world.database, &keys::CREATION, ACME, &body, 99);
    world.database.script(
        "UPDATE api_key SET expires_at = 1 WHERE tenant_id = 'acme' AND revoked_at IS NULL",
    );
    create(&world.database, &keys::CREATION, ACME, &body, 98);
}

#[test]
fn a_key_opens_its_tenant_until_it_is_revoked() {
    let world = World::new();
    let owned = Owned(&world.database);
    let key = |tenant: &str, random| key::ApiKey::new(tenant, id(KEY), random);
    let holder = |key: &key::ApiKey, now: u64| wait(owned.holder(key, now));
    let good = key(ACME, [1, 2]);
    let caller = Principal::Key {
        tenant_id: ACME.into(),
        id: id(KEY),
        scopes: vec![Scope::BotsRead],
        person_id: None,
        bots: None,
    };
    assert_eq!(holder(&good, NOW), Some(caller));
    assert_eq!(holder(&key(ACME, [1, 3]), NOW), None, "another secret");
    assert_eq!(holder(&key(EMPTY, [1, 2]), NOW), None, "another tenant");
    // The time of the use is stored, but not at every request.
    let used = || world.number("SELECT last_used_at FROM api_key WHERE tenant_id = 'acme'") as u64;
    assert_eq!(used(), NOW);
    holder(&good, NOW + USE_GRAIN_MS - 1);
    assert_eq!(used(), NOW);
    holder(&good, NOW + USE_GRAIN_MS);
    assert_eq!(used(), NOW + USE_GRAIN_MS);
    // A failure to store it does not matter.
    world.database.script("CREATE TEMP TRIGGER stuck BEFORE UPDATE ON api_key BEGIN SELECT raise(ABORT, 'stuck'); END");
    assert!(holder(&good, NOW + 2 * USE_GRAIN_MS).is_some());
    world.database.script("DROP TRIGGER stuck");

    assert!(!wait(owned.revoke_key(EMPTY, &id(KEY).to_string(), NOW)));
    for now in [NOW, NOW + 9] {
        assert!(wait(owned.revoke_key(ACME, &id(KEY).to_string(), now)));
    }
    assert_eq!(
        world.number("SELECT revoked_at FROM api_key WHERE tenant_id = 'acme'") as u64,
        NOW
    );
    assert_eq!(holder(&good, NOW), None);
    let shown = wait(owned.get(&keys::KIND, ACME, &id(KEY).to_string())).unwrap();
    assert!(!shown.item.contains("hash") && shown.item.contains(&good.prefix()));
}

#[test]
fn an_identity_secret_is_deleted_once() {
    let world = World::new();
    let owned = Owned(&world.database);
    let secret = id(SECRET).to_string();
    assert_eq!(wait(owned.all_site_keys(ACME)), [world.site.clone()]);
    assert!(!wait(owned.delete_identity_secret(EMPTY, &secret)));
    assert!(wait(owned.delete_identity_secret(ACME, &secret)));
    assert!(!wait(owned.delete_identity_secret(ACME, &secret)));
    // A new resource changes the cached settings of the tenant's sites.
    let made = made(&identity_secrets::CREATION, ACME, &json!({}), 9);
    let created = owned.create(&identity_secrets::CREATION, ACME, &made, None, NOW);
    assert_eq!(wait(created), [world.site.clone()]);
}

#[test]
fn a_repeated_creation_happens_once_and_is_remembered_for_a_day() {
    let world = World::new();
    let owned = Owned(&world.database);
    let day = 24 * 3_600_000;
    let known = |tenant: &str, now: u64| wait(owned.remembered(tenant, "create", now));
    let remembered = known(ACME, NOW + day - 1).unwrap();
    assert!(remembered.response.contains(BOT));
    assert!(known(ACME, NOW + day).is_none());
    assert!(known(EMPTY, NOW).is_none());
    // The idempotency key is taken: the whole transaction is undone.
    let body = json!({ "id": "second", "settings": { "name": "B" } });
    let second = made(&bots::CREATION, ACME, &body, 0);
    let again = super::world::remembered("create", &second);
    error(owned.create(&bots::CREATION, ACME, &second, Some(&again), NOW + day - 1));
    assert!(wait(owned.get(&bots::KIND, ACME, "second")).is_none());
    assert_eq!(known(ACME, NOW), Some(remembered));
    // A day later the idempotency key is free, and the old answer is deleted.
    world.database.round_trips();
    wait(owned.create(&bots::CREATION, ACME, &second, Some(&again), NOW + day));
    assert_eq!(world.database.round_trips(), 1);
    assert_eq!(
        world.number("SELECT count(*) FROM idempotency WHERE tenant_id = 'acme'"),
        1
    );
}

#[test]
fn a_deleted_source_keeps_what_an_answer_quoted_and_answers_no_more() {
    let world = World::new();
    let owned = Owned(&world.database);
    let source = world.source(ACME);
    let text = || wait(owned.extracted(ACME, BOT, &source));
    assert_eq!(
        text(),
        "# Instruments\n\nA xylophone is an instrument of acme.\n"
    );
    assert_eq!(wait(owned.extracted(EMPTY, BOT, &source)), "");
    let whole = format!("{BOT}/{source}");
    let version = wait(owned.get(&sources::KIND, ACME, &whole))
        .unwrap()
        .version();
    assert!(wait(owned.delete(&sources::CHANGES, (ACME, &whole, version + 1))).is_none());
    let before = chunks(&world.database, ACME);
    assert!(wait(owned.delete(&sources::CHANGES, (ACME, &whole, version))).is_some());
    assert_eq!(text(), "");
    assert_eq!(chunks(&world.database, ACME), before, "an answer quotes it");
    let kept = world
        .database
        .query("SELECT generation, retired_title FROM chunk WHERE tenant_id = 'acme'");
    assert_eq!(
        kept,
        [json!({ "generation": -1, "retired_title": "Music" })]
    );
    assert_eq!(
        world.number("SELECT count(*) FROM source_text WHERE tenant_id = 'acme'"),
        0
    );
    let indexed = "SELECT count(*) FROM chunk_fts JOIN chunk ON chunk.id = chunk_fts.rowid WHERE tenant_id = 'acme'";
    assert_eq!(world.number(indexed), 0);
}

#[test]
fn a_seeded_source_shows_its_chunks() {
    let world = World::new();
    world.database.script(
        "UPDATE source SET created_at = 0 WHERE tenant_id = 'acme'; DELETE FROM source_text WHERE tenant_id = 'acme'",
    );
    let text = wait(Owned(&world.database).extracted(ACME, BOT, &world.source(ACME)));
    assert_eq!(
        text,
        "## Instruments\n\nA xylophone is an instrument of acme.\n"
    );
}
