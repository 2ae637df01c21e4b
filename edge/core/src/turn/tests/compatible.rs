//! Servers that call themselves compatible and are not quite: how they end a stream, and what they refuse.

use super::*;
use crate::{record::Evidence, testing::vendors};

/// A piece of a body, as it is.
fn bytes(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

fn outcomes(ended: &Ended) -> Vec<Outcome> {
    ended.record.calls.iter().map(|call| call.outcome).collect()
}

fn evidence(ended: &Ended) -> &Evidence {
    &ended.record.reply.as_ref().unwrap().evidence
}

const ALL: &str = r#"{"model":"m","choices":[{"delta":{"content":"Huit ans [1]."},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;

#[test]
fn a_stream_that_forgets_its_blank_lines_is_a_whole_answer_asked_once() {
    let first = r#"data: {"choices":[{"delta":{"content":"Huit ans"}}]}"#;
    let last = r#"data: {"choices":[{"delta":{"content":" [1]."},"finish_reason":"stop"}]}"#;
    let whole = ALL.replace("delta", "message");
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&whole).unwrap())
            .unwrap();
    for body in [
        vec![bytes(&format!("data: {ALL}"))],
        vec![bytes(&format!("data: {ALL}\n"))],
        vec![bytes(&format!("data: {ALL}")), Piece::Broken],
        vec![bytes(&format!("{first}\n\n{last}"))],
        vec![
            bytes(&format!("{first}\n\n")),
            bytes(&format!("{last}\n\ndata: [DONE]")),
        ],
        vec![bytes(&format!("{first}\n{last}\ndata: [DONE]\n"))],
        vec![bytes(&whole)],
        vec![bytes(&format!("\n{pretty}"))],
    ] {
        let ports = documents();
        ports.answer(200, body);
        let (sent, ended) = run_turn(&ports, &model());
        assert_eq!(
            (text(&ended).as_str(), sent.done().finish),
            ("Huit ans [1].", Finish::Stop)
        );
        assert_eq!(ports.requests.borrow().len(), 1);
        assert_eq!(outcomes(&ended), [Outcome::Answered]);
    }
}

#[test]
fn the_last_words_of_a_stream_without_its_last_blank_line_are_shown_and_counted() {
    let ports = documents();
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    ports.answer(
        200,
        vec![
            chunk("Huit ans [1]."),
            bytes("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"),
            bytes(usage),
        ],
    );
    let (sent, _) = run_turn(&ports, &model());
    assert_eq!(sent.done().usage, Usage::counted(7, 3));
}

#[test]
fn half_an_event_is_none() {
    for cut in [ALL.len() / 3, ALL.len() - 1] {
        let ports = documents();
        for _ in 0..3 {
            ports.answer(
                200,
                vec![bytes(&format!("data: {}", ALL.get(..cut).unwrap()))],
            );
        }
        let (sent, ended) = run_turn(&ports, &model());
        assert_eq!(sent.done().provider, "extractive");
        assert_eq!(outcomes(&ended)[0], Outcome::Unreachable, "it broke off");
    }
}

/// What the last request held.
fn sent_body(ports: &Fakes) -> serde_json::Value {
    serde_json::from_str(&ports.requests.borrow().last().unwrap().body).unwrap()
}

fn refusal(name: &str) -> Vec<Piece> {
    // In two pieces, as it may come.
    let text =
        format!("{{\"error\":{{\"message\":\"Unsupported parameter: {name} is not known\"}}}}");
    let (a, b) = text.split_at(20);
    vec![bytes(a), bytes(b)]
}

#[test]
fn a_parameter_that_is_refused_is_left_out_and_the_model_is_remembered_for_it() {
    for status in [400, 422] {
        let ports = documents();
        ports.answer(status, refusal("'stream_options'"));
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        let (sent, ended) = run_turn(&ports, &model());
        assert_eq!(sent.done().finish, Finish::Stop);
        assert_eq!(outcomes(&ended), [Outcome::Refused, Outcome::Answered]);
        assert_eq!(
            ended.record.calls[0].usage,
            Usage::default(),
            "a refusal costs nothing"
        );
        assert_eq!(evidence(&ended).adapted, ["no stream_options"]);
        assert!(
            sent.log
                .iter()
                .any(|line| line.contains("asked otherwise: no stream_options"))
        );
        assert!(ended.notices.is_empty());
        assert!(sent_body(&ports).get("stream_options").is_none());
        // The next visitor waits for no refusal.
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        let (_, ended) = run_turn(&ports, &model());
        assert_eq!(outcomes(&ended), [Outcome::Answered]);
        assert_eq!(
            evidence(&ended).adapted,
            ["no stream_options"],
            "the owner sees it"
        );
        assert!(sent_body(&ports).get("stream_options").is_none());
        // Another model is asked as ever.
        let other = having(&["mistral"]);
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        run_turn(&ports, &other);
        assert!(sent_body(&ports).get("stream_options").is_some());
    }
}

