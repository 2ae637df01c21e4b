//! Turns, with ports in memory.

mod chain;
mod compatible;
mod costs;
mod deadlines;
mod files;
mod quality;
mod raw;
mod thinking;

use futures_util::future::ready;

use super::*;
use crate::{
    model::Site,
    provider::Timeouts,
    record::{self, Outcome},
    settings::Localized,
    testing::{Fakes, Piece, block_on, hit, question, question_to, vendors},
};
use bulle_protocol::{
    block::blocks_to_text,
    conversation::Status,
    event::{Done, Finish, Usage},
    problem::Code,
};

/// Runs a turn whose message was counted before.
async fn run(
    ports: &Fakes,
    deployment: &Deployment,
    ask: &Ask<'_>,
    sink: &mut Sent,
    cancel: LocalBoxFuture<'_, ()>,
) -> Ended {
    let counted = Box::pin(ready(Ok(Counted::without_limits())));
    let ended = super::run(ports, deployment, ask, sink, cancel, counted);
    ended.await.unwrap()
}

#[derive(Default)]
struct Sent {
    events: Vec<ServerEvent>,
    log: Vec<String>,
    wrote: String,
}

impl Sink for Sent {
    fn emit(&mut self, event: ServerEvent) {
        if matches!(event, ServerEvent::Start(_)) {
            self.wrote.clear();
        }
        self.events.push(event);
    }
    fn wrote(&mut self, text: &str, _: usize) {
        self.wrote.push_str(text);
    }
    fn log(&mut self, line: &str) {
        self.log.push(line.into());
    }
}

impl Sent {
    fn last_code(&self) -> Option<Code> {
        match self.events.last() {
            Some(ServerEvent::Error(error)) => Some(error.code),
            _ => None,
        }
    }
    fn done(&self) -> &Done {
        match self.events.last() {
            Some(ServerEvent::Done(done)) => done,
            other => panic!("{other:?}"),
        }
    }
}

/// A deployment with these providers.
fn having(names: &[&str]) -> Deployment {
    let servers = names
        .iter()
        .map(|name| vendors::server(name, "https://m.test/v1", Some("k")));
    Deployment {
        servers: servers.collect(),
        timeouts: Timeouts {
            connect: 10_000,
            first_token: 30_000,
            between_tokens: 20_000,
            total: 60_000,
        },
    }
}

fn model() -> Deployment {
    having(&["openai"])
}

fn run_with(
    ports: &Fakes,
    deployment: &Deployment,
    text: &str,
    cancel: impl Future<Output = ()>,
) -> (Sent, Ended) {
    let question = question(text);
    run_asked(ports, deployment, &question, "", cancel)
}

/// The first message of a conversation, asked from a page.
fn first_ask<'a>(question: &'a Question, accepted: &'a Record) -> Ask<'a> {
    Ask {
        question,
        accepted,
        reply_id: Id::from_parts(1, 2),
        history: &[],
        written: "",
        most: None,
        reader: Reader::Page,
    }
}

/// The suggested questions that were sent.
fn suggested(sent: &Sent) -> Option<&[String]> {
    sent.events.iter().find_map(|event| match event {
        ServerEvent::Suggestions(suggestions) => Some(suggestions.items.as_slice()),
        _ => None,
    })
}

fn accepted(question: &Question, number: u32) -> Record {
    Record::accepted(question, Id::from_parts(1, 1), number, 1_700_000_000_000)
}

fn run_asked(
    ports: &Fakes,
    deployment: &Deployment,
    question: &Question,
    written: &str,
    cancel: impl Future<Output = ()>,
) -> (Sent, Ended) {
    let record = accepted(question, 0);
    let ask = Ask {
        written,
        ..first_ask(question, &record)
    };
    let mut sent = Sent::default();
    let ended = block_on(run(ports, deployment, &ask, &mut sent, Box::pin(cancel)));
    assert!(matches!(sent.events.first(), Some(ServerEvent::Start(_))));
    assert_eq!(
        sent.events.iter().filter(|event| event.is_last()).count(),
        1
    );
    assert!(sent.events.last().unwrap().is_last());
    (sent, ended)
}

fn run_turn(ports: &Fakes, deployment: &Deployment) -> (Sent, Ended) {
    run_with(ports, deployment, "Et Kubernetes ?", std::future::pending())
}

fn chunk(text: &str) -> Piece {
    let json = serde_json::json!({"choices": [{"delta": {"content": text}}]});
    Piece::Bytes(format!("data: {json}\n\n").into_bytes())
}

fn stop() -> Piece {
    Piece::Bytes(
        b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
            .to_vec(),
    )
}

fn documents() -> Fakes {
    let ports = Fakes::default();
    ports.add_hit(hit("Kubernetes", "Huit ans de Kubernetes."));
    ports
}

fn text(ended: &Ended) -> String {
    blocks_to_text(&ended.record.reply.as_ref().unwrap().blocks)
}

#[test]
fn without_a_model_the_documents_answer() {
    let ports = documents();
    let (sent, ended) = run_turn(&ports, &Deployment::default());
    assert_eq!(text(&ended), "Huit ans de Kubernetes. [1]");
    let done = sent.done();
    assert_eq!(
        (done.provider.as_str(), done.finish, done.kept),
        ("extractive", Finish::Stop, true)
    );
    assert!(
        sent.events
            .iter()
            .any(|e| matches!(e, ServerEvent::Sources(s) if s.items[0].n == 1))
    );
    assert_eq!(*ports.records.borrow(), [ended.record]);
}

