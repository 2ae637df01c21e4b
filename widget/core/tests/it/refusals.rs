//! Refusals of the edge, with its texts: no typed message is lost.

use crate::support::*;
use bulle_protocol::{
    event::{Done, Finish, Remaining, ServerEvent},
    problem::{Action, Code, Problem},
    session::Session,
};
use bulle_widget_core::{ApiCall, Effect, Event, Phase, Stage};

const DAY: u32 = 12_000;

fn told(code: Code, retry_after: Option<u32>) -> Problem {
    let mut problem = problem(code);
    problem.message = Some("The owner's words.".into());
    problem.retry_after = retry_after;
    problem.action = Some(Action {
        label: "Upgrade".into(),
        url: "https://example.com/upgrade".into(),
    });
    problem
}

/// The failure text below the last message.
fn shown(page: &TestPage) -> String {
    let failure = page.last().failure.as_ref().expect("a failure");
    failure.text(page.chat.bot().map(|bot| &bot.strings), page.now)
}

fn open_as(page: &mut TestPage, tier: &str) {
    let mut opened: Session = opened(Some(CONVERSATION));
    opened.visitor.tier = tier.into();
    let body = serde_json::to_string(&opened).unwrap();
    page.answer(is_session, 201, &body);
}

#[test]
fn a_used_up_day_keeps_the_message_and_is_not_waited_for() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &told(Code::QuotaExceeded, Some(DAY)));
    let message = page.last();
    assert_eq!((message.id, message.stage), (id, Stage::Sending));
    assert_eq!(shown(&page), "The owner's words.");
    assert!(message.failure.as_ref().unwrap().action.is_some());
    assert!(page.outbox().unwrap().contains("Hi"));
    // It is retried neither automatically nor too early.
    page.update(Event::RetryAsked { message: id });
    page.pass(u64::from(DAY) * 1000 + 60_000);
    assert_eq!(page.posts().len(), 1);
    assert_eq!(shown(&page), "");
    page.update(Event::RetryAsked { message: id });
    assert_eq!(page.posts().len(), 2);
    page.stream(&turn(id));
    assert!(page.chat.messages().iter().all(|m| m.failure.is_none()));
}

#[test]
fn a_used_up_day_is_told_in_hours_by_the_bubble_itself() {
    let (mut page, _) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::QuotaExceeded).retry_after(DAY));
    assert_eq!(shown(&page), "tomorrow, in 3 h 20 min");
    page.pass(61_000);
    assert_eq!(shown(&page), "tomorrow, in 3 h 19 min");
}

#[test]
fn more_is_possible_at_once_for_a_visitor_of_another_tier() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &told(Code::QuotaExceeded, Some(DAY)));
    page.submit("NextCall");
    page.refuse(is_send, &problem(Code::TokenExpired));
    open_as(&mut page, "PREMIUM");
    page.update(Event::StopAsked);
    let first = page.chat.message(id).unwrap();
    assert_eq!(first.failure.as_ref().unwrap().seconds_left(page.now), 0);
}

#[test]
fn a_refused_opening_says_why() {
    for (code, may_pass, logged) in [
        (Code::Paused, true, true),
        (Code::OriginNotAllowed, false, true),
        (Code::UnknownSite, false, true),
        (Code::IdentityRequired, false, true),
        (Code::IdentityInvalid, false, true),
        (Code::IdentityExpired, false, true),
        (Code::QuotaExceeded, true, false),
    ] {
        let mut page = TestPage::new();
        page.start(None);
        page.refuse(is_session, &told(code, None));
        assert_eq!(page.chat.phase(), Phase::Unavailable);
        let refused = page.chat.opening_failure().expect("a reason").clone();
        assert_eq!(refused.text(None, page.now), "The owner's words.");
        assert_eq!(refused.may_pass(), may_pass, "{code:?}");
        let log = Effect::Log("for the owner".into());
        assert_eq!(page.effects.contains(&log), logged, "{code:?}");
        page.pass(600_000);
        assert!(
            page.open.is_empty(),
            "{code:?} is not tried again by itself"
        );
        page.update(Event::ReloadAsked);
        assert_eq!(page.chat.phase(), Phase::Opening);
        assert!(page.chat.opening_failure().is_none());
        page.open_session(None);
        assert_eq!(page.chat.phase(), Phase::Ready);
    }
}

