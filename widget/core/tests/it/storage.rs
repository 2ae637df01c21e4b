//! Stored data, and processes that must end: unacknowledged messages, calls that hang, two tabs of a visitor.

use crate::support::*;
use bulle_protocol::{
    Id,
    conversation::{Role, Status},
};
use bulle_widget_core::{ApiCall, Caveat, Connection, Event, Phase, Stage};

const OLD: &str = r#"{"token":"old","conversation":"00000000010000000000000001"}"#;

#[test]
fn nothing_is_kept_for_the_tab_before_the_first_message() {
    let page = TestPage::ready();
    assert_eq!(page.outbox(), None);
}

#[test]
fn a_message_that_was_not_acknowledged_is_sent_by_the_next_page_under_its_id() {
    let (mut page, id) = TestPage::asking("Hi \"you\"");
    let outbox = page.outbox().unwrap().to_owned();
    let stored = page.stored().unwrap().to_owned();
    assert_eq!(outbox, format!(r#"[{{"id":"{id}","text":"Hi \"you\""}}]"#));

    let mut next = TestPage::new();
    next.start_with(Some(&stored), Some(&outbox));
    assert_eq!(next.last().stage, Stage::Waiting);
    next.open_session(Some(CONVERSATION));
    assert!(next.posts().is_empty(), "its turn may be running");
    next.answer(is_history, 200, &history(vec![], None));
    assert_eq!(next.posts()[0].id, id);
    assert_eq!(next.posts()[0].text, "Hi \"you\"");
    next.stream(&turn(id)[..1]);
    assert_eq!(next.outbox(), Some(""));

    // The same on the first page, if the visitor had stayed.
    page.stream(&turn(id)[..1]);
    assert_eq!(page.outbox(), Some(""));
}

#[test]
fn a_message_that_had_arrived_after_all_is_not_sent_again() {
    let (page, id) = TestPage::asking("Hi");
    let outbox = page.outbox().unwrap().to_owned();
    let mut next = TestPage::new();
    next.start_with(Some(OLD), Some(&outbox));
    next.open_session(Some(CONVERSATION));
    let items = vec![
        stored_message(id, Role::User, None),
        stored_message(REPLY, Role::Assistant, Some(id)),
    ];
    next.answer(is_history, 200, &history(items, None));
    assert!(next.posts().is_empty());
    assert_eq!(next.chat.messages().len(), 2);
    assert_eq!(next.outbox(), Some(""));
}

#[test]
fn a_message_left_before_there_was_a_session_creates_the_conversation() {
    let mut page = TestPage::ready();
    page.submit("One");
    page.submit("Two");
    let outbox = page.outbox().unwrap().to_owned();
    let mut next = TestPage::new();
    next.start_with(None, Some(&outbox));
    next.open_session(None);
    next.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    assert_eq!(next.posts()[0].text, "One");
    assert_eq!(next.chat.messages().len(), 2);
}

#[test]
fn a_new_conversation_leaves_nothing_to_send() {
    let (mut page, _) = TestPage::asking("Hi");
    page.update(Event::NewAsked);
    assert_eq!(page.outbox(), Some(""));
}

#[test]
fn calls_that_hang_count_as_unreachable() {
    // Opening is tried three times, then the visitor must retry.
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.pass(70_000);
    assert_eq!(page.chat.phase(), Phase::Unavailable);
    assert!(page.open.is_empty());

    // Loading the history times out.
    page.update(Event::ReloadAsked);
    page.open_session(Some(CONVERSATION));
    page.submit("Hi");
    page.pass(19_000);
    assert!(page.chat.is_loading_history());
    page.pass(2_000);
    assert!(page.chat.history_failed());
    assert_eq!(page.posts().len(), 1);

    // So does creating a conversation.
    let creates = |c: &ApiCall| matches!(c, ApiCall::CreateConversation);
    let mut page = TestPage::ready();
    page.submit("Hi");
    let first = page.find(creates);
    page.pass(20_100);
    assert_eq!(page.chat.connection(), Connection::Reconnecting);
    page.pass(1_000);
    assert!(page.find(creates).is_some());
    assert_ne!(page.find(creates), first);
}

#[test]
fn a_stream_may_take_longer_than_a_call() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    let ticket = page.find(is_stream);
    page.pass(35_000);
    assert_eq!(page.find(is_stream), ticket);
}

#[test]
fn a_token_that_cannot_be_renewed_in_time_frees_the_call_that_waits_for_it() {
    let (mut page, _) = TestPage::asking("Hi");
    page.refuse(
        is_send,
        &problem(bulle_protocol::problem::Code::TokenExpired),
    );
    page.pass(20_100);
    assert_eq!(page.chat.connection(), Connection::Reconnecting);
}

#[test]
fn a_second_tab_goes_on_as_the_visitor_of_the_first() {
    let mut page = TestPage::ready();
    let found = || Event::Found { stored: OLD.into() };
    page.update(found());
    page.submit("Hi");
    assert_eq!(page.stored(), None, "the other tab's token is not lost");
    assert!(page.posts().is_empty());
    let resumes = page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some(request.resume.clone()),
        _ => None,
    });
    assert_eq!(resumes, [None, Some("old".into())]);
    page.open_session(Some(CONVERSATION));
    page.answer(is_history, 200, &history(vec![], None));
    assert_eq!(page.posts().len(), 1);
    assert!(
        page.find(|c| matches!(c, ApiCall::CreateConversation))
            .is_none()
    );
    // From now on this tab has stored the visitor itself, and ignores a stored visitor of another tab.
    page.update(found());
    assert!(page.find(is_session).is_none());
}

#[test]
fn another_tabs_token_that_is_no_good_stops_nobody() {
    for refused in [true, false] {
        let mut page = TestPage::ready();
        page.update(Event::Found { stored: OLD.into() });
        page.submit("Hi");
        if refused {
            page.refuse(
                is_session,
                &problem(bulle_protocol::problem::Code::TokenInvalid),
            );
        } else {
            page.pass(70_000);
        }
        assert!(
            page.find(|c| matches!(c, ApiCall::CreateConversation))
                .is_some()
        );
    }
}

#[test]
fn an_earlier_answer_that_broke_off_says_so_even_without_a_word() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    let ids: Vec<Id> = (1..5).map(|n| Id::from_parts(3, n)).collect();
    let mut broken = stored_message(ids[1], Role::Assistant, Some(ids[0]));
    broken.status = Status::Failed;
    broken.blocks.clear();
    let mut last = stored_message(ids[3], Role::Assistant, Some(ids[2]));
    last.status = Status::Failed;
    let items = vec![
        stored_message(ids[0], Role::User, None),
        broken,
        stored_message(ids[2], Role::User, None),
        last,
    ];
    page.answer(is_history, 200, &history(items, None));
    let message = |id| page.chat.message(id).unwrap();
    assert_eq!(message(ids[1]).caveats, [Caveat::Interrupted]);
    // The last answer can be retried, and shows only the failure.
    assert_eq!(message(ids[3]).caveats, []);
    assert!(message(ids[3]).failure.is_some());
}

#[test]
fn a_lost_connection_is_said_once() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    for _ in 0..3 {
        page.cut();
        page.pass(5_000);
    }
    let said = |page: &TestPage, words| page.said().iter().filter(|said| **said == words).count();
    assert_eq!(said(&page, "reconnecting"), 1);
    page.update(Event::Offline);
    assert_eq!(said(&page, "offline"), 1);
    page.submit(&"x".repeat(4001));
    assert_eq!(said(&page, "too_long"), 1);
}
