//! The line about business hours, which stays true while the page is open.

use crate::support::*;
use bulle_protocol::{problem::Code, session::Hours};
use bulle_widget_core::{ApiCall, Event};

/// Answers the open call for a session with this line.
fn told(page: &mut TestPage, text: &str, good_for_s: u32) {
    let mut opened = opened(None);
    opened.bot.hours = Some(Hours {
        open: text == "open",
        text: text.into(),
        good_for_s,
    });
    let body = serde_json::to_string(&opened).unwrap();
    page.answer(is_session, 201, &body);
}

fn ready(text: &str, good_for_s: u32) -> TestPage {
    let mut page = TestPage::new();
    page.start(None);
    told(&mut page, text, good_for_s);
    page
}

fn line(page: &TestPage) -> &str {
    &page.chat.bot().unwrap().hours.as_ref().unwrap().text
}

fn asks(page: &TestPage) -> bool {
    page.find(is_session).is_some()
}

#[test]
fn the_line_changes_when_the_business_opens_and_closes() {
    let mut page = ready("open", 600);
    page.pass(599_999);
    assert!(!asks(&page));
    page.pass(3_001);
    let resumes = page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some(request.resume.clone()),
        _ => None,
    });
    assert_eq!(resumes.last().unwrap().as_deref(), Some("token"));
    assert_eq!(line(&page), "open");
    told(&mut page, "closed", 3_600);
    assert_eq!(line(&page), "closed");
    page.pass(3_600_000 + 3_000);
    told(&mut page, "open", 3_600);
    assert_eq!(line(&page), "open");
    assert!(page.find(is_history).is_none(), "the conversation stays");
}

#[test]
fn looking_at_the_panel_and_writing_ask_again_but_not_at_once() {
    for looks in [
        Event::Shown,
        Event::Submitted { text: "Hi".into() },
        Event::Picked { text: "Hi".into() },
    ] {
        let mut page = ready("open", 3_600);
        page.pass(29_000);
        page.update(looks.clone());
        assert!(!asks(&page), "{looks:?}");
        page.pass(1_000);
        page.update(looks.clone());
        assert!(asks(&page), "{looks:?}");
        told(&mut page, "closed", 3_600);
        assert_eq!(line(&page), "closed");
        page.update(looks);
        assert!(!asks(&page));
    }
}

#[test]
fn a_message_that_is_refused_because_it_is_closed_shows_that_the_line_is_not_true() {
    let mut page = ready("open", 3_600);
    page.submit("Hi");
    page.refuse(
        |call| matches!(call, ApiCall::CreateConversation),
        &problem(Code::Closed),
    );
    told(&mut page, "closed", 3_600);
    assert_eq!(line(&page), "closed");
}

#[test]
fn a_bot_without_hours_is_never_asked_again() {
    let mut page = TestPage::ready();
    page.pass(24 * 3_600_000);
    page.update(Event::Shown);
    page.submit("Hi");
    assert!(!asks(&page));
}

#[test]
fn an_edge_that_does_not_answer_is_asked_again_later_and_the_page_is_not_told() {
    let mut page = ready("open", 60);
    page.pass(63_000);
    page.refuse(is_session, &problem(Code::IdentityExpired));
    assert!(page.host_events().iter().all(|(name, _)| *name != "error"));
    page.pass(296_000);
    assert!(!asks(&page));
    page.pass(4_000);
    let (ticket, _) = page.take(is_session);
    page.update(Event::Unreachable { ticket });
    assert_eq!(line(&page), "open");
    page.pass(300_000);
    told(&mut page, "closed", 3_600);
    assert_eq!(line(&page), "closed");
}
