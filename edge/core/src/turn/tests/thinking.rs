//! A model's private thinking reaches nobody: not the page, the record, the cache, the next prompt, nor a server's client.

use super::*;
use crate::{settings::ProviderChoice, thinking::Expect};

const THOUGHT: &str = "saperlipopette";

/// How a server may send thinking together with an answer.
fn servers() -> Vec<(&'static str, Vec<Piece>)> {
    let pieces = |pieces: &[&str]| {
        let pieces = pieces.iter().map(|piece| chunk(piece));
        pieces.chain([stop()]).collect::<Vec<_>>()
    };
    vec![
        (
            "marked",
            pieces(&[
                "<think>On ",
                "veut, saperlipopette.</think>",
                "\n\nHuit ans [1].",
            ]),
        ),
        (
            "split anywhere",
            pieces(&[
                "<",
                "thi",
                "nk",
                ">saperli",
                "popette</",
                "think",
                ">Huit",
                " ans [1].",
            ]),
        ),
        (
            "only its end",
            pieces(&[
                "Le visiteur, ",
                "saperlipopette.\n",
                "</thi",
                "nk>\n\nHuit ans",
                " [1].",
            ]),
        ),
        (
            "twice",
            pieces(&["<think>saperlipopette</think><think>saperlipopette</think>Huit ans [1]."]),
        ),
        (
            "another name",
            pieces(&["[THINK]saperlipopette[/THINK]Huit ans [1]."]),
        ),
    ]
}

/// Whatever left the turn.
fn everything(ports: &Fakes, sent: &Sent, ended: &Ended) -> String {
    let records = serde_json::to_string(&*ports.records.borrow()).unwrap();
    let events = format!("{:?}", sent.events);
    let log = sent.log.join("\n");
    [records, events, log, sent.wrote.clone(), ended.text.clone()].join("\n")
}

#[test]
fn it_is_neither_shown_nor_stored_nor_kept_for_others() {
    for (name, pieces) in servers() {
        let ports = documents();
        let mut site = crate::testing::site();
        site.bot.answers.cache_seconds = Some(600);
        let question = question_to(site, "Et Kubernetes ?");
        let ask = || run_asked(&ports, &model(), &question, "", std::future::pending());
        ports.answer(200, pieces);
        let (sent, ended) = ask();
        assert_eq!(text(&ended), "Huit ans [1].", "{name}");
        assert_eq!(sent.wrote, "Huit ans [1].", "{name}");
        if name != "only its end" {
            assert!(
                !everything(&ports, &sent, &ended).contains(THOUGHT),
                "{name}"
            );
        }
        assert!(
            !serde_json::to_string(&*ports.records.borrow())
                .unwrap()
                .contains(THOUGHT),
            "{name}"
        );
        let (again, ended) = ask();
        assert!(again.done().cached, "{name}");
        assert!(
            !everything(&ports, &again, &ended).contains(THOUGHT),
            "{name}"
        );
    }
}

#[test]
fn an_end_without_a_beginning_is_taken_back_once_and_never_shown_again() {
    let ports = documents();
    let pieces = || servers().remove(2).1;
    ports.answer(200, pieces());
    let (sent, _) = run_turn(&ports, &model());
    let starts = |sent: &Sent| {
        let starts = sent.events.iter();
        starts
            .filter(|event| matches!(event, ServerEvent::Start(_)))
            .count()
    };
    assert_eq!(starts(&sent), 2, "the page is told to begin again");
    ports.answer(200, pieces());
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!((starts(&sent), text(&ended).as_str()), (1, "Huit ans [1]."));
    assert!(!everything(&ports, &sent, &ended).contains(THOUGHT));
}

#[test]
fn thinking_without_an_answer_is_an_empty_answer() {
    for pieces in [
        vec![chunk("<think>saperlipopette"), stop()],
        vec![chunk("<think>saperlipopette</think>"), stop()],
        vec![chunk("<think>saperlipopette</thi"), Piece::Broken],
    ] {
        let ports = documents();
        let empty = !matches!(pieces.last(), Some(Piece::Broken));
        ports.answer(200, pieces);
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        let (sent, ended) = run_turn(&ports, &model());
        assert_eq!(
            (text(&ended).as_str(), sent.done().finish),
            ("Huit ans [1].", Finish::Stop)
        );
        let expected = if empty {
            Outcome::Empty
        } else {
            Outcome::Unreachable
        };
        assert_eq!(ended.record.calls[0].outcome, expected);
        assert!(!everything(&ports, &sent, &ended).contains(THOUGHT));
    }
}

