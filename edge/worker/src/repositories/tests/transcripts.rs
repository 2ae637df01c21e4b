use bulle_edge_core::{
    model::{Owner, Summary},
    ports::Kept,
    record::{Outcome, PromptReference, Purpose},
};

use super::world::*;
use crate::repositories::{Conversations, Profiles, Prompts, Summaries, Transcripts};

#[test]
fn storing_a_turn_again_changes_nothing_and_costs_one_round_trip() {
    let world = World::new();
    let transcripts = Transcripts(&world.database);
    let record = record(ACME, &chunks(&world.database, ACME));
    let but_messages = || {
        let mut rows = world.database.rows_of_tenant(ACME);
        rows.remove("message");
        rows
    };
    let before = but_messages();
    world.database.round_trips();
    assert_eq!(wait(transcripts.record(&record)), Kept::Everything);
    assert_eq!(world.database.round_trips(), 1);
    assert_eq!(but_messages(), before);
    assert_eq!(
        world.number("SELECT count(*) FROM message WHERE tenant_id = 'acme'"),
        2
    );
}

#[test]
fn half_a_turn_is_completed() {
    let world = World::new();
    let transcripts = Transcripts(&world.database);
    let mut half = record(ACME, &[]);
    half.conversation_id = id(200);
    half.title = "A title".into();
    let whole = half.clone();
    half.reply = None;
    half.calls.clear();
    assert_eq!(wait(transcripts.record(&half)), Kept::Everything);
    let messages = || {
        let conversations = Conversations(&world.database);
        wait(conversations.messages(&owner(ACME), id(200), None, 9))
            .unwrap()
            .items
    };
    assert_eq!(messages().len(), 1);
    wait(transcripts.record(&whole));
    let [question, reply] = <[_; 2]>::try_from(messages()).unwrap();
    assert_eq!(question.text, "What is a xylophone?");
    assert_eq!(
        (reply.reply_to, reply.finish),
        (Some(question.id), whole.reply.unwrap().finish)
    );
    // The conversation keeps its title, and its time is that of its last message.
    let list = wait(Conversations(&world.database).list(&owner(ACME))).items;
    let conversation = list.iter().find(|one| one.id == id(200)).unwrap();
    assert_eq!(conversation.title, "A title");
    assert_eq!(
        (conversation.created_at, conversation.updated_at),
        (NOW, NOW + 1_000)
    );
}

#[test]
fn a_turn_that_fails_to_be_stored_leaves_nothing() {
    let world = World::new();
    let mut record = record(ACME, &[]);
    record.conversation_id = id(200);
    let before = world.database.rows_of_tenant(ACME);
    for statements in 0..5 {
        world.database.fail_after(statements);
        error(Transcripts(&world.database).record(&record));
        assert_eq!(world.database.rows_of_tenant(ACME), before);
    }
}

#[test]
fn a_turn_of_an_erased_visitor_or_a_deleted_bot_leaves_its_cost_only() {
    let world = World::new();
    let transcripts = Transcripts(&world.database);
    let mut record = record(ACME, &[]);
    let words = |world: &World| {
        ["conversation", "message", "unanswered"].map(|table| {
            world.number(&format!(
                "SELECT count(*) FROM {table} WHERE tenant_id = 'acme'"
            ))
        })
    };
    let before = words(&world);
    let strangers = [
        Owner {
            visitor_id: id(ERASED),
            ..owner(ACME)
        },
        Owner {
            bot_id: "gone".into(),
            ..owner(ACME)
        },
    ];
    for (number, owner) in (200..).zip(strangers) {
        record.owner = owner;
        record.conversation_id = id(number);
        if let Some(reply) = &mut record.reply {
            reply.id = id(number);
        }
        assert_eq!(wait(transcripts.record(&record)), Kept::Costs);
        assert_eq!(words(&world), before);
        let sql = format!(
            "SELECT count(*) FROM model_call WHERE id = '{}/0'",
            id(number)
        );
        assert_eq!(world.number(&sql), 1);
    }
    // Nothing is stored for a deleted tenant.
    record.owner = owner("nobody");
    assert_eq!(wait(transcripts.record(&record)), Kept::Costs);
    assert_eq!(
        world.number("SELECT count(*) FROM model_call WHERE tenant_id = 'nobody'"),
        0
    );
}

