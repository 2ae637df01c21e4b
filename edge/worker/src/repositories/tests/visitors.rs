use bulle_edge_core::{
    attachments::UNSENT_MS,
    guard::token::RESUME_SECONDS,
    model::{Identity, Material, Owner},
};
use serde_json::{Value, json};

use super::world::*;
use crate::repositories::{Notices, Profiles, Visitors};

fn file(number: u128) -> Material {
    Material {
        id: id(number),
        name: format!("{number}.txt"),
        text: "text".into(),
    }
}

#[test]
fn a_visitor_keeps_the_id_of_their_subject() {
    let world = World::new();
    let visitors = Visitors(&world.database);
    let mut identity = Identity {
        subject: "user-42".into(),
        tier: "premium".into(),
        name: "Ada L.".into(),
        email: String::new(),
    };
    assert_eq!(
        wait(visitors.known(ACME, &identity, id(99), NOW + 5)),
        id(VISITOR)
    );
    let row = world.database.query(
        "SELECT tier, name, email, created_at, seen_at FROM visitor WHERE tenant_id = 'acme'",
    );
    assert_eq!(
        row[0],
        json!({ "tier": "premium", "name": "Ada L.", "email": "", "created_at": NOW, "seen_at": NOW + 5 })
    );
    // Another subject is another visitor, and so is the same subject of another tenant.
    identity.subject = "user-43".into();
    assert_eq!(wait(visitors.known(ACME, &identity, id(98), NOW)), id(98));
    identity.subject = "user-42".into();
    assert_eq!(wait(visitors.known(EMPTY, &identity, id(97), NOW)), id(97));
}

#[test]
fn a_form_is_kept_once_for_each_visitor_and_bot() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    let fields = [("name".to_owned(), "Grace".to_owned())].into();
    wait(profiles.keep_form(&owner(ACME), id(99), &fields, None, NOW + 1));
    let rows = world
        .database
        .query("SELECT id, fields, consent, updated_at FROM form_answer WHERE tenant_id = 'acme'");
    let kept = json!({ "id": id(FORM), "fields": r#"{"name":"Grace"}"#, "consent": null, "updated_at": NOW + 1 });
    assert_eq!(rows, [kept]);
    let gone = Owner {
        bot_id: "gone".into(),
        ..owner(ACME)
    };
    wait(profiles.keep_form(&gone, id(98), &fields, None, NOW));
    for stranger in [
        gone,
        owner(EMPTY),
        Owner {
            visitor_id: id(99),
            ..owner(ACME)
        },
    ] {
        assert!(!wait(profiles.has_filled(&stranger)));
    }
}

#[test]
fn unsent_files_of_the_visitor_are_given_to_a_message() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    let stranger = Owner {
        visitor_id: id(99),
        ..owner(ACME)
    };
    wait(profiles.keep_file(&owner(ACME), &file(20), 4, NOW));
    wait(profiles.keep_file(&owner(ACME), &file(21), 4, NOW - UNSENT_MS));
    wait(profiles.keep_file(&stranger, &file(22), 4, NOW));
    let all = [20, 21, 22, FILE].map(id);
    world.database.round_trips();
    let attach = |message: u128| {
        let given = wait(profiles.attach(&owner(ACME), id(CONVERSATION), id(message), &all, NOW));
        given.into_iter().map(|file| file.id).collect::<Vec<_>>()
    };
    // Files that are too old, of another visitor or sent already are left out; the message's own files come before
    // earlier ones.
    assert_eq!(attach(30), [id(20), id(FILE)]);
    assert_eq!(world.database.round_trips(), 1);
    assert_eq!(
        attach(30),
        [id(20), id(FILE)],
        "sent again by a repeated message"
    );
    assert_eq!(
        attach(31),
        [id(20), id(FILE)],
        "they stay with their messages"
    );
    assert!(wait(profiles.attach(&owner(EMPTY), id(CONVERSATION), id(30), &all, NOW)).is_empty());
    // No file is stored for a deleted bot.
    let gone = Owner {
        bot_id: "gone".into(),
        ..owner(ACME)
    };
    wait(profiles.keep_file(&gone, &file(23), 4, NOW));
    assert_eq!(
        world.number(&format!(
            "SELECT count(*) FROM attachment WHERE id = '{}'",
            id(23)
        )),
        0
    );
}

#[test]
fn an_answer_is_made_from_six_files_at_most() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    for number in 20..30 {
        wait(profiles.keep_file(&owner(ACME), &file(number), 4, NOW));
        wait(profiles.attach(
            &owner(ACME),
            id(CONVERSATION),
            id(number),
            &[id(number)],
            NOW,
        ));
    }
    let files = wait(profiles.attach(&owner(ACME), id(CONVERSATION), id(20), &[], NOW));
    let ids: Vec<_> = files.into_iter().map(|file| file.id).collect();
    assert_eq!(ids, [20, 29, 28, 27, 26, 25].map(id));
}

