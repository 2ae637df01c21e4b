//! What one tab asks, the others show.

use crate::support::*;
use bulle_protocol::{Id, conversation::Role};
use bulle_widget_core::{Activity, Event, Stage, Ticket};

const ASKED: Id = Id::from_parts(500, 1);

/// A tab that shows the conversation, and the ticket under which it hears another one's answer.
fn listening() -> (Page, Ticket) {
    let mut page = Page::new();
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
    let ticket = page.session.next_ticket();
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

fn hear(page: &mut Page, ticket: Ticket, events: usize) {
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
    assert!(page.session.reads(ticket));
    assert_eq!(page.last().text, "Hi");
    assert_eq!(page.last().stage, Stage::Delivered);
    assert_eq!(page.session.activity(), Activity::Thinking);
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

    // One that was killed says nothing: silence tells.
    let (mut page, ticket) = listening();
    hear(&mut page, ticket, 2);
    page.pass(45_000);
    assert!(page.find(is_attach).is_some());
    assert!(page.posts().is_empty(), "asked for twice");
}

#[test]
fn what_is_asked_elsewhere_stays_there() {
    let (mut page, _) = Page::asking("Mine");
    let ticket = page.session.next_ticket();
    page.update(overheard());
    assert!(!page.session.reads(ticket), "this tab has its own turn");
    assert_eq!(page.session.messages().len(), 1);

    let mut page = Page::ready();
    page.update(Event::ShowAsked {
        conversation: Id::from_parts(77, 7),
    });
    page.answer(is_history, 200, &history(vec![], None));
    let ticket = page.session.next_ticket();
    page.update(overheard());
    assert!(!page.session.reads(ticket), "another conversation");
}

#[test]
fn a_tab_without_a_conversation_joins_the_visitor_of_the_first_words() {
    let mut page = Page::ready();
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
