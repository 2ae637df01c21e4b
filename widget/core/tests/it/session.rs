//! Opening and resuming the session, the history, storage, and bad networks.

use crate::support::*;
use bulle_protocol::{
    Id,
    conversation::{Role, Status},
    problem::Code,
};
use bulle_widget_core::{Activity, ApiCall, Connection, Effect, Event, Phase, Stage};

const OLD: &str = r#"{"token":"old","conversation":"00000000010000000000000001"}"#;

#[test]
fn nothing_is_stored_before_the_first_message() {
    let mut page = TestPage::ready();
    page.pass(600_000);
    assert_eq!(page.stored(), None);
    page.submit("Hi");
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let expected = format!("{{\"token\":\"token\",\"conversation\":\"{CONVERSATION}\"}}");
    assert_eq!(page.stored(), Some(expected.as_str()));
}

#[test]
fn a_stored_token_resumes_and_the_history_is_read() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    let resumes = page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some(request.resume.clone()),
        _ => None,
    });
    assert_eq!(resumes, [Some("old".into())]);
    page.open_session(Some(CONVERSATION));
    assert!(page.chat.is_loading_history());
    let (a, b) = (Id::from_parts(3, 1), Id::from_parts(3, 2));
    let items = vec![
        stored_message(a, Role::User, None),
        stored_message(b, Role::Assistant, Some(a)),
    ];
    page.answer(is_history, 200, &history(items, Some("cursor")));
    assert_eq!(page.chat.messages().len(), 2);
    assert_eq!(page.chat.activity(), Activity::Idle);
    assert!(page.chat.has_earlier());
    page.update(Event::EarlierAsked);
    page.update(Event::EarlierAsked);
    let older = stored_message(Id::from_parts(2, 9), Role::User, None);
    page.answer(is_history, 200, &history(vec![older], None));
    assert_eq!(page.chat.messages().len(), 3);
    assert_eq!(page.chat.messages()[0].id, Id::from_parts(2, 9));
    assert!(!page.chat.has_earlier());
    assert!(page.find(is_history).is_none());
}

/// A page that shows the newest of more messages.
fn with_more() -> TestPage {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    let last = stored_message(Id::from_parts(9, 1), Role::Assistant, None);
    page.answer(is_history, 200, &history(vec![last], Some("c9")));
    page
}

fn whole(page: &TestPage) -> Vec<String> {
    let told = page.host_events().into_iter();
    let whole = told.filter(|(name, _)| *name == "whole");
    whole.map(|(_, detail)| detail).collect()
}

#[test]
fn all_messages_are_read_when_they_are_asked_for_and_that_is_told_once() {
    let mut page = with_more();
    page.update(Event::AllAsked);
    page.update(Event::AllAsked);
    for (n, next) in [(8, Some("c8")), (7, Some("c7")), (6, None)] {
        assert_eq!(whole(&page), [""; 0]);
        let item = stored_message(Id::from_parts(n, 1), Role::User, None);
        page.answer(is_history, 200, &history(vec![item], next));
    }
    assert_eq!(whole(&page), ["true"]);
    assert_eq!(page.chat.messages().len(), 4);
    assert!(page.open.is_empty());
    page.update(Event::AllAsked);
    assert_eq!(whole(&page), ["true", "true"], "nothing is missing");
}

#[test]
fn who_waits_for_all_messages_is_told_when_they_cannot_be_had_and_may_ask_again() {
    let mut page = with_more();
    page.update(Event::AllAsked);
    let (ticket, _) = page.take(is_history);
    page.update(Event::Unreachable { ticket });
    assert_eq!(whole(&page), ["false"]);
    assert!(page.find(is_history).is_none(), "nobody insists");
    page.update(Event::AllAsked);
    page.answer(is_history, 200, &history(vec![], None));
    assert_eq!(whole(&page), ["false", "true"]);

    // Another conversation without earlier pages is complete at once.
    let mut page = with_more();
    page.update(Event::AllAsked);
    page.update(Event::NewAsked);
    assert_eq!(whole(&page), ["true"]);
}

#[test]
fn an_unanswered_last_message_has_a_turn_to_follow() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    let id = Id::from_parts(3, 1);
    let item = stored_message(id, Role::User, None);
    page.answer(is_history, 200, &history(vec![item], None));
    let attach = ApiCall::Attach {
        conversation: CONVERSATION,
        after: None,
    };
    assert_eq!(page.open.last().map(|(_, call)| call), Some(&attach));
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
    assert!(page.posts().is_empty());
}

#[test]
fn without_a_turn_to_follow_only_asking_helps() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    let id = Id::from_parts(3, 1);
    let item = stored_message(id, Role::User, None);
    page.answer(is_history, 200, &history(vec![item], None));
    page.refuse(is_attach, &problem(Code::NoTurn));
    assert!(page.last().failure.is_some());
    page.update(Event::RetryAsked { message: id });
    assert_eq!(page.posts().len(), 1);
    assert_eq!(page.posts()[0].text, "stored");
}

#[test]
fn a_stored_broken_answer_can_be_asked_for_again() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    let (a, b) = (Id::from_parts(3, 1), Id::from_parts(3, 2));
    let mut broken = stored_message(b, Role::Assistant, Some(a));
    broken.status = Status::Failed;
    let items = vec![stored_message(a, Role::User, None), broken];
    page.answer(is_history, 200, &history(items, None));
    assert!(page.last().failure.is_some());
    page.update(Event::RetryAsked { message: a });
    assert_eq!(
        page.posts().last().map(|p| (p.id, p.retry)),
        Some((a, true))
    );
}

