//! Random events in random order: no panic, no lost message, no endless retries.

use crate::support::*;
use bulle_protocol::{Id, problem::Code};
use bulle_widget_core::Event;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Submit(String),
    /// Answers an open call, with success or with an error.
    Answer(prop::sample::Index, u8),
    Stream(prop::sample::Index, usize),
    Bytes(prop::sample::Index, Vec<u8>),
    Break(prop::sample::Index),
    Wait(u64),
    Online(bool),
    Stop,
    Retry(prop::sample::Index),
    Reload,
    Earlier,
    All,
    Stray,
    Found,
    Passed(bool),
}

fn step() -> impl Strategy<Value = Step> {
    use prop::sample::Index;
    prop_oneof![
        3 => "[a-z ]{0,8}".prop_map(Step::Submit),
        6 => (any::<Index>(), 0..13u8).prop_map(|(i, n)| Step::Answer(i, n)),
        6 => (any::<Index>(), 0..12usize).prop_map(|(i, n)| Step::Stream(i, n)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(i, b)| Step::Bytes(i, b)),
        2 => any::<Index>().prop_map(Step::Break),
        3 => (0..50_000u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Online),
        1 => Just(Step::Stop),
        2 => any::<Index>().prop_map(Step::Retry),
        1 => Just(Step::Reload),
        1 => Just(Step::Earlier),
        1 => Just(Step::All),
        1 => Just(Step::Stray),
        1 => Just(Step::Found),
        2 => any::<bool>().prop_map(Step::Passed),
    ]
}

fn take(page: &mut TestPage, step: Step) {
    match step {
        Step::Submit(text) => page.submit(&text),
        Step::Answer(at, how) => {
            if page.open.is_empty() {
                return;
            }
            let (ticket, call) = page.open.remove(at.index(page.open.len()));
            let codes = [
                Code::TokenExpired,
                Code::RateLimited,
                Code::TurnInProgress,
                Code::NotFound,
                Code::NoTurn,
                Code::Internal,
                Code::QuotaExceeded,
                Code::Paused,
                Code::ChallengeRequired,
                Code::ChallengeFailed,
            ];
            let (status, body) = match codes.get(usize::from(how)) {
                Some(code) => {
                    let problem = problem(*code).retry_after(2);
                    (problem.status, serde_json::to_string(&problem).unwrap())
                }
                None => match call {
                    call if is_session(&call) => (
                        201,
                        serde_json::to_string(&opened(Some(CONVERSATION))).unwrap(),
                    ),
                    call if is_history(&call) => (200, history(vec![], Some("c"))),
                    _ => (201, created()),
                },
            };
            page.update(Event::Answered {
                ticket,
                status,
                body,
            });
        }
        Step::Stream(whose, upto) => {
            let messages = page.chat.messages();
            if messages.is_empty() || page.find(is_stream).is_none() {
                return;
            }
            let id = messages[whose.index(messages.len())].id;
            for event in turn(id).into_iter().take(upto) {
                if page.find(is_stream).is_some() {
                    page.stream(&[event]);
                }
            }
        }
        Step::Bytes(at, bytes) => {
            if !page.open.is_empty() {
                let ticket = page.open[at.index(page.open.len())].0;
                page.update(Event::Streamed { ticket, bytes });
            }
        }
        Step::Break(at) => {
            if !page.open.is_empty() {
                let (ticket, _) = page.open.remove(at.index(page.open.len()));
                page.update(Event::Unreachable { ticket });
            }
        }
        Step::Wait(ms) => page.pass(ms),
        Step::Online(true) => page.update(Event::Online),
        Step::Online(false) => page.update(Event::Offline),
        Step::Stop => page.update(Event::StopAsked),
        Step::Retry(at) => {
            let messages = page.chat.messages();
            if !messages.is_empty() {
                let message = messages[at.index(messages.len())].id;
                page.update(Event::RetryAsked { message });
            }
        }
        Step::Reload => page.update(Event::ReloadAsked),
        Step::Earlier => page.update(Event::EarlierAsked),
        Step::All => page.update(Event::AllAsked),
        Step::Passed(passed) => page.update(Event::Challenged {
            token: passed.then(|| "token".into()),
        }),
        Step::Stray => page.update(Event::Woken),
        Step::Found => page.update(Event::Found {
            stored: r#"{"token":"other","conversation":null}"#.into(),
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_message_is_ever_lost(steps in prop::collection::vec(step(), 0..80), stored in any::<bool>()) {
        let mut page = TestPage::new();
        let old = r#"{"token":"old","conversation":"00000000010000000000000001"}"#;
        page.start(stored.then_some(old));
        let mut written: Vec<Id> = Vec::new();
        for step in steps {
            take(&mut page, step);
            for message in page.chat.messages() {
                if message.is_visitors() && !written.contains(&message.id) {
                    written.push(message.id);
                }
            }
            for id in &written {
                prop_assert!(page.chat.message(*id).is_some(), "lost {id}");
            }
            let mut ids: Vec<Id> = page.chat.messages().iter().map(|m| m.id).collect();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), page.chat.messages().len(), "the same key twice");
        }
        // Without an edge, all activity ends.
        let before = page.effects.len();
        for _ in 0..60 {
            while let Some((ticket, _)) = page.open.pop() {
                page.update(Event::Unreachable { ticket });
            }
            page.pass(60_000);
        }
        prop_assert!(page.open.is_empty(), "still calling: {:?}", page.open);
        // Every message has a bounded number of tries, and each try a few effects.
        let bound = 100 * (page.chat.messages().len() + 2);
        prop_assert!(page.effects.len() - before < bound);
    }
}