#[test]
fn the_bound_of_an_answer_has_two_names() {
    let mut site = crate::testing::site();
    site.bot.limits.budget.tokens_per_day = Some(1_000_000);
    let question = question_to(site, "Et Kubernetes ?");
    for (address, refused, wanted) in [
        ("https://m.test/v1", "max_tokens", "max_completion_tokens"),
        (
            "https://api.openai.com/v1",
            "max_completion_tokens",
            "max_tokens",
        ),
    ] {
        let ports = documents();
        let mut deployment = model();
        deployment.servers[0] = vendors::server("openai", address, None);
        let ask = || run_asked(&ports, &deployment, &question, "", std::future::pending());
        ports.answer(400, refusal(refused));
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        let (_, ended) = ask();
        assert_eq!(outcomes(&ended), [Outcome::Refused, Outcome::Answered]);
        let body = sent_body(&ports);
        assert!(body.get(refused).is_none() && body.get(wanted).is_some());
        // The other is refused as well, one day.
        ports.answer(400, refusal(wanted));
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        ask();
        let body = sent_body(&ports);
        assert!(body.get(refused).is_none() && body.get(wanted).is_none());
    }
}

#[test]
fn a_server_that_refuses_for_ever_is_asked_a_few_times_and_no_more() {
    let ports = documents();
    for _ in 0..9 {
        ports.answer(
            400,
            refusal("stream_options, max_tokens, max_completion_tokens"),
        );
    }
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(sent.done().provider, "extractive");
    assert_eq!(
        outcomes(&ended).len(),
        3,
        "with it, without it, and the documents"
    );
}

#[test]
fn a_model_that_takes_no_system_message_has_its_instructions_in_the_first() {
    let ports = documents();
    ports.answer(
        400,
        vec![bytes("{\"error\":\"System role not supported\"}")],
    );
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    run_turn(&ports, &model());
    let messages = sent_body(&ports)["messages"].clone();
    assert_eq!(messages[0]["role"], "user");
    let text = messages[0]["content"].as_str().unwrap();
    assert!(text.contains("Huit ans de Kubernetes.") && text.ends_with("Et Kubernetes ?"));
}

/// The notices of turns with these answers of the model, and what the last visitor reads.
fn refused(answers: Vec<(u16, Vec<Piece>)>) -> (Vec<NewNotice>, String, Vec<Outcome>) {
    let ports = Fakes::default();
    let mut notices = Vec::new();
    let mut last = (String::new(), Vec::new());
    for (status, pieces) in answers {
        ports.answer(status, pieces);
        let (_, ended) = run_turn(&ports, &model());
        last = (text(&ended), outcomes(&ended));
        notices.extend(ended.notices);
    }
    (notices, last.0, last.1)
}

#[test]
fn the_owner_is_told_what_to_do_and_the_visitor_that_waiting_does_not_help() {
    let page = || vec![bytes("<!DOCTYPE html><title>Welcome</title>")];
    for (answer, outcome, help) in [
        ((401, vec![]), Outcome::Refused, "OPENAI_API_KEY"),
        ((402, vec![]), Outcome::Refused, "402"),
        ((404, vec![]), Outcome::Refused, "OPENAI_MODEL"),
        ((200, page()), Outcome::Undecodable, "OPENAI_BASE_URL"),
        (
            (200, vec![bytes("data: <html>\n\n")]),
            Outcome::Undecodable,
            "OPENAI_BASE_URL",
        ),
    ] {
        let (notices, said, outcomes) = refused(vec![answer]);
        let [notice] = notices.as_slice() else {
            panic!("{notices:?}")
        };
        let told = notice.detail.help.as_deref().unwrap();
        assert!(told.contains(help), "{told}");
        assert!(
            told.contains("clé") || !told.contains("key"),
            "in the bot's language: {told}"
        );
        assert_eq!(outcomes[0], outcome);
        assert!(said.contains("n’y changera rien"), "{said}");
    }
    // One request may be at fault itself; three are not.
    let (notices, said, _) = refused(vec![(400, vec![]), (400, vec![]), (422, vec![])]);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].detail.status, Some(422));
    assert!(said.contains("n’y changera rien"), "{said}");
    // What rests because its key is refused is not there in a moment either.
    let (_, said, outcomes) = refused(vec![
        (401, vec![]),
        (401, vec![]),
        (401, vec![]),
        (401, vec![]),
    ]);
    assert_eq!(outcomes[0], Outcome::CircuitOpen);
    assert!(said.contains("n’y changera rien"), "{said}");
}

#[test]
fn who_may_answer_soon_is_worth_another_try() {
    let ports = Fakes::default();
    for _ in 0..3 {
        ports.answer(503, vec![]);
    }
    let (_, ended) = run_turn(&ports, &model());
    assert!(text(&ended).contains("Réessayez"), "{}", text(&ended));
}
