//! Conversations as owners list and read them: filters, pages, and how many rows a page reads.

use bulle_api::admin::conversation::{Note, OwnerConversation, Transcript};
use bulle_edge_core::admin::conversations::{ConversationQuery, Filter, SCANNED};

use super::world::*;
use crate::{
    d1::sqlite::Sqlite,
    repositories::{OwnerConversations, owner_conversations::Head},
};

fn query(filters: Vec<Filter>) -> ConversationQuery {
    ConversationQuery {
        filters,
        ..ConversationQuery::read(&[]).unwrap_or_else(|_| panic!("no parameters"))
    }
}

fn listed(
    database: &Sqlite,
    tenant: &str,
    query: &ConversationQuery,
) -> (Vec<OwnerConversation>, Option<String>) {
    let page = wait(OwnerConversations(database).page(tenant, query));
    (serde_json::from_str(&page.items).unwrap(), page.next)
}

fn head(database: &Sqlite, tenant: &str) -> Option<Head> {
    wait(OwnerConversations(database).head(tenant, id(CONVERSATION)))
}

#[test]
fn a_conversation_is_listed_with_what_is_known_of_it() {
    let world = World::new();
    let (items, next) = listed(&world.database, ACME, &query(vec![]));
    let [item] = &items[..] else {
        panic!("{items:?}");
    };
    assert_eq!(next, None);
    assert_eq!(
        (item.id, item.bot_id.as_str(), item.messages),
        (id(CONVERSATION), BOT, 2)
    );
    let visitor = item.visitor.as_ref().unwrap();
    assert_eq!(
        (visitor.subject.as_str(), visitor.tier.as_str()),
        ("user-42", "free")
    );
    assert!(item.unanswered);
    assert_eq!(serde_json::to_value(item.rating).unwrap(), "down");
    assert_eq!(item.labels, ["important"]);
    assert!(listed(&world.database, EMPTY, &query(vec![])).0.is_empty());
    assert!(head(&world.database, EMPTY).is_none());
}

#[test]
fn each_filter_finds_and_leaves_out() {
    let world = World::new();
    let text = str::to_owned;
    for (filter, other) in [
        (Filter::Bot(text(BOT)), Filter::Bot(text("other"))),
        (
            Filter::Bots(vec![text(BOT), text("x")]),
            Filter::Bots(vec![]),
        ),
        (Filter::Rating(text("down")), Filter::Rating(text("up"))),
        (Filter::Finish(text("stop")), Filter::Finish(text("length"))),
        (Filter::Model(text("m")), Filter::Model(text("n"))),
        (
            Filter::Label(text("important")),
            Filter::Label(text("' OR 1 --")),
        ),
        (Filter::Tier(text("free")), Filter::Tier(text("premium"))),
        (Filter::Unanswered(true), Filter::Unanswered(false)),
        (Filter::Form(true), Filter::Form(false)),
    ] {
        let found = |filter: &Filter| {
            listed(&world.database, ACME, &query(vec![filter.clone()]))
                .0
                .len()
        };
        assert_eq!((found(&filter), found(&other)), (1, 0), "{filter:?}");
    }
    world.database.script(
        "UPDATE message SET evidence = json_set(evidence, '$.topic', 'Prices') WHERE tenant_id = 'acme' AND role = 'assistant'",
    );
    let topic = |name: &str| {
        listed(
            &world.database,
            ACME,
            &query(vec![Filter::Topic(name.into())]),
        )
        .0
        .len()
    };
    assert_eq!((topic("Prices"), topic("prices")), (1, 0));
    let spans = |from_ms, until_ms, visitor| {
        let query = ConversationQuery {
            from_ms,
            until_ms,
            visitor,
            ..query(vec![])
        };
        listed(&world.database, ACME, &query).0.len()
    };
    assert_eq!(spans(NOW, NOW + 1, Some(id(VISITOR))), 1);
    assert_eq!(spans(NOW - 9, NOW, None), 0);
    assert_eq!(spans(NOW + 1, NOW + 2_000, None), 0);
    assert_eq!(spans(0, NOW + 2_000, Some(id(99))), 0);
}

#[test]
fn a_transcript_has_everything_that_is_stored() {
    let world = World::new();
    let conversations = OwnerConversations(&world.database);
    let found = head(&world.database, ACME).unwrap();
    let read = |before, limit| -> Transcript {
        let json = wait(conversations.transcript(&found, id(CONVERSATION), before, limit));
        serde_json::from_str(&json).unwrap()
    };
    let whole = read(None, 9);
    assert_eq!((whole.messages.len(), whole.next.as_deref()), (2, None));
    let [question, answer] = &whole.messages[..] else {
        panic!("two messages");
    };
    assert_eq!(
        (
            question.text.as_str(),
            question.attachments[0].name.as_str()
        ),
        ("What is a xylophone?", "cv.txt")
    );
    assert_eq!(
        (answer.model.as_str(), answer.microusd, answer.reply_to),
        ("m", Some(5), Some(id(QUESTION)))
    );
    assert_eq!(
        (answer.passages[0].title.as_str(), answer.passages.len()),
        ("Music", 1)
    );
    assert_eq!(
        answer.feedback.as_ref().unwrap().comment.as_deref(),
        Some("too short")
    );
    assert_eq!(whole.form.unwrap()["name"], "Ada");
    assert_eq!(whole.notes[0].text, "Call back");
    assert_eq!(whole.notes[0].author.as_deref(), Some("Ada"));
    // The last message first, then the one before.
    let last = read(None, 1);
    assert_eq!(
        (last.messages[0].id, last.next.as_deref()),
        (id(REPLY), Some("1"))
    );
    let first = read(Some(1), 1);
    assert_eq!((first.messages[0].id, first.next), (id(QUESTION), None));
}