#[test]
fn calls_are_stored_once_under_their_numbers() {
    let world = World::new();
    let transcripts = Transcripts(&world.database);
    let mut failed = call(Purpose::Answer, None, 900, None);
    failed.outcome = Outcome::TimedOut;
    failed.status = None;
    let calls = [failed, call(Purpose::Repair, Some(1), 2, Some(u64::MAX))];
    world.database.round_trips();
    for _ in 0..2 {
        wait(transcripts.record_calls(&owner(ACME), id(CONVERSATION), None, "x", &calls));
    }
    wait(transcripts.record_calls(&owner(ACME), id(CONVERSATION), None, "y", &[]));
    assert_eq!(world.database.round_trips(), 2, "no statement for no calls");
    let rows = world.database.query(
        "SELECT id, outcome, status, microusd, first_token_ms, estimated FROM model_call \
         WHERE tenant_id = 'acme' AND id LIKE 'x/%' ORDER BY id",
    );
    let expected = serde_json::json!([
        { "id": "x/0", "outcome": "timed_out", "status": null, "microusd": null, "first_token_ms": null, "estimated": 0 },
        // A sum of prices must not overflow: a call costs a million dollars at most.
        { "id": "x/1", "outcome": "answered", "status": 200, "microusd": 1_000_000_000_000_u64, "first_token_ms": 1, "estimated": 0 },
    ]);
    assert_eq!(serde_json::json!(rows), expected);
}

#[test]
fn a_summary_is_kept_once_and_the_furthest_is_read() {
    let world = World::new();
    let summaries = Summaries(&world.database);
    let owner = owner(ACME);
    let latest = |owner: &Owner| wait(summaries.latest(owner, id(CONVERSATION)));
    let summary = |text: &str, until| Summary {
        text: text.into(),
        until,
    };
    for (text, until) in [("far", 8), ("near", 4), ("again", 8)] {
        wait(summaries.keep(&owner, id(CONVERSATION), &summary(text, until), NOW));
    }
    assert_eq!(latest(&owner), Some(summary("far", 8)));
    let strangers = [
        Owner {
            visitor_id: id(99),
            ..owner.clone()
        },
        Owner {
            bot_id: "other".into(),
            ..owner.clone()
        },
        super::world::owner(EMPTY),
    ];
    let before = world.number("SELECT count(*) FROM summary");
    for stranger in strangers {
        assert_eq!(latest(&stranger), None);
        wait(summaries.keep(&stranger, id(CONVERSATION), &summary("foreign", 9), NOW));
    }
    assert_eq!(world.number("SELECT count(*) FROM summary"), before);
}

#[test]
fn a_conversation_is_read_in_pages_by_its_visitor_alone() {
    let world = World::new();
    let conversations = Conversations(&world.database);
    let mut record = record(ACME, &[]);
    record.conversation_id = id(300);
    for turn in 0..3_u32 {
        record.question.position = 2 * turn;
        record.question.id = id(1_000 + u128::from(turn));
        if let Some(reply) = &mut record.reply {
            reply.position = 2 * turn + 1;
            reply.id = id(2_000 + u128::from(turn));
        }
        wait(Transcripts(&world.database).record(&record));
    }
    let page = |before, limit| {
        let history = wait(conversations.messages(&owner(ACME), id(300), before, limit)).unwrap();
        let ids: Vec<_> = history.items.iter().map(|message| message.id).collect();
        (ids, history.next)
    };
    assert_eq!(page(None, 4).1.as_deref(), Some("2"));
    assert_eq!(
        page(None, 4).0,
        [id(1_001), id(2_001), id(1_002), id(2_002)]
    );
    assert_eq!(page(Some(2), 4), (vec![id(1_000), id(2_000)], None));
    assert_eq!(page(None, 6).1, None);
    assert!(wait(conversations.messages(&owner(ACME), id(300), Some(0), 4)).is_none());

    let strangers = [
        Owner {
            visitor_id: id(99),
            ..owner(ACME)
        },
        Owner {
            bot_id: "other".into(),
            ..owner(ACME)
        },
        owner(EMPTY),
    ];
    for stranger in &strangers {
        assert!(wait(conversations.messages(stranger, id(300), None, 4)).is_none());
        assert!(wait(conversations.list(stranger)).items.is_empty());
        assert!(wait(conversations.latest(stranger)).is_none());
        assert!(!wait(conversations.rename(stranger, id(300), "Mine")));
        assert!(!wait(conversations.delete(stranger, id(300))));
    }
    // The message with a file has the file's name.
    let history = wait(conversations.messages(&owner(ACME), id(CONVERSATION), None, 4)).unwrap();
    assert_eq!(history.items[0].attachments[0].name, "cv.txt");
}