#[test]
fn thinking_aloud_that_is_cut_is_not_taken_for_an_answer() {
    let ports = documents();
    let length = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    ports.answer(
        200,
        vec![
            chunk("Okay, the user, saperlipopette"),
            Piece::Bytes(length.into()),
        ],
    );
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(text(&ended), "Huit ans [1].");
    assert!(!everything(&ports, &sent, &ended).contains(THOUGHT));
}

#[test]
fn clients_of_the_api_for_servers_and_workers_ai_are_no_doors() {
    let ports = documents();
    let mut site = crate::testing::site();
    site.bot.model.provider = ProviderChoice::WorkersAi;
    let question = question_to(site, "Et Kubernetes ?");
    let record = accepted(&question, 0);
    let ask = Ask {
        reader: Reader::Client,
        ..first_ask(&question, &record)
    };
    let event = |text: &str| {
        let json = serde_json::json!({ "response": text });
        Piece::Bytes(format!("data: {json}\n\n").into_bytes())
    };
    let end = Piece::Bytes(b"data: [DONE]\n\n".to_vec());
    ports.answer(
        200,
        vec![
            event("<think>saperli"),
            event("popette</think>Huit"),
            event(" ans [1]."),
            end,
        ],
    );
    let mut sent = Sent::default();
    let never = Box::pin(std::future::pending());
    let ended = block_on(run(
        &ports,
        &having(&["workers_ai"]),
        &ask,
        &mut sent,
        never,
    ));
    assert_eq!(sent.wrote, "Huit ans [1].");
    assert!(!everything(&ports, &sent, &ended).contains(THOUGHT));
}

#[test]
fn what_was_stored_before_is_not_sent_back_as_history() {
    let ports = documents();
    let question = question("Et Kubernetes ?");
    let record = accepted(&question, 1);
    let history = [Exchange {
        position: 0,
        question: "Qui es-tu ?".into(),
        answer: "<think>saperlipopette</think>Un assistant.".into(),
    }];
    let ask = Ask {
        history: &history,
        ..first_ask(&question, &record)
    };
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let never = Box::pin(std::future::pending());
    block_on(run(&ports, &model(), &ask, &mut Sent::default(), never));
    let body = &ports.requests.borrow()[0].body;
    assert!(body.contains("Un assistant.") && !body.contains(THOUGHT));
}

#[test]
fn an_answer_about_the_marks_stays_and_thinking_apart_is_no_text() {
    let ports = documents();
    let about = "Le signe `<think>` commence, </think> finit [1].";
    ports.answer(200, vec![chunk(about), stop()]);
    assert_eq!(run_turn(&ports, &model()).1.text, about);
    let apart = serde_json::json!({"choices": [{"delta": {"reasoning_content": THOUGHT, "content": null}}]});
    let parts = serde_json::json!({"choices": [{"delta": {"content": [{"type": "thinking", "text": THOUGHT}]}}]});
    let event = |json: serde_json::Value| Piece::Bytes(format!("data: {json}\n\n").into_bytes());
    ports.answer(
        200,
        vec![
            event(apart),
            event(parts),
            chunk("Okay, huit ans [1]."),
            stop(),
        ],
    );
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(text(&ended), "Okay, huit ans [1].");
    assert!(!everything(&ports, &sent, &ended).contains(THOUGHT));
}

#[test]
fn models_that_are_known_to_think_are_waited_for() {
    let server = vendors::server("vllm", "http://localhost/v1", None);
    for (name, expected) in [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", Expect::Unopened),
        ("@cf/qwen/qwq-32b", Expect::Unopened),
        ("Qwen3-30B-A3B-Thinking-2507", Expect::Unopened),
        ("llama3.1", Expect::Unknown),
        ("carr1-model", Expect::Unknown),
    ] {
        assert_eq!(vendors::model(&server, name).expect(), expected, "{name}");
    }
}
