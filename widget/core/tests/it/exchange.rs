//! One message and its answer: every failure in between, and what the visitor can do.

use crate::support::*;
use bulle_protocol::{
    Id,
    event::{EventId, Finish, ServerEvent},
    problem::Code,
};
use bulle_widget_core::{Activity, ApiCall, Caveat, Connection, DraftError, Effect, Event, Stage};

#[test]
fn a_message_is_shown_at_once_and_answered() {
    let mut page = TestPage::ready();
    page.submit("  Hi  ");
    assert!(page.effects.contains(&Effect::DraftTaken));
    assert_eq!(page.last().text, "Hi");
    assert_eq!(page.chat.activity(), Activity::Thinking);
    page.answer(
        |c| matches!(c, ApiCall::CreateConversation),
        201,
        &created(),
    );
    let id = page.last().id;
    page.stream(&turn(id));
    assert_eq!(page.chat.activity(), Activity::Idle);
    let [mine, theirs] = page.chat.messages() else {
        panic!("{:?}", page.chat.messages());
    };
    assert_eq!(mine.stage, Stage::Delivered);
    assert_eq!(theirs.stage, Stage::Complete);
    assert_eq!(theirs.plain(), "One two[1]\n\nThree four five");
    assert_eq!(theirs.sources.len(), 1);
    assert_eq!(theirs.suggestions, ["And then?"]);
    // Each paragraph is announced when it is complete.
    assert_eq!(page.said(), ["typing", "One two", "Three four five"]);
    assert!(page.find(is_stream).is_none(), "nobody listens any more");
}

#[test]
fn drafts_are_refused_with_a_reason_and_kept() {
    let longest = "é".repeat(4000);
    for (draft, refusal) in [
        (String::new(), Some(DraftError::Empty)),
        (" \n\t ".into(), Some(DraftError::Empty)),
        (format!("{longest}x"), Some(DraftError::TooLong(4000))),
        (format!("  {longest}  "), None),
    ] {
        let mut page = TestPage::ready();
        page.submit(&draft);
        assert_eq!(page.chat.draft_error(), refusal);
        let taken = page.effects.contains(&Effect::DraftTaken);
        assert_eq!(taken, refusal.is_none());
        page.update(Event::Edited);
        assert_eq!(page.chat.draft_error(), None);
    }
}

#[test]
fn a_suggestion_leaves_the_draft_alone() {
    let mut page = TestPage::ready();
    page.update(Event::Picked {
        text: "Why?".into(),
    });
    assert_eq!(page.last().text, "Why?");
    assert!(!page.effects.contains(&Effect::DraftTaken));
}

#[test]
fn cut_after_every_event_the_answer_is_the_same_and_asked_for_once() {
    let whole = {
        let (mut page, id) = TestPage::asking("Hi");
        page.stream(&turn(id));
        page.timeless()
    };
    let count = whole.len();
    for cut in 0..turn(REPLY).len() {
        let (mut page, id) = TestPage::asking("Hi");
        let events = turn(id);
        let (before, after) = events.split_at(cut);
        page.stream(before);
        page.cut();
        assert_eq!(page.chat.connection(), Connection::Reconnecting);
        page.pass(1000);
        if cut == 0 {
            // The message was not acknowledged: it is posted again.
            assert!(page.find(is_send).is_some());
            page.stream(&events);
        } else {
            let (ticket, call) = page.take(is_attach);
            let last = before.last().unwrap().0;
            let (conversation, after_id) = (CONVERSATION, Some(last));
            assert_eq!(
                call,
                ApiCall::Attach {
                    conversation,
                    after: after_id
                }
            );
            page.open.push((ticket, call));
            page.stream(after);
        }
        assert_eq!(page.timeless(), whole, "cut after {cut}");
        assert_eq!(page.chat.messages().len(), count);
        assert_eq!(page.chat.connection(), Connection::Fine);
        let posts = page.posts();
        assert_eq!(posts.len(), if cut == 0 { 2 } else { 1 });
        assert!(posts.iter().all(|post| post.id == id && !post.retry));
    }
}

