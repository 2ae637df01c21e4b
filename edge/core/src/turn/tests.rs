use super::*;
use crate::{
    fakes::{Fakes, Piece, block_on, hit, question},
    provider::{Server, Timeouts},
};
use bulle_protocol::{block::blocks_to_text, conversation::Status};

#[derive(Default)]
struct Sent {
    events: Vec<ServerEvent>,
    log: Vec<String>,
}

impl Sink for Sent {
    fn emit(&mut self, event: ServerEvent) {
        self.events.push(event);
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

fn model() -> Deployment {
    Deployment {
        openai: Some(Server {
            base_url: "https://m.test/v1".into(),
            api_key: None,
            model: "m".into(),
        }),
        anthropic: None,
        gemini: None,
        timeouts: Timeouts {
            first_token: 30_000,
            between_tokens: 20_000,
            total: 60_000,
        },
    }
}

fn run_with(
    ports: &Fakes,
    deployment: &Deployment,
    text: &str,
    cancel: impl Future<Output = ()> + Unpin,
) -> (Sent, Ended) {
    let question = question(text);
    let ask = Ask {
        question: &question,
        conversation_id: Id::from_parts(1, 1),
        reply_id: Id::from_parts(1, 2),
        number: 0,
        history: &[],
    };
    let mut sent = Sent::default();
    let ended = block_on(run(ports, deployment, &ask, &mut sent, cancel));
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
    let records = ports.records.borrow();
    assert_eq!(records.len(), 2);
    assert!(records[0].reply.is_none());
    assert_eq!(records[1], ended.record);
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
fn every_way_a_model_can_fail_has_an_honest_end() {
    type Answer = Option<(u16, Vec<Piece>)>;
    let cases: Vec<(&str, Answer, Code, &str)> = vec![
        ("never connects", None, Code::UpstreamTimeout, ""),
        (
            "refuses",
            Some((401, vec![Piece::Bytes(b"{}".to_vec())])),
            Code::UpstreamUnavailable,
            "",
        ),
        (
            "refuses in silence",
            Some((503, vec![])),
            Code::UpstreamUnavailable,
            "",
        ),
        (
            "is mute",
            Some((200, vec![Piece::Silence])),
            Code::UpstreamTimeout,
            "",
        ),
        (
            "is cut at once",
            Some((200, vec![Piece::Broken])),
            Code::UpstreamUnavailable,
            "",
        ),
        (
            "is empty",
            Some((200, vec![stop()])),
            Code::UpstreamUnavailable,
            "",
        ),
        (
            "talks nonsense",
            Some((200, vec![Piece::Bytes(b"data: <html>\n\n".to_vec())])),
            Code::UpstreamUnavailable,
            "",
        ),
        (
            "is cut",
            Some((200, vec![chunk("Huit"), Piece::Broken])),
            Code::UpstreamInterrupted,
            "Huit",
        ),
        (
            "ends early",
            Some((200, vec![chunk("Huit")])),
            Code::UpstreamInterrupted,
            "Huit",
        ),
        (
            "stalls",
            Some((200, vec![chunk("Huit"), Piece::Silence])),
            Code::UpstreamInterrupted,
            "Huit",
        ),
    ];
    for (name, answer, code, written) in cases {
        let ports = documents();
        if let Some((status, pieces)) = answer {
            ports.answer(status, pieces);
        }
        let (sent, ended) = run_turn(&ports, &model());
        assert_eq!(sent.last_code(), Some(code), "{name}");
        assert_eq!(text(&ended), written, "{name}");
        let reply = ended.record.reply.unwrap();
        assert_eq!(
            (reply.status, reply.error),
            (Status::Failed, Some(code)),
            "{name}"
        );
        assert_eq!(ports.records.borrow().len(), 2, "{name}");
        assert!(!sent.log.is_empty(), "{name}");
    }
    let ports = documents();
    ports.fail("models");
    assert_eq!(
        run_turn(&ports, &model()).0.last_code(),
        Some(Code::UpstreamUnavailable)
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
    assert!(!ended.kept && !sent.done().kept);
    assert_eq!(text(&ended), "Huit ans de Kubernetes. [1]");
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
