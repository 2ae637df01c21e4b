//! Turns for a client of the API, which reads Markdown and cannot take text back.

use super::*;
use crate::{
    completion::request::{ClientMessage, Speaker},
    guard,
};

fn run_raw(ports: &Fakes, deployment: &Deployment, most: Option<u32>) -> (Sent, Ended) {
    let question = question("Et Kubernetes ?");
    let record = accepted(&question, 0);
    let ask = Ask {
        reader: Reader::Client,
        most,
        ..first_ask(&question, &record)
    };
    let mut sent = Sent::default();
    let never = Box::pin(std::future::pending());
    let ended = block_on(run(ports, deployment, &ask, &mut sent, never));
    (sent, ended)
}

/// A piece of a response's body with these bytes.
fn bytes(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

#[test]
fn the_message_is_stored_first_and_nobody_waits_for_that_before_the_model_is_asked() {
    let ports = documents();
    ports.slow_archive.set(100);
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let (sent, ended) = run_raw(&ports, &model(), None);
    assert!(ports.slow_archive.get() > 0);
    assert_eq!(ended.kept, Some(Kept::Everything));
    assert!(sent.log.is_empty(), "{:?}", sent.log);
    let records = ports.records.borrow();
    let [first, last] = &records[..] else {
        panic!("{records:?}")
    };
    assert!(first.reply.is_none() && first.question == last.question);
}

#[test]
fn markdown_is_told_as_it_is_seen_and_what_it_cites_is_said() {
    let ports = documents();
    ports.add_hit(hit("Helm", "Des chartes."));
    let pieces = ["**Huit", " ans** [2", "] et [1], [9]."];
    let body = pieces.iter().map(|piece| chunk(piece)).chain([stop()]);
    ports.answer(200, body.collect());
    let (sent, ended) = run_raw(&ports, &model(), None);
    assert_eq!(sent.wrote, "**Huit ans** [2] et [1], [9].");
    assert_eq!(ended.cites, [2, 1]);
}

#[test]
fn what_nobody_has_seen_is_not_told() {
    let ports = documents();
    // An incomplete citation is held back, so the next model may still answer.
    ports.answer(200, vec![chunk("[1"), Piece::Broken]);
    ports.answer(200, vec![chunk("Huit ans."), stop()]);
    let (sent, ended) = run_raw(&ports, &having(&["openai"]), None);
    assert_eq!(sent.wrote, ended.text);
    let starts = sent.events.iter();
    let starts = starts.filter(|event| matches!(event, ServerEvent::Start(_)));
    assert_eq!(starts.count(), 1);
}

#[test]
fn who_bounds_an_answer_gets_no_more_and_no_continuation() {
    let ports = documents();
    let cut = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    ports.answer(200, vec![chunk("Huit"), bytes(cut)]);
    let (sent, ended) = run_raw(&ports, &model(), Some(7));
    assert_eq!(
        (sent.done().finish, ended.text.as_str()),
        (Finish::Length, "Huit")
    );
    let requests = ports.requests.borrow();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].body.contains("_tokens\":7"),
        "{}",
        requests[0].body
    );
}

#[test]
fn the_callers_own_instructions_are_in_the_prompt() {
    let ports = documents();
    ports.answer(200, vec![chunk("Huit."), stop()]);
    let message = |speaker, text: &str| ClientMessage {
        speaker,
        text: text.into(),
    };
    let said = [
        message(Speaker::Owner, "Be brief."),
        message(Speaker::User, "Et Kubernetes ?"),
    ];
    let key = Id::from_parts(1, 1);
    let (question, history) =
        guard::completion::admit(&ports, crate::testing::site(), key, &said).unwrap();
    let record = accepted(&question, 0);
    let ask = Ask {
        history: &history,
        reader: Reader::Client,
        ..first_ask(&question, &record)
    };
    let never = Box::pin(std::future::pending());
    block_on(run(&ports, &model(), &ask, &mut Sent::default(), never));
    assert!(ports.requests.borrow()[0].body.contains("Be brief."));
}

#[test]
fn a_bounded_answer_is_neither_kept_nor_taken_from_the_cache() {
    let ports = documents();
    let mut site = crate::testing::site();
    site.bot.answers.cache_seconds = Some(600);
    let question = question_to(site, "Et Kubernetes ?");
    for most in [Some(7), None, Some(7)] {
        ports.answer(200, vec![chunk("Huit."), stop()]);
        let record = accepted(&question, 0);
        let ask = Ask {
            reader: Reader::Client,
            most,
            ..first_ask(&question, &record)
        };
        let mut sent = Sent::default();
        let never = Box::pin(std::future::pending());
        block_on(run(&ports, &model(), &ask, &mut sent, never));
        assert!(!sent.done().cached);
    }
}