#[test]
fn labels_and_notes_are_of_one_conversation() {
    let world = World::new();
    let conversations = OwnerConversations(&world.database);
    let labels = ["a".to_owned(), "b".to_owned()];
    wait(conversations.label(ACME, id(CONVERSATION), &labels));
    assert_eq!(
        listed(&world.database, ACME, &query(vec![])).0[0].labels,
        labels
    );
    wait(conversations.label(ACME, id(CONVERSATION), &[]));
    assert!(
        listed(&world.database, ACME, &query(vec![])).0[0]
            .labels
            .is_empty()
    );
    let annotate = |tenant, number, most| {
        wait(conversations.annotate(
            (tenant, id(CONVERSATION)),
            id(number),
            None,
            "Seen",
            (NOW, most),
        ))
    };
    let note: Note = serde_json::from_str(&annotate(ACME, 101, 9).unwrap()).unwrap();
    assert_eq!((note.author, note.text.as_str()), (None, "Seen"));
    assert!(annotate(ACME, 102, 2).is_none(), "full");
    // Where there is no such conversation, nothing is stored.
    assert!(annotate(EMPTY, 103, 9).is_none());
    wait(conversations.label(EMPTY, id(CONVERSATION), &labels));
    assert_eq!(
        world.number("SELECT count(*) FROM conversation_label WHERE tenant_id = 'initech'"),
        0
    );
    assert!(!wait(conversations.delete_note(
        EMPTY,
        id(CONVERSATION),
        id(101)
    )));
    assert!(wait(conversations.delete_note(
        ACME,
        id(CONVERSATION),
        id(101)
    )));
    assert!(!wait(conversations.delete_note(
        ACME,
        id(CONVERSATION),
        id(101)
    )));
    // A note stays when the person who wrote it is gone.
    world.database.script("PRAGMA foreign_keys = OFF; DELETE FROM person WHERE email = 'ada@acme.example'; PRAGMA foreign_keys = ON");
    let found = head(&world.database, ACME).unwrap();
    let json = wait(conversations.transcript(&found, id(CONVERSATION), None, 9));
    let transcript: Transcript = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (
            transcript.notes[0].author.as_deref(),
            transcript.notes.len()
        ),
        (None, 1)
    );
}

/// A tenant with so many conversations, every hundredth of which has a label.
fn many(database: &Sqlite, conversations: u64) {
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {conversations}) \
         INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) \
         SELECT 'initech', printf('%026d', i), 'guide', printf('%026d', i % 977), 'T', {NOW} + i / 3, {NOW} + i / 3 FROM n; \
         INSERT INTO message (tenant_id, conversation_id, position, id, role, text, blocks, sources, status, created_at) \
         SELECT 'initech', id, 0, id, 'user', 'Hello', '[]', '[]', 'complete', created_at FROM conversation \
         WHERE tenant_id = 'initech'; \
         INSERT INTO conversation_label (tenant_id, conversation_id, label) SELECT 'initech', id, 'rare' FROM conversation \
         WHERE tenant_id = 'initech' AND CAST(id AS INTEGER) % 100 = 0"
    );
    database.script(&sql);
}

#[test]
fn pages_have_every_conversation_once_also_with_filters() {
    let world = World::new();
    many(&world.database, 1_201);
    for (filters, expected) in [
        (vec![], 1_201),
        (vec![Filter::Label("rare".into())], 13),
        (vec![Filter::Label("none".into())], 0),
    ] {
        let mut seen = Vec::new();
        let mut query = query(filters);
        let mut pages = 0;
        loop {
            let (items, next) = listed(&world.database, EMPTY, &query);
            assert!(items.len() <= 50);
            seen.extend(items.into_iter().map(|item| item.id));
            pages += 1;
            if next.is_none() {
                break;
            }
            query.after = next.map(|next| next.parse().unwrap());
        }
        assert_eq!(seen.len(), expected);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, each once");
        assert!(pages <= 26, "{pages}");
    }
}

/// The work of a page does not grow with the table. Counted are the instructions of SQLite's virtual machine: a statement
/// that read more rows would take more of them.
#[test]
fn a_page_reads_as_many_rows_of_many_conversations_as_of_few() {
    let steps = |conversations| {
        let database = Sqlite::new();
        found(&database, EMPTY);
        many(&database, conversations);
        let reading = |query: &ConversationQuery| {
            let before = database.steps();
            listed(&database, EMPTY, query);
            database.steps() - before
        };
        let filtered = query(vec![
            Filter::Label("rare".into()),
            Filter::Unanswered(false),
        ]);
        [reading(&query(vec![])), reading(&filtered)]
    };
    let few = steps(1_000);
    let many = steps(8_000);
    for (few, many) in few.into_iter().zip(many) {
        assert!(many <= few + few / 10, "{many} steps instead of {few}");
    }
    assert!(u64::from(SCANNED) < 1_000);
}
