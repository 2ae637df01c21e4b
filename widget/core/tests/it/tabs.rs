//! An exchange in one tab is shown in the others.

use crate::support::*;
use bulle_protocol::{Id, conversation::Role, problem::Code};
use bulle_widget_core::{Activity, ApiCall, Effect, Event, Phase, Stage, Ticket};

const ASKED: Id = Id::from_parts(500, 1);

/// A tab that shows the conversation, and the ticket for the answer of another tab.
fn listening() -> (TestPage, Ticket) {
    let mut page = TestPage::new();
    page.start(Some(r#"{"token":"t","conversation":null}"#));
    page.open_session(None);
    page.update(Event::ShowAsked {
        conversation: CONVERSATION,
    });
    let items = vec![
        stored_message(Id::from_parts(3, 1), Role::User, None),
        stored_message(REPLY, Role::Assistant, Some(Id::from_parts(3, 1))),
    ];
    page.answer(is_history, 200, &history(items, None));
    let ticket = page.chat.next_ticket();
    page.update(overheard());
    (page, ticket)
}

fn overheard() -> Event {
    Event::Overheard {
        conversation: CONVERSATION,
        message: ASKED,
        text: "Hi".into(),
        stored: Some(r#"{"token":"old","conversation":null}"#.into()),
    }
}

fn hear(page: &mut TestPage, ticket: Ticket, events: usize) {
    for (id, event) in number(
        ASKED,
        vec![
            start(ASKED, Id::from_parts(501, 1)),
            block(0, "One"),
            append(0, " two"),
        ],
    )
    .into_iter()
    .take(events)
    {
        let bytes = event.to_frame(id).unwrap().encode().into_bytes();
        page.update(Event::Streamed { ticket, bytes });
    }
}

#[test]
fn an_answer_that_another_tab_reads_is_shown_without_a_call() {
    let (mut page, ticket) = listening();
    assert!(page.chat.reads(ticket));
    assert_eq!(page.last().text, "Hi");
    assert_eq!(page.last().stage, Stage::Delivered);
    assert_eq!(page.chat.activity(), Activity::Thinking);
    hear(&mut page, ticket, 3);
    assert_eq!(page.last().plain(), "One two");
    assert!(page.open.is_empty(), "{:?}", page.open);
}

#[test]
fn a_tab_that_is_closed_leaves_its_answer_to_the_others() {
    let (mut page, ticket) = listening();
    hear(&mut page, ticket, 2);
    page.update(Event::Unreachable { ticket });
    page.pass(1_000);
    assert!(page.find(is_attach).is_some());

    // A killed tab reports no end: it is detected by silence.
    let (mut page, ticket) = listening();
    hear(&mut page, ticket, 2);
    page.pass(45_000);
    assert!(page.find(is_attach).is_some());
    assert!(page.posts().is_empty(), "asked for twice");
}

#[test]
fn what_is_asked_elsewhere_stays_there() {
    let (mut page, _) = TestPage::asking("Mine");
    let ticket = page.chat.next_ticket();
    page.update(overheard());
    assert!(!page.chat.reads(ticket), "this tab has its own turn");
    assert_eq!(page.chat.messages().len(), 1);

    let mut page = TestPage::ready();
    page.update(Event::ShowAsked {
        conversation: Id::from_parts(77, 7),
    });
    page.answer(is_history, 200, &history(vec![], None));
    let ticket = page.chat.next_ticket();
    page.update(overheard());
    assert!(!page.chat.reads(ticket), "another conversation");
}

#[test]
fn a_tab_without_a_conversation_joins_the_visitor_of_the_first_words() {
    let mut page = TestPage::ready();
    page.update(Event::Overheard {
        conversation: CONVERSATION,
        message: ASKED,
        text: "Hi".into(),
        stored: Some(format!(
            r#"{{"token":"old","conversation":"{CONVERSATION}"}}"#
        )),
    });
    page.open_session(Some(CONVERSATION));
    assert!(page.find(is_history).is_some());
}

/// The visitor of [`opened`].
const VISITOR: Id = Id::from_parts(9, 9);

#[test]
fn what_another_tab_has_erased_is_forgotten_without_a_call() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..3]);
    page.submit("And then?");
    assert_ne!(page.outbox(), Some(""));
    let stranger = Id::from_parts(8, 8);
    page.update(Event::ErasedElsewhere { visitor: stranger });
    assert_eq!(page.chat.messages().len(), 3, "somebody else");

    let before = page.calls(|_| Some(())).len();
    page.update(Event::ErasedElsewhere { visitor: VISITOR });
    page.pass(600_000);
    assert!(page.chat.messages().is_empty());
    assert_eq!(page.outbox(), Some(""));
    assert!(page.effects.contains(&Effect::DraftTaken));
    assert_eq!(
        page.host_events().last(),
        Some(&("forget", "{}".to_owned()))
    );
    assert_eq!(page.chat.phase(), Phase::Ready);
    assert!(!page.chat.uses_storage());
    assert_eq!(
        page.calls(|_| Some(())).len(),
        before,
        "the edge is left alone"
    );
    assert!(page.open.is_empty(), "nobody waits for an answer any more");

    // The next message makes a new visitor.
    page.submit("Hello");
    let resumes = page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some(request.resume.clone()),
        _ => None,
    });
    assert_eq!(resumes, [None, None]);
    assert_eq!(page.open.len(), 1, "a session comes first");
    page.open_session(None);
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let posts = page.posts();
    assert_eq!(posts.last().map(|post| post.text.as_str()), Some("Hello"));
}

#[test]
fn a_session_that_cannot_be_opened_after_that_keeps_the_message() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id));
    page.update(Event::ErasedElsewhere { visitor: VISITOR });
    page.submit("Hello");
    page.refuse(is_session, &problem(Code::Paused));
    assert_eq!(page.last().text, "Hello");
    assert!(page.last().failure.is_some());
    page.update(Event::RetryAsked {
        message: page.last().id,
    });
    page.open_session(None);
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    assert_eq!(page.posts().len(), 2);
}