#[test]
fn conversations_are_listed_newest_first_renamed_and_deleted() {
    let world = World::new();
    let conversations = Conversations(&world.database);
    let mut record = record(ACME, &[]);
    for number in 0..60_u128 {
        record.conversation_id = id(400 + number);
        record.question.created_at = NOW + 10_000 + number as u64;
        record.reply = None;
        wait(Transcripts(&world.database).record(&record));
    }
    let list = wait(conversations.list(&owner(ACME))).items;
    assert_eq!(list.len(), 50);
    assert_eq!((list[0].id, list[49].id), (id(459), id(410)));
    assert_eq!(
        wait(conversations.latest(&owner(ACME))).unwrap().id,
        id(459)
    );
    assert!(wait(conversations.rename(
        &owner(ACME),
        id(459),
        "New title"
    )));
    assert_eq!(
        wait(conversations.list(&owner(ACME))).items[0].title,
        "New title"
    );
    assert!(wait(conversations.delete(&owner(ACME), id(459))));
    assert!(!wait(conversations.delete(&owner(ACME), id(459))));
    assert_eq!(
        wait(conversations.latest(&owner(ACME))).unwrap().id,
        id(458)
    );
    // All its data is deleted, and no other conversation's.
    assert!(wait(conversations.delete(&owner(ACME), id(CONVERSATION))));
    for table in ["summary", "unanswered", "attachment"] {
        assert_eq!(
            world.number(&format!(
                "SELECT count(*) FROM {table} WHERE tenant_id = 'acme'"
            )),
            0,
            "{table}"
        );
    }
    assert_eq!(
        world.number("SELECT count(*) FROM message WHERE tenant_id = 'acme'"),
        59
    );
    assert!(wait(Profiles(&world.database).has_filled(&owner(ACME))));
}

#[test]
fn the_prompt_of_an_answer_is_built_from_what_is_stored() {
    let world = World::new();
    let prompts = Prompts(&world.database);
    let answered = wait(prompts.answered(ACME, id(REPLY))).unwrap();
    let reference = answered.reference.clone().unwrap();
    let said = |reference: &PromptReference| {
        let again = wait(prompts.rebuild(ACME, &answered, reference));
        let words: String = again
            .turns
            .iter()
            .map(|turn| turn.content.as_str())
            .collect();
        let missing: Vec<_> = again
            .missing
            .into_iter()
            .map(|missing| missing.what)
            .collect();
        (words, missing)
    };
    world.database.round_trips();
    let (words, missing) = said(&reference);
    assert_eq!(world.database.round_trips(), 1);
    assert!(words.contains("instrument of acme") && words.contains("What is a xylophone?"));
    assert_eq!(missing, ["wording"], "this fixture has no fingerprint");

    // A chunk whose text was replaced since is still quoted.
    let source = world.source(ACME);
    assert!(index(
        &world.database,
        ACME,
        target(&source),
        "Something else."
    ));
    let (words, _) = said(&reference);
    assert!(words.contains("instrument of acme") && !words.contains("Something else"));
    // Missing settings, passages and summaries are reported.
    let (_, missing) = said(&PromptReference {
        bot_version: 9,
        passages: vec![99_999],
        summary_until: Some(6),
        history_from: Some(0),
        ..reference
    });
    assert!(
        missing.iter().any(|what| what == "settings 9"),
        "{missing:?}"
    );
    assert!(
        missing.iter().any(|what| what == "summary until 6"),
        "{missing:?}"
    );

    assert!(wait(prompts.answered(ACME, id(QUESTION))).is_none());
    assert!(wait(prompts.answered(EMPTY, id(REPLY))).is_none());
}
