//! Events for the page, calls for the modules of widget/page, erasure, other conversations, files.

use crate::support::*;
use bulle_protocol::{Id, conversation::Rating, event::ServerEvent, problem::Code};
use bulle_widget_core::{ApiCall, Effect, Event, PageIdentity, Phase};

#[test]
fn the_page_is_told_what_happens() {
    let (mut page, id) = TestPage::asking("Hi \"you\"");
    page.stream(&turn(id));
    page.update(Event::Rated {
        message: REPLY,
        rating: Some(Rating::Down),
    });
    let text = "One two[1]\\n\\nThree four five";
    assert_eq!(
        page.host_events(),
        [
            ("ready", "{}".to_owned()),
            ("message", r#"{"text":"Hi \"you\""}"#.to_owned()),
            ("reply", format!(r#"{{"id":"{REPLY}","text":"{text}"}}"#)),
            (
                "feedback",
                format!(r#"{{"message":"{REPLY}","rating":"down"}}"#)
            ),
        ]
    );
    assert_eq!(page.last().rating, Some(Rating::Down));
    page.update(Event::Rated {
        message: REPLY,
        rating: None,
    });
    assert_eq!(page.last().rating, None);
    assert_eq!(page.host_events().len(), 4);
}

#[test]
fn the_page_is_told_of_an_answer_that_does_not_answer() {
    let (mut page, id) = TestPage::asking("Hi?");
    let mut turn = turn(id);
    if let Some((_, ServerEvent::Done(done))) = turn.last_mut() {
        done.unanswered = true;
    }
    page.stream(&turn);
    let (kind, detail) = page.host_events().pop().unwrap();
    assert_eq!(kind, "reply");
    assert!(detail.ends_with(r#","unanswered":true}"#), "{detail}");
}

#[test]
fn the_page_is_told_of_failures_by_code() {
    let mut page = TestPage::new();
    page.start(None);
    page.refuse(is_session, &problem(Code::UnknownSite));
    let (mut other, _) = TestPage::asking("Hi");
    other.refuse(is_send, &problem(Code::Paused));
    for page in [page, other] {
        let (name, detail) = page.host_events().pop().unwrap();
        assert_eq!(name, "error");
        assert!(detail.contains("\"code\":\""), "{detail}");
    }
}

#[test]
fn a_call_for_somebody_else_is_answered_whatever_comes() {
    let mut page = TestPage::ready();
    let call = |page: &mut TestPage| {
        let ticket = page.chat.next_ticket();
        page.update(Event::CallAsked {
            method: "DELETE".into(),
            path: "/v1/me".into(),
            body: None,
        });
        let (open, call) = page.take(|call| matches!(call, ApiCall::Other { .. }));
        assert_eq!(open, ticket);
        assert_eq!((call.method(), call.path()), ("DELETE", "/v1/me".into()));
        ticket
    };
    let replied = |page: &TestPage| {
        page.effects.iter().rev().find_map(|effect| match effect {
            Effect::Replied { status, body, .. } => Some((*status, body.clone())),
            _ => None,
        })
    };
    let ticket = call(&mut page);
    page.update(Event::Answered {
        ticket,
        status: 204,
        body: String::new(),
    });
    assert_eq!(replied(&page), Some((204, String::new())));
    let ticket = call(&mut page);
    page.update(Event::Unreachable { ticket });
    assert_eq!(replied(&page), Some((0, String::new())));
    // An expired token is renewed first.
    let ticket = call(&mut page);
    let body = serde_json::to_string(&problem(Code::TokenExpired)).unwrap();
    page.update(Event::Answered {
        ticket,
        status: 401,
        body,
    });
    page.open_session(None);
    let other = |call: &ApiCall| matches!(call, ApiCall::Other { .. });
    page.answer(other, 200, "{}");
    assert_eq!(replied(&page), Some((200, "{}".to_owned())));
}

#[test]
fn a_call_for_somebody_else_outlives_a_new_conversation_but_not_its_visitor() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id));
    let called = |page: &mut TestPage| {
        page.update(Event::CallAsked {
            method: "GET".into(),
            path: "/v1/conversations".into(),
            body: None,
        });
    };
    let replies = |page: &TestPage| {
        let replied = page.effects.iter().filter_map(|effect| match effect {
            Effect::Replied { status, .. } => Some(*status),
            _ => None,
        });
        replied.collect::<Vec<_>>()
    };
    called(&mut page);
    page.update(Event::NewAsked);
    let other = |call: &ApiCall| matches!(call, ApiCall::Other { .. });
    page.answer(other, 200, "{}");
    assert_eq!(replies(&page), [200]);

    page.update(Event::Attached {
        files: r#"[{"id":"00000000010000000000000007","name":"cv.pdf","bytes":9}]"#.into(),
    });
    called(&mut page);
    page.update(Event::Identified {
        identity: PageIdentity::Subject("ada".into()),
        stored: None,
        outbox: None,
    });
    assert_eq!(replies(&page), [200, 0], "nobody waits for ever");
    assert_eq!(
        page.host_events().last(),
        Some(&("forget", "{}".to_owned()))
    );
    page.submit("Mine");
    assert!(page.last().attachments.is_empty(), "files of somebody else");
}

#[test]
fn a_visitor_who_has_been_erased_leaves_nothing_behind() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id));
    page.update(Event::Erased);
    assert_eq!(page.chat.phase(), Phase::Opening);
    assert!(page.chat.messages().is_empty());
    assert_eq!(page.stored(), Some(""));
    assert_eq!(page.outbox(), Some(""));
    let requests = page.calls(|call| match call {
        ApiCall::OpenSession(request) => Some(request.resume.clone()),
        _ => None,
    });
    assert_eq!(requests.last(), Some(&None), "somebody new");
    page.open_session(None);
    assert_eq!(page.stored(), Some(""), "nothing before the next word");
    assert!(!page.chat.uses_storage());
}

#[test]
fn another_conversation_is_shown_and_kept() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id));
    let other = Id::from_parts(77, 7);
    page.update(Event::ShowAsked {
        conversation: other,
    });
    assert!(page.chat.messages().is_empty());
    assert!(page.stored().unwrap().contains(&other.to_string()));
    page.answer(is_history, 200, &history(vec![], None));
    page.update(Event::ShowAsked {
        conversation: other,
    });
    assert!(page.find(is_history).is_none(), "it is shown already");
}

#[test]
fn files_go_with_the_next_message_and_with_no_other() {
    let mut page = TestPage::ready();
    let files = r#"[{"id":"00000000010000000000000007","name":"cv.pdf","bytes":9}]"#;
    page.update(Event::Attached {
        files: files.into(),
    });
    page.submit("Read this");
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let id = page.last().id;
    assert_eq!(page.last().attachments[0].name, "cv.pdf");
    assert_eq!(page.posts()[0].attachments.len(), 1);
    // If this page could not send them, the next page does.
    let outbox = page.outbox().unwrap().to_owned();
    let mut next = TestPage::new();
    next.start_with(None, Some(&outbox));
    next.open_session(None);
    next.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    assert_eq!(next.posts()[0].attachments, page.posts()[0].attachments);

    page.stream(&turn(id));
    page.submit("And this?");
    assert!(page.posts().last().unwrap().attachments.is_empty());
    page.update(Event::Attached {
        files: "nonsense".into(),
    });
}
