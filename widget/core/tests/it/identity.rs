//! Visitors whom the page has signed in: their conversation follows them, and the next person at the same computer does
//! not see it.

use crate::support::*;
use bulle_protocol::{Id, problem::Code};
use bulle_widget_core::{Activity, ApiCall, Effect, Event, PageIdentity, Phase};

const ANONYMOUS: &str = r#"{"token":"anonymous","conversation":"00000000010000000000000001"}"#;

fn ada() -> PageIdentity {
    PageIdentity::Subject("ada".into())
}

fn is_identify(call: &ApiCall) -> bool {
    matches!(call, ApiCall::Identify)
}

/// Answers the request for a JWT.
fn name(page: &mut TestPage, jwt: &str, identity: PageIdentity) {
    let (ticket, _) = page.take(is_identify);
    page.update(Event::Named {
        ticket,
        jwt: jwt.into(),
        identity,
    });
}

fn identify(page: &mut TestPage, identity: PageIdentity, stored: Option<&str>) {
    page.update(Event::Identified {
        identity,
        stored: stored.map(Into::into),
        outbox: None,
    });
}

/// Identity and resumed token of every request to open a session.
fn sessions(page: &TestPage) -> Vec<(Option<String>, Option<String>)> {
    page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some((request.identity.clone(), request.resume.clone())),
        _ => None,
    })
}

fn pair(identity: &str, resume: &str) -> (Option<String>, Option<String>) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (some(identity), some(resume))
}

/// A page on which Ada has got an answer.
fn adas() -> (TestPage, Id) {
    let mut page = TestPage::new();
    page.identity = ada();
    page.start(Some(ANONYMOUS));
    name(&mut page, "jwt 1", ada());
    page.open_session(None);
    page.submit("Secret");
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let id = page.last().id;
    page.stream(&turn(id));
    (page, id)
}

#[test]
fn nothing_of_a_known_visitor_is_kept() {
    let (mut page, _) = adas();
    page.submit("Unsent");
    assert_eq!(sessions(&page), [pair("jwt 1", "")]);
    assert_eq!((page.stored(), page.outbox()), (None, None));
    // Another tab has stored an anonymous visitor.
    page.update(Event::Found {
        stored: ANONYMOUS.into(),
    });
    assert_eq!(sessions(&page).len(), 1);
}

#[test]
fn a_known_visitors_latest_conversation_comes_from_the_edge() {
    let mut page = TestPage::new();
    page.identity = PageIdentity::Unresolved;
    page.start_with(
        Some(ANONYMOUS),
        Some(r#"[{"id":"00000000010000000000000009","text":"x"}]"#),
    );
    name(&mut page, "jwt", ada());
    page.open_session(Some(CONVERSATION));
    assert!(page.chat.messages().is_empty());
    assert!(page.find(is_history).is_some());
}

#[test]
fn a_token_is_renewed_with_a_fresh_identity() {
    let (mut page, first) = adas();
    page.submit("More");
    page.refuse(is_send, &problem(Code::TokenExpired));
    name(&mut page, "jwt 2", ada());
    assert_eq!(sessions(&page).last(), Some(&pair("jwt 2", "token")));
    page.open_session(Some(CONVERSATION));
    let id = page.last().id;
    page.stream(&turn(id));
    assert_eq!(page.chat.activity(), Activity::Idle);
    assert!(
        [first, id]
            .iter()
            .all(|id| page.chat.message(*id).is_some())
    );
}

#[test]
fn signing_out_forgets_everything_at_once_and_goes_on_anonymous() {
    let (mut page, _) = adas();
    page.submit("Unsent");
    page.effects.clear();
    identify(&mut page, PageIdentity::Anonymous, Some(ANONYMOUS));
    assert!(page.chat.messages().is_empty());
    assert!(page.chat.bot().is_none());
    assert_eq!(page.chat.phase(), Phase::Opening);
    assert!(page.effects.contains(&Effect::DraftTaken));
    assert!(page.find(is_stream).is_none(), "the answer is not heard on");
    assert_eq!(sessions(&page), [pair("", "anonymous")]);
    page.open_session(Some(CONVERSATION));
    assert!(!page.stored().unwrap_or_default().contains("Secret"));
}

#[test]
fn signing_in_leaves_what_is_stored_alone() {
    let mut page = TestPage::new();
    page.start(Some(ANONYMOUS));
    page.open_session(Some(CONVERSATION));
    page.effects.clear();
    identify(&mut page, ada(), Some(ANONYMOUS));
    name(&mut page, "jwt", ada());
    assert_eq!(sessions(&page), [pair("jwt", "")]);
    page.open_session(None);
    assert_eq!((page.stored(), page.outbox()), (None, None));
    assert!(
        !page.effects.contains(&Effect::DraftTaken),
        "the draft is the same person's"
    );
}

#[test]
fn another_visitor_finds_nothing_of_the_one_before() {
    let (mut page, _) = adas();
    let bob = PageIdentity::Subject("bob".into());
    identify(&mut page, bob.clone(), None);
    assert!(page.chat.messages().is_empty());
    name(&mut page, "jwt of bob", bob);
    assert_eq!(sessions(&page).last(), Some(&pair("jwt of bob", "")));
}

#[test]
fn the_same_visitor_said_again_stays() {
    let (mut page, _) = adas();
    identify(&mut page, ada(), None);
    assert_eq!(page.chat.phase(), Phase::Ready);
    name(&mut page, "jwt 2", ada());
    assert_eq!(sessions(&page).last(), Some(&pair("jwt 2", "token")));
    page.open_session(Some(CONVERSATION));
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn somebody_is_out_of_sight_until_it_is_clear_who_it_is() {
    for (identity, kept) in [
        (ada(), 2),
        (PageIdentity::Subject("bob".into()), 0),
        (PageIdentity::Unresolved, 0),
    ] {
        let (mut page, _) = adas();
        identify(&mut page, PageIdentity::Unresolved, None);
        assert_eq!(page.chat.phase(), Phase::Opening);
        assert_eq!(page.chat.messages().len(), 2);
        name(&mut page, "jwt 2", identity);
        assert_eq!(page.chat.messages().len(), kept);
        page.open_session(None);
        assert_eq!(page.chat.phase(), Phase::Ready);
    }
}

#[test]
fn an_identity_that_cannot_be_had_is_asked_for_within_bounds() {
    let (mut page, _) = adas();
    identify(&mut page, PageIdentity::Unresolved, None);
    for _ in 0..3 {
        let (ticket, _) = page.take(is_identify);
        page.update(Event::Unreachable { ticket });
        page.pass(2_000);
    }
    assert_eq!(page.chat.phase(), Phase::Unavailable);
    assert!(page.open.is_empty());
    // A page that never answers counts as one that fails.
    page.update(Event::ReloadAsked);
    page.pass(21_000);
    page.pass(600_000);
    assert_eq!(page.chat.phase(), Phase::Unavailable);
}

#[test]
fn an_identity_that_is_refused_waits_for_another() {
    let mut page = TestPage::new();
    page.identity = ada();
    page.start(None);
    name(&mut page, "old", ada());
    page.refuse(is_session, &problem(Code::IdentityExpired));
    assert_eq!(page.chat.phase(), Phase::Unavailable);
    identify(&mut page, ada(), None);
    name(&mut page, "new", ada());
    page.open_session(None);
    assert_eq!(page.chat.phase(), Phase::Ready);
}