#[test]
fn what_is_kept_for_a_while_goes() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    wait(profiles.keep_file(&owner(ACME), &file(20), 4, NOW));
    let left = |now: u64| {
        wait(profiles.forget_old(now));
        ["attachment", "erased"].map(|table| {
            world.number(&format!(
                "SELECT count(*) FROM {table} WHERE tenant_id = 'acme'"
            ))
        })
    };
    assert_eq!(left(NOW + UNSENT_MS), [2, 1]);
    assert_eq!(left(NOW + UNSENT_MS + 1), [1, 1], "a sent file stays");
    // The stored erasure lives longer than every token; after that it is deleted, for all tenants.
    assert_eq!(left(NOW + 2 * RESUME_SECONDS * 1_000), [1, 1]);
}

#[test]
fn an_export_holds_everything_of_the_visitor() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    world.database.round_trips();
    let export = |tenant: &str, visitor: u128| -> Value {
        let json = wait(profiles.export(tenant, id(visitor), Some(3), NOW));
        serde_json::from_str(&json).unwrap()
    };
    let all = export(ACME, VISITOR);
    assert_eq!(world.database.round_trips(), 1);
    let expected = json!({
        "exported_at": NOW,
        "visitor_id": id(VISITOR),
        "identity": { "subject": "user-42", "name": "Ada", "email": "ada@example.com", "tier": "free",
            "created_at": NOW, "seen_at": NOW },
        "messages_counted_today": 3,
        "forms": [{ "bot_id": BOT, "fields": { "name": "Ada" }, "consent": "yes", "updated_at": NOW }],
        "conversations": [{ "id": id(CONVERSATION), "bot_id": BOT, "title": "What is a xylophone?",
            "created_at": NOW, "updated_at": NOW + 1_000, "summaries": ["They spoke of music."],
            "messages": [
                { "id": id(QUESTION), "role": "user", "text": "What is a xylophone?", "status": "complete",
                    "created_at": NOW },
                { "id": id(REPLY), "role": "assistant", "text": "An instrument.", "status": "complete",
                    "reply_to": id(QUESTION), "feedback": { "rating": "down", "comment": "too short" },
                    "created_at": NOW + 1_000 },
            ] }],
        "attachments": [{ "id": id(FILE), "name": "cv.txt", "bytes": 5, "text": "My CV", "message_id": id(QUESTION),
            "created_at": NOW }],
    });
    assert_eq!(all, expected);
    let nothing = json!({ "exported_at": NOW, "visitor_id": id(99), "identity": null, "messages_counted_today": 3,
        "forms": [], "conversations": [], "attachments": [] });
    assert_eq!(export(ACME, 99), nothing);
    assert_eq!(export(EMPTY, VISITOR)["conversations"], json!([]));
}

/// Checks all tables of the migrations: every column that identifies a person must be listed here.
#[test]
fn an_erased_visitor_leaves_the_note_and_the_cost_only() {
    let world = World::new();
    let profiles = Profiles(&world.database);
    let begun = wait(profiles.begin_erasing(ACME, id(VISITOR), NOW));
    assert_eq!(begun, [(id(CONVERSATION), owner(ACME))]);
    assert!(wait(profiles.is_erased(ACME, id(VISITOR))));
    assert!(!wait(profiles.is_erased(EMPTY, id(VISITOR))));
    let before = world.database.rows_of_tenant(ACME);
    world.database.fail_after(3);
    error(profiles.erase(ACME, id(VISITOR)));
    assert_eq!(world.database.rows_of_tenant(ACME), before);
    for _ in 0..2 {
        wait(profiles.erase(ACME, id(VISITOR)));
    }
    let persons =
        [VISITOR, CONVERSATION, QUESTION, REPLY, FILE, FORM].map(|number| id(number).to_string());
    for (table, rows) in world.database.rows_of_tenant(ACME) {
        if ["erased", "model_call"].contains(&table.as_str()) {
            assert!(!rows.is_empty());
            continue;
        }
        for row in rows {
            let text = row.to_string();
            let named = persons.iter().find(|person| text.contains(*person));
            assert!(named.is_none(), "{table}: {text}");
            assert!(!text.contains("ada@example.com"), "{table}: {text}");
        }
    }
}

#[test]
fn an_owner_is_notified_once_of_one_thing() {
    let world = World::new();
    let notices = Notices(&world.database);
    assert!(!wait(notices.insert(ACME, &notice(40, "openai/m"))));
    assert!(wait(notices.insert(ACME, &notice(41, "openai/other"))));
    assert!(wait(notices.insert(EMPTY, &notice(NOTICE, "openai/m"))));
    wait(notices.delivered(ACME, id(NOTICE), &delivery()));
    wait(notices.delivered(EMPTY, id(41), &delivery()));
    let deliveries = world.database.query("SELECT id, json_array_length(deliveries) AS n FROM notice WHERE tenant_id = 'acme' ORDER BY id");
    assert_eq!(
        deliveries,
        [
            json!({ "id": id(NOTICE), "n": 2 }),
            json!({ "id": id(41), "n": 0 })
        ]
    );
}