#[test]
fn an_edge_that_replays_from_the_start_changes_nothing() {
    let (mut page, id) = TestPage::asking("Hi");
    let events = turn(id);
    page.stream(&events[..5]);
    page.cut();
    page.pass(1000);
    page.stream(&events);
    assert_eq!(page.last().plain(), "One two[1]\n\nThree four five");
}

#[test]
fn silence_counts_as_a_loss_but_a_comment_is_a_sign_of_life() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    let ticket = page.find(is_stream).unwrap();
    for _ in 0..5 {
        page.pass(30_000);
        let bytes = b": keep-alive\n\n".to_vec();
        page.update(Event::Streamed { ticket, bytes });
    }
    assert_eq!(page.find(is_stream), Some(ticket));
    page.pass(41_000);
    assert_ne!(page.find(is_stream), Some(ticket));
    assert!(page.find(is_attach).is_some());
}

#[test]
fn after_eight_tries_a_button_follows_the_same_turn() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..3]);
    page.cut();
    for _ in 0..8 {
        assert!(page.last().failure.is_none());
        page.pass(13_000);
        page.cut();
    }
    assert_eq!(
        page.last().failure.as_ref().unwrap().code,
        Code::UpstreamInterrupted
    );
    assert_eq!(page.chat.activity(), Activity::Idle);
    page.pass(100_000);
    assert!(page.find(is_stream).is_none(), "no endless loop");
    page.update(Event::RetryAsked { message: id });
    page.stream(&turn(id)[3..]);
    assert_eq!(page.last().plain(), "One two[1]\n\nThree four five");
    assert_eq!(page.posts().len(), 1);
}

#[test]
fn a_malformed_event_is_a_loss_with_bounded_tries() {
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    for _ in 0..20 {
        if let Some(ticket) = page.find(is_stream) {
            let bytes = format!("event: append\nid: {id}:3\ndata: {{}}\n\n").into_bytes();
            page.update(Event::Streamed { ticket, bytes });
        }
        page.pass(13_000);
    }
    assert!(page.last().failure.is_some());
    assert_eq!(page.calls(|c| is_attach(c).then_some(())).len(), 8);
}

#[test]
fn unknown_events_are_skipped() {
    let (mut page, id) = TestPage::asking("Hi");
    let ticket = page.find(is_stream).unwrap();
    let bytes = format!("event: later\nid: {id}:1\ndata: ?\n\n").into_bytes();
    page.update(Event::Streamed { ticket, bytes });
    assert_eq!(page.find(is_stream), Some(ticket));
}

#[test]
fn an_error_in_band_keeps_what_was_written_and_a_retry_asks_again() {
    let (mut page, id) = TestPage::asking("Hi");
    let failed = number(
        id,
        vec![
            start(id, REPLY),
            block(0, "Half"),
            error(Code::UpstreamInterrupted, None),
        ],
    );
    page.stream(&failed);
    page.cut();
    let failure = page.last().failure.clone().unwrap();
    assert_eq!(failure.text(Some(&strings()), page.now), "It broke off.");
    assert_eq!(page.last().plain(), "Half");
    page.update(Event::RetryAsked { message: id });
    let posts = page.posts();
    assert_eq!(posts.last().map(|p| (p.id, p.retry)), Some((id, true)));
    // The edge replays the first attempt too; the second start discards it.
    let second = Id::from_parts(3, 3);
    let mut events = failed;
    for event in [start(id, second), block(0, "Whole"), done(Finish::Stop)] {
        let seq = u32::try_from(events.len()).unwrap() + 1;
        events.push((EventId { turn: id, seq }, event));
    }
    page.stream(&events);
    assert_eq!(page.chat.messages().len(), 2);
    assert_eq!(page.last().plain(), "Whole");
    assert!(page.chat.messages().iter().all(|m| m.failure.is_none()));
}