#[test]
fn an_opening_that_came_too_soon_is_tried_again_when_it_may_be() {
    let mut page = TestPage::new();
    page.start(None);
    let mut problem = told(Code::RateLimited, Some(30));
    problem.message = Some("Back in 30 s.".into());
    page.refuse(is_session, &problem);
    page.pass(10_000);
    let refused = page.chat.opening_failure().unwrap();
    assert_eq!(refused.text(None, page.now), "Back in 20 s.");
    assert!(page.open.is_empty());
    page.pass(20_000);
    page.refuse(is_session, &problem);
    page.pass(30_000);
    page.refuse(is_session, &problem);
    page.pass(3_600_000);
    assert!(page.open.is_empty(), "within bounds");
    page.update(Event::ReloadAsked);
    page.open_session(None);
    assert_eq!(page.chat.phase(), Phase::Ready);
}

#[test]
fn a_visitor_passes_a_check_and_is_asked_again_when_it_failed() {
    let challenge = |code| {
        let mut problem = problem(code);
        problem.message = Some("Human?".into());
        problem.action = (code == Code::ChallengeRequired).then(|| Action {
            label: "sitekey".into(),
            url: "https://challenges.example/api.js".into(),
        });
        problem
    };
    let tokens = |page: &TestPage| {
        page.calls(|call| match call {
            ApiCall::OpenSession(request) => Some(request.challenge.clone()),
            _ => None,
        })
    };
    let mut page = TestPage::new();
    page.start(None);
    page.refuse(is_session, &challenge(Code::ChallengeRequired));
    assert_eq!(page.chat.challenge().unwrap().label, "sitekey");
    let pass = |page: &mut TestPage, token: &str| {
        page.update(Event::Challenged {
            token: Some(token.into()),
        });
    };
    pass(&mut page, "one");
    assert!(page.chat.challenge().is_none());
    page.refuse(is_session, &challenge(Code::ChallengeFailed));
    assert_eq!(page.chat.challenge().unwrap().label, "sitekey");
    pass(&mut page, "two");
    // If the answer was lost, the Turnstile token is still valid.
    let (ticket, _) = page.take(is_session);
    page.update(Event::Unreachable { ticket });
    page.pass(2_000);
    page.open_session(None);
    let token = |token: &str| Some(token.to_owned());
    assert_eq!(
        tokens(&page),
        [None, token("one"), token("two"), token("two")]
    );
    assert_eq!(page.chat.phase(), Phase::Ready);
}

#[test]
fn a_check_that_cannot_be_shown_leaves_a_button() {
    let mut page = TestPage::new();
    page.start(None);
    let mut problem = told(Code::ChallengeRequired, None);
    page.refuse(is_session, &problem);
    page.update(Event::Challenged { token: None });
    assert_eq!(page.chat.phase(), Phase::Unavailable);
    assert!(page.chat.opening_failure().is_none() && page.chat.challenge().is_none());
    page.update(Event::ReloadAsked);
    problem.code = Code::ChallengeRequired;
    page.refuse(is_session, &problem);
    assert!(page.chat.challenge().is_some());
}

#[test]
fn a_check_in_the_middle_makes_the_message_wait() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::TokenExpired));
    page.refuse(is_session, &told(Code::ChallengeRequired, None));
    assert!(page.chat.challenge().is_some());
    page.pass(60_000);
    page.update(Event::Challenged {
        token: Some("token".into()),
    });
    page.open_session(Some(CONVERSATION));
    page.stream(&turn(id));
    assert_eq!(page.posts().len(), 2);
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn few_messages_left_are_told_and_many_are_not() {
    for (day, told) in [
        (None, None),
        (Some(4), None),
        (Some(3), Some(3)),
        (Some(0), Some(0)),
    ] {
        let (mut page, id) = TestPage::asking("Hi");
        assert_eq!(page.chat.few_left(), None);
        let ServerEvent::Done(done) = done(Finish::Stop) else {
            panic!("no done");
        };
        let remaining = Remaining { minute: None, day };
        let done = ServerEvent::Done(Done { remaining, ..done });
        page.stream(&number(id, vec![start(id, REPLY), block(0, "One"), done]));
        assert_eq!(page.chat.few_left(), told);
        let said = page.said().pop().unwrap_or_default().to_owned();
        let heard = told.map_or_else(|| "One".into(), |n| format!("One\nleft: {n}"));
        assert_eq!(said, heard);
    }
}