#[test]
fn a_model_streams_and_cites() {
    let ports = documents();
    ports.answer(
        200,
        vec![chunk("Huit "), chunk("ans [1]"), chunk("."), stop()],
    );
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(text(&ended), "Huit ans [1].");
    assert_eq!(sent.done().provider, "openai");
    assert_eq!(ended.record.reply.unwrap().sources.len(), 1);
    assert!(
        ports.requests.borrow()[0]
            .body
            .contains("Huit ans de Kubernetes.")
    );
}

#[test]
fn stopping_keeps_what_was_written() {
    let ports = documents();
    ports.answer(200, vec![chunk("Huit"), Piece::Silence]);
    let mut polls = 0;
    let cancel = std::future::poll_fn(|_| {
        polls += 1;
        if polls > 1 {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    });
    let (sent, ended) = run_with(&ports, &model(), "Et Kubernetes ?", cancel);
    assert_eq!(sent.done().finish, Finish::Stopped);
    assert_eq!(text(&ended), "Huit");
    assert_eq!(ended.record.reply.unwrap().status, Status::Stopped);
}

#[test]
fn an_archive_that_fails_does_not_cost_the_answer() {
    let ports = documents();
    ports.fail("archive");
    let (sent, ended) = run_turn(&ports, &Deployment::default());
    assert!(ended.kept.is_none() && !sent.done().kept);
    assert_eq!(text(&ended), "Huit ans de Kubernetes. [1]");
}

#[test]
fn what_is_said_for_a_visitor_who_was_erased_meanwhile_is_not_kept() {
    let ports = documents();
    let erased = question("Et Kubernetes ?").visitor_id();
    ports.erased.borrow_mut().push(erased);
    let (sent, ended) = run_turn(&ports, &Deployment::default());
    assert_eq!(ended.kept, Some(Kept::Costs));
    assert!(!sent.done().kept && ports.records.borrow().is_empty());
}

#[test]
fn an_index_that_fails_costs_the_sources_but_not_the_models_answer() {
    let ports = documents();
    ports.fail("index");
    let (sent, _) = run_turn(&ports, &Deployment::default());
    assert_eq!(sent.last_code(), Some(Code::StorageUnavailable));
    ports.answer(200, vec![chunk("Je ne sais pas [1]."), stop()]);
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(sent.done().finish, Finish::Stop);
    assert_eq!(text(&ended), "Je ne sais pas [1].");
}

#[test]
fn an_endless_answer_is_cut_at_the_limit() {
    let ports = documents();
    let long = "mot ".repeat(10_000);
    ports.answer(200, (0..20).map(|_| chunk(&long)).collect());
    let (sent, _) = run_turn(&ports, &model());
    assert_eq!(sent.done().finish, Finish::Length);
}

#[test]
fn the_same_first_question_is_answered_once_until_something_changes() {
    let ports = documents();
    let mut site = crate::testing::site();
    site.bot.answers.cache_seconds = Some(600);
    let ask = |site: &Site, text: &str| {
        let question = question_to(site.clone(), text);
        run_asked(&ports, &model(), &question, "", std::future::pending())
    };
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let (first, one) = ask(&site, "Et Kubernetes ?");
    let (second, two) = ask(&site, "et  kubernetes");
    assert_eq!(ports.requests.borrow().len(), 1);
    assert!(!first.done().cached && second.done().cached);
    assert_eq!(text(&one), text(&two));
    let reply = |ended: Ended| ended.record.reply.unwrap();
    let (one, two) = (reply(one), reply(two));
    assert_eq!((&one.sources, &one.provider), (&two.sources, &two.provider));
    assert_eq!((two.usage, two.evidence.cached), (Usage::default(), true));
    // Another version of the bot asks the model again; an answer that failed is not cached.
    site.bot_version += 1;
    ports.answer(200, vec![chunk("Huit")]);
    ask(&site, "Et Kubernetes ?");
    ports.answer(200, vec![chunk("Huit ans."), stop()]);
    assert!(!ask(&site, "Et Kubernetes ?").0.done().cached);
    assert_eq!(ports.requests.borrow().len(), 3);
}

#[test]
fn what_a_conversation_has_outgrown_is_summed_up_and_remembered() {
    let ports = documents();
    let mut site = crate::testing::site();
    for tier in site.bot.limits.tiers.values_mut() {
        tier.memory = None;
    }
    let question = question_to(site, "Comment je m'appelle ?");
    let exchange = |n: u32| Exchange {
        position: 2 * n,
        question: format!("question {n}"),
        answer: "mot ".repeat(900),
    };
    let history: Vec<Exchange> = (0..10).map(exchange).collect();
    let record = accepted(&question, 10);
    let ask = Ask {
        history: &history,
        ..first_ask(&question, &record)
    };
    let mut sent = Sent::default();
    let never = || Box::pin(std::future::pending());
    ports.answer(200, vec![chunk("Je ne sais pas."), stop()]);
    let ended = block_on(run(&ports, &model(), &ask, &mut sent, never()));
    assert!(ended.outgrown);
    ports.answer(200, vec![chunk("Elle s'appelle Ada."), stop()]);
    let events = sent.events.len();
    block_on(after(&ports, &model(), &ask, ended, &mut |_| ()));
    let stored = ports.other_calls.borrow();
    let call = &stored[&format!("{}/summary", ask.reply_id)][0];
    assert_eq!(
        (call.purpose, call.outcome),
        (record::Purpose::Summary, Outcome::Answered)
    );
    assert_eq!(sent.events.len(), events, "nobody sees it");
    ports.answer(200, vec![chunk("Ada."), stop()]);
    let ended = block_on(run(&ports, &model(), &ask, &mut sent, never()));
    assert!(
        ports.requests.borrow()[2]
            .body
            .contains("Elle s'appelle Ada.")
    );
    let prompt = ended.record.reply.unwrap().evidence.prompt.unwrap();
    assert!(prompt.summary_until.is_some() && !ended.outgrown);
}