#[test]
fn a_replay_of_both_attempts_ends_well() {
    let mut page = TestPage::new();
    page.start(None);
    page.open_session(Some(CONVERSATION));
    let id = Id::from_parts(5, 5);
    let item = stored_message(id, bulle_protocol::conversation::Role::User, None);
    page.answer(is_history, 200, &history(vec![item], None));
    assert_eq!(page.chat.activity(), Activity::Thinking);
    let events = number(
        id,
        vec![
            start(id, REPLY),
            block(0, "Half"),
            error(Code::Interrupted, None),
            start(id, REPLY),
            block(0, "Whole"),
            done(Finish::Length),
        ],
    );
    page.stream(&events);
    assert_eq!(page.last().plain(), "Whole");
    assert_eq!(page.last().caveats, [Caveat::Truncated]);
    assert!(page.posts().is_empty());
}

#[test]
fn stopping_works_every_time_even_before_the_edge_has_the_message() {
    let is_cancel = |call: &ApiCall| matches!(call, ApiCall::Cancel { .. });
    let (mut page, id) = TestPage::asking("Hi");
    page.pass(600);
    page.update(Event::StopAsked);
    assert!(page.find(is_cancel).is_none());
    page.stream(&turn(id)[..2]);
    page.answer(is_cancel, 204, "");
    page.update(Event::StopAsked);
    page.answer(is_cancel, 204, "");
    let end = EventId { turn: id, seq: 3 };
    page.stream(&[(end, done(Finish::Stopped))]);
    assert_eq!(page.last().caveats, [Caveat::Stopped]);
    assert_eq!(page.chat.activity(), Activity::Idle);
}

#[test]
fn the_second_click_of_a_double_click_does_not_stop_the_answer() {
    let is_cancel = |call: &ApiCall| matches!(call, ApiCall::Cancel { .. });
    let (mut page, id) = TestPage::asking("Hi");
    page.stream(&turn(id)[..2]);
    page.pass(300);
    page.update(Event::StopAsked);
    assert!(page.find(is_cancel).is_none());
    page.pass(300);
    page.update(Event::StopAsked);
    assert!(page.find(is_cancel).is_some());
}

#[test]
fn a_message_stopped_while_the_edge_is_away_stays_here_and_can_be_sent() {
    for broken_first in [true, false] {
        let (mut page, id) = TestPage::asking("Hi");
        page.pass(600);
        if broken_first {
            page.cut();
            page.update(Event::StopAsked);
        } else {
            page.update(Event::StopAsked);
            page.cut();
        }
        assert_eq!(page.chat.activity(), Activity::Idle);
        assert_eq!(page.chat.connection(), Connection::Fine);
        let failure = page.last().failure.clone().unwrap();
        assert_eq!(failure.text(Some(&strings()), page.now), "");
        assert_eq!(page.said().last(), Some(&"not_sent"));
        assert_eq!(page.outbox(), Some(""), "nor after a reload");
        page.update(Event::Offline);
        page.update(Event::Online);
        page.pass(60_000);
        assert!(page.find(is_send).is_none(), "not by itself");
        page.update(Event::RetryAsked { message: id });
        page.stream(&turn(id));
        assert_eq!(page.chat.messages().len(), 2);
    }
}

#[test]
fn an_answer_that_was_not_kept_says_so() {
    let (mut page, id) = TestPage::asking("Hi");
    let ServerEvent::Done(mut end) = done(Finish::Stop) else {
        panic!()
    };
    end.kept = false;
    page.stream(&number(
        id,
        vec![start(id, REPLY), block(0, "A"), ServerEvent::Done(end)],
    ));
    assert_eq!(page.last().caveats, [Caveat::NotKept]);
}