#[test]
fn an_expired_token_is_renewed_once_and_the_call_made_again() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::TokenExpired));
    let (_, call) = page.open.last().unwrap().clone();
    assert!(matches!(call, ApiCall::OpenSession(r) if r.resume.as_deref() == Some("token")));
    page.open_session(Some(CONVERSATION));
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
    assert_eq!(page.posts().len(), 2);
}

#[test]
fn a_token_that_is_never_good_ends_in_a_button() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::TokenInvalid));
    page.open_session(Some(CONVERSATION));
    page.refuse(is_send, &problem(Code::TokenInvalid));
    assert_eq!(page.last().id, id);
    assert!(page.last().failure.is_some());
    assert_eq!(page.calls(|c| is_session(c).then_some(())).len(), 2);
}

#[test]
fn a_conversation_that_is_gone_is_replaced_and_the_message_kept() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::NotFound));
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn offline_messages_wait_and_go_in_order() {
    let mut page = TestPage::ready();
    page.update(Event::Offline);
    page.submit("One");
    page.submit("Two");
    assert_eq!(page.chat.connection(), Connection::Offline);
    assert!(page.open.is_empty());
    page.update(Event::Online);
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let ids: Vec<Id> = page.chat.messages().iter().map(|m| m.id).collect();
    page.stream(&turn(ids[0]));
    page.stream(&number(
        ids[1],
        vec![
            start(ids[1], Id::from_parts(7, 7)),
            block(0, "B"),
            done(bulle_protocol::event::Finish::Stop),
        ],
    ));
    let texts: Vec<String> = page.posts().into_iter().map(|p| p.text).collect();
    assert_eq!(texts, ["One", "Two"]);
    assert_eq!(page.chat.messages().len(), 4);
}

#[test]
fn coming_online_reconnects_at_once() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    page.update(Event::Offline);
    page.cut();
    page.pass(600_000);
    assert!(page.find(is_stream).is_none(), "no tries without a network");
    page.update(Event::Online);
    page.stream(&turn(id)[2..]);
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn a_message_given_up_for_want_of_a_network_goes_when_it_is_back() {
    let (mut page, id) = TestPage::asking("Hi");
    for _ in 0..9 {
        page.cut();
        page.pass(13_000);
    }
    assert!(page.last().failure.is_some());
    page.update(Event::Online);
    assert!(page.last().failure.is_none());
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn an_owner_is_told_what_the_visitor_is_not() {
    for code in [Code::OriginNotAllowed, Code::UnknownSite] {
        let mut page = TestPage::new();
        page.start(None);
        page.refuse(is_session, &problem(code));
        assert_eq!(page.chat.phase(), Phase::Unavailable);
        assert!(page.effects.contains(&Effect::Log("for the owner".into())));
        page.update(Event::ReloadAsked);
        page.open_session(None);
        assert_eq!(page.chat.phase(), Phase::Ready);
    }
}

#[test]
fn opening_is_tried_three_times_then_by_hand_or_when_online() {
    let mut page = TestPage::new();
    page.start(None);
    for _ in 0..3 {
        assert_eq!(page.chat.phase(), Phase::Opening);
        let (ticket, _) = page.take(is_session);
        page.update(Event::Unreachable { ticket });
        page.pass(5000);
    }
    assert_eq!(page.chat.phase(), Phase::Unavailable);
    page.pass(600_000);
    assert!(page.open.is_empty());
    page.update(Event::Online);
    page.open_session(None);
    assert_eq!(page.chat.phase(), Phase::Ready);
}

#[test]
fn a_new_conversation_clears_the_view_and_stays_new_after_a_reload() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..3]);
    page.update(Event::NewAsked);
    assert!(page.chat.messages().is_empty());
    assert_eq!(page.chat.activity(), Activity::Idle);
    assert_eq!(
        page.stored(),
        Some(r#"{"token":"token","conversation":null}"#)
    );
    let stored = page.stored().unwrap().to_owned();
    let mut next = TestPage::new();
    next.start(Some(&stored));
    next.open_session(Some(CONVERSATION));
    assert!(next.find(is_history).is_none());
    page.submit("NextCall");
    assert_eq!(
        page.calls(|c| matches!(c, ApiCall::CreateConversation).then_some(()))
            .len(),
        2
    );
}

#[test]
fn a_history_that_cannot_be_read_stops_nobody() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(Some(CONVERSATION));
    page.submit("Hi");
    assert!(page.posts().is_empty(), "a running turn may be in there");
    page.refuse(is_history, &problem(Code::StorageUnavailable));
    assert!(page.chat.history_failed());
    assert_eq!(page.posts().len(), 1);
    assert_eq!(page.last().stage, Stage::Sending);
}

#[test]
fn another_visitors_conversation_is_forgotten() {
    let mut page = TestPage::new();
    page.start(Some(OLD));
    page.open_session(None);
    page.refuse(is_history, &problem(Code::NotFound));
    assert!(!page.chat.history_failed());
    assert_eq!(
        page.stored(),
        Some(r#"{"token":"token","conversation":null}"#)
    );
}