#[test]
fn problems_keep_the_message_and_say_why() {
    for (code, words) in [
        (Code::UpstreamUnavailable, "upstream_unavailable"),
        (Code::UpstreamTimeout, "upstream_timeout"),
        (Code::StorageUnavailable, "failed"),
        (Code::OriginNotAllowed, "not_here"),
        (Code::Internal, "failed"),
    ] {
        let (mut page, id) = TestPage::asking("Hi");
        page.refuse(is_send, &problem(code));
        let failure = page.last().failure.clone().unwrap();
        assert_eq!(failure.text(Some(&strings()), page.now), words);
        assert_eq!(page.last().id, id);
        let logged = page.effects.contains(&Effect::Log("for the owner".into()));
        assert_eq!(logged, code == Code::OriginNotAllowed);
        page.update(Event::RetryAsked { message: id });
        page.stream(&turn(id));
        assert_eq!(page.chat.messages().len(), 2);
    }
}

#[test]
fn a_proxys_error_page_is_a_loss_not_an_answer() {
    let (mut page, id) = TestPage::asking("Hi");
    page.answer(is_send, 502, "<html>Bad gateway</html>");
    assert!(page.last().failure.is_none());
    page.pass(1000);
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn a_limit_counts_down_and_then_sends_in_order() {
    let (mut page, id) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::RateLimited).retry_after(3));
    let words = |page: &TestPage| {
        let failure = page.chat.message(id).unwrap().failure.clone().unwrap();
        failure.text(Some(&strings()), page.chat.now())
    };
    assert_eq!(words(&page), "wait 3 s");
    page.pass(1100);
    assert_eq!(words(&page), "wait 2 s");
    page.update(Event::RetryAsked { message: id });
    assert!(page.find(is_send).is_none(), "not yet");
    page.submit("Second");
    assert!(page.find(is_send).is_none(), "the next one waits too");
    page.pass(2000);
    assert!(page.chat.message(id).unwrap().failure.is_none());
    page.stream(&turn(id));
    let posts: Vec<String> = page.posts().into_iter().map(|post| post.text).collect();
    assert_eq!(posts, ["Hi", "Hi", "Second"]);
}

#[test]
fn a_limit_that_never_ends_ends_in_a_button() {
    let (mut page, id) = TestPage::asking("Hi");
    for _ in 0..10 {
        if page.find(is_send).is_some() {
            page.refuse(is_send, &problem(Code::RateLimited).retry_after(1));
        }
        page.pass(2000);
    }
    assert_eq!(page.posts().len(), 4);
    assert!(page.chat.message(id).unwrap().failure.is_some());
    page.update(Event::RetryAsked { message: id });
    page.stream(&turn(id));
    assert_eq!(page.chat.messages().len(), 2);
}

#[test]
fn a_long_limit_is_told_in_minutes_and_forgotten_by_a_new_conversation() {
    let (mut page, _) = TestPage::asking("Hi");
    page.refuse(is_send, &problem(Code::RateLimited).retry_after(170));
    let failure = page.last().failure.clone().unwrap();
    assert_eq!(failure.text(Some(&strings()), page.now), "wait 3 min");
    page.update(Event::NewAsked);
    page.submit("NextCall");
    assert!(
        page.find(|c| matches!(c, ApiCall::CreateConversation))
            .is_some()
    );
}

#[test]
fn a_running_turn_of_another_tab_is_followed_first() {
    let (mut page, id) = TestPage::asking("Mine");
    page.refuse(is_send, &problem(Code::TurnInProgress));
    let other = Id::from_parts(4, 4);
    let item = stored_message(other, bulle_protocol::conversation::Role::User, None);
    page.answer(is_history, 200, &history(vec![item], None));
    page.stream(&turn(other));
    // The waiting message is sent next.
    assert_eq!(page.posts().len(), 2);
    let ids: Vec<Id> = page.chat.messages().iter().map(|m| m.id).collect();
    assert_eq!(ids, [other, REPLY, id]);
}

#[test]
fn a_turn_that_is_always_in_progress_ends_in_a_button() {
    let (mut page, _) = TestPage::asking("Mine");
    for _ in 0..10 {
        if page.find(is_send).is_some() {
            page.refuse(is_send, &problem(Code::TurnInProgress));
        }
        if page.find(is_history).is_some() {
            page.answer(is_history, 200, &history(vec![], None));
        }
    }
    assert!(page.last().failure.is_some());
    assert_eq!(page.posts().len(), 4);
}
