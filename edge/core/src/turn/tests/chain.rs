//! The chain when models fail.

use super::*;

/// The status and body of a response; `None` when the connection fails.
type Misdeed = Option<(u16, Vec<Piece>)>;

/// Each way of a model to fail, with the outcome that is recorded and the number of requests that are sent to the
/// model.
fn failures() -> Vec<(&'static str, Misdeed, Outcome, usize)> {
    let bytes = |text: &str| Piece::Bytes(text.as_bytes().to_vec());
    vec![
        ("never connects", None, Outcome::TimedOut, 1),
        (
            "refuses its key",
            Some((401, vec![bytes("{}")])),
            Outcome::Refused,
            1,
        ),
        (
            "does not know the model",
            Some((404, vec![])),
            Outcome::Refused,
            1,
        ),
        ("is busy", Some((429, vec![])), Outcome::Refused, 3),
        (
            "refuses in silence",
            Some((503, vec![])),
            Outcome::Refused,
            3,
        ),
        (
            "is mute",
            Some((200, vec![Piece::Silence])),
            Outcome::TimedOut,
            1,
        ),
        (
            "is cut at once",
            Some((200, vec![Piece::Broken])),
            Outcome::Unreachable,
            3,
        ),
        ("is empty", Some((200, vec![stop()])), Outcome::Empty, 2),
        (
            "talks nonsense",
            Some((200, vec![bytes("data: <html>\n\n")])),
            Outcome::Undecodable,
            1,
        ),
        (
            "filters",
            Some((
                200,
                vec![bytes(
                    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n",
                )],
            )),
            Outcome::Filtered,
            1,
        ),
    ]
}

fn outcomes(ended: &Ended) -> Vec<(&str, Outcome)> {
    let calls = ended.record.calls.iter();
    calls
        .map(|call| (call.provider.as_str(), call.outcome))
        .collect()
}

#[test]
fn a_model_that_does_not_begin_is_followed_by_the_next_or_by_the_documents() {
    for (name, _, outcome, tries) in failures() {
        let fail = |ports: &Fakes| {
            for _ in 0..tries {
                let found = failures().into_iter().find(|failure| failure.0 == name);
                if let Some((status, pieces)) = found.unwrap().1 {
                    ports.answer(status, pieces);
                } else {
                    ports.answer_never();
                }
            }
        };
        let failed = vec![("openai", outcome); tries];
        // The model is the only one of the chain.
        let ports = documents();
        fail(&ports);
        let (sent, ended) = run_turn(&ports, &model());
        let done = sent.done();
        assert_eq!(
            (done.finish, done.provider.as_str()),
            (Finish::Fallback, "extractive"),
            "{name}"
        );
        assert_eq!(text(&ended), "Huit ans de Kubernetes. [1]", "{name}");
        let expected = [failed.clone(), vec![("extractive", Outcome::Answered)]].concat();
        assert_eq!(outcomes(&ended), expected, "{name}");
        assert_eq!(ports.requests.borrow().len(), tries, "{name}");
        assert_eq!(
            ended.record.reply.as_ref().unwrap().status,
            Status::Complete,
            "{name}"
        );
        assert_eq!(ports.records.borrow().len(), 1, "{name}");
        assert!(!sent.log.is_empty(), "{name}");
        // The chain has an alternative.
        let ports = documents();
        fail(&ports);
        ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
        let (sent, ended) = run_chain(&ports, r#"[{"provider":"mistral"}]"#);
        let done = sent.done();
        assert_eq!(
            (done.finish, done.provider.as_str()),
            (Finish::Stop, "mistral"),
            "{name}"
        );
        assert_eq!(text(&ended), "Huit ans [1].", "{name}");
        assert_eq!(
            outcomes(&ended),
            [failed, vec![("mistral", Outcome::Answered)]].concat(),
            "{name}"
        );
        let starts = sent
            .events
            .iter()
            .filter(|event| matches!(event, ServerEvent::Start(_)));
        assert_eq!(
            starts.count(),
            1,
            "{name}: nothing was shown, so nothing is taken back"
        );
    }
}

/// A turn of a bot whose chain is OpenAI and then these alternatives, in a deployment that has OpenAI and Mistral.
fn run_chain(ports: &Fakes, alternatives: &str) -> (Sent, Ended) {
    let mut site = crate::testing::site();
    site.bot.model.alternatives = serde_json::from_str(alternatives).unwrap();
    let question = question_to(site, "Et Kubernetes ?");
    run_asked(
        ports,
        &having(&["openai", "mistral"]),
        &question,
        "",
        std::future::pending(),
    )
}

#[test]
fn a_model_that_breaks_off_after_its_first_words_ends_the_turn_and_a_retry_goes_on() {
    for (name, pieces) in [
        ("is cut", vec![chunk("Huit"), Piece::Broken]),
        ("ends early", vec![chunk("Huit")]),
        ("stalls", vec![chunk("Huit"), Piece::Silence]),
    ] {
        let ports = documents();
        ports.answer(200, pieces);
        let (sent, ended) = run_chain(&ports, r#"[{"provider":"mistral"}]"#);
        assert_eq!(sent.last_code(), Some(Code::UpstreamInterrupted), "{name}");
        assert_eq!(
            (text(&ended).as_str(), ended.text.as_str()),
            ("Huit", "Huit"),
            "{name}"
        );
        assert_eq!(
            outcomes(&ended),
            [("openai", Outcome::Interrupted)],
            "{name}"
        );
        assert_eq!(
            ended.record.reply.as_ref().unwrap().status,
            Status::Failed,
            "{name}"
        );
        // The retry shows the text of the first attempt and asks the model for the rest.
        ports.answer(200, vec![chunk(" ans [1]."), stop()]);
        let question = question("Et Kubernetes ?");
        let (sent, ended) = run_asked(&ports, &model(), &question, "Huit", std::future::pending());
        assert_eq!(text(&ended), "Huit ans [1].", "{name}");
        assert_eq!(sent.done().finish, Finish::Stop, "{name}");
        assert_eq!(
            ended.record.calls[0].purpose,
            record::Purpose::Continuation,
            "{name}"
        );
    }
}

#[test]
fn a_retry_that_nobody_can_serve_keeps_what_was_written() {
    let ports = documents();
    ports.fail("models");
    let question = question("Et Kubernetes ?");
    let (sent, ended) = run_asked(&ports, &model(), &question, "Huit", std::future::pending());
    assert_eq!(sent.last_code(), Some(Code::UpstreamUnavailable));
    assert_eq!(
        (text(&ended).as_str(), ended.text.as_str()),
        ("Huit", "Huit")
    );
}

#[test]
fn a_cut_answer_is_continued_once() {
    let cut = || {
        Piece::Bytes(
            b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n".to_vec(),
        )
    };
    let ports = documents();
    ports.answer(200, vec![chunk("Huit "), cut()]);
    ports.answer(200, vec![chunk("ans [1]."), stop()]);
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(
        (text(&ended).as_str(), sent.done().finish),
        ("Huit ans [1].", Finish::Stop)
    );
    assert_eq!(
        outcomes(&ended),
        [
            ("openai", Outcome::Truncated),
            ("openai", Outcome::Answered)
        ]
    );
    ports.answer(200, vec![chunk("Huit "), cut()]);
    ports.answer(401, vec![]);
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(
        (text(&ended).as_str(), sent.done().finish),
        ("Huit", Finish::Length)
    );
}

#[test]
fn keys_are_used_in_turn_and_a_bad_one_is_passed_over() {
    let ports = documents();
    let mut deployment = model();
    deployment.servers[0].api_keys = vec!["one".into(), "two".into()];
    ports.answer(401, vec![]);
    ports.answer(200, vec![chunk("Oui."), stop()]);
    let (sent, ended) = run_turn(&ports, &deployment);
    assert_eq!(sent.done().finish, Finish::Stop);
    assert_eq!(
        outcomes(&ended),
        [("openai", Outcome::Refused), ("openai", Outcome::Answered)]
    );
    let requests = ports.requests.borrow();
    let key = |n: usize| {
        vendors::http(&requests[n])
            .1
            .iter()
            .find(|h| h.0 == "authorization")
            .unwrap()
            .1
            .clone()
    };
    assert_ne!(key(0), key(1));
}

#[test]
fn a_vendor_that_says_when_to_come_back_is_believed_or_left_alone() {
    for (seconds, asked) in [(2, 2), (60, 1)] {
        let ports = documents();
        ports.answer_later(429, seconds);
        ports.answer(200, vec![chunk("Oui."), stop()]);
        let before = ports.now_ms();
        let (_, ended) = run_turn(&ports, &model());
        assert_eq!(ports.requests.borrow().len(), asked, "{seconds}");
        if asked == 2 {
            assert!(ports.now_ms() - before >= 2_000);
            assert_eq!(ended.record.calls[1].outcome, Outcome::Answered);
        }
    }
}

#[test]
fn a_model_that_fails_again_and_again_is_left_alone() {
    let ports = documents();
    let mut notices = Vec::new();
    for _ in 0..3 {
        ports.answer(404, vec![]);
        notices.extend(run_turn(&ports, &model()).1.notices);
    }
    // The owner gets one notice, which names the writer of the answer.
    let [notice] = notices.as_slice() else {
        panic!("{notices:?}")
    };
    assert_eq!(notice.detail.reason.as_deref(), Some("refused"));
    assert_eq!(
        notice.detail.instead.as_ref().unwrap().provider,
        "extractive"
    );
    let (sent, ended) = run_turn(&ports, &model());
    assert_eq!(ports.requests.borrow().len(), 3);
    assert_eq!(outcomes(&ended)[0], ("openai", Outcome::CircuitOpen));
    assert_eq!(sent.done().finish, Finish::Fallback);
}

#[test]
fn what_a_bot_names_and_the_deployment_lacks_is_recorded() {
    let mut site = crate::testing::site();
    site.bot.model.provider = crate::settings::ProviderChoice::Groq;
    let question = question_to(site, "Et Kubernetes ?");
    let (sent, ended) = run_asked(
        &documents(),
        &model(),
        &question,
        "",
        std::future::pending(),
    );
    assert_eq!(sent.done().finish, Finish::Fallback);
    assert_eq!(outcomes(&ended)[0], ("groq", Outcome::Unconfigured));
}

#[test]
fn when_nothing_else_answers_the_owner_does() {
    let lines = |lines: &[&str]| {
        Localized(
            [(
                "fr".to_owned(),
                lines.iter().map(|l| (*l).to_owned()).collect(),
            )]
            .into(),
        )
    };
    let mut site = crate::testing::site();
    site.bot.persona.fallback = lines(&["Revenez vite !"]);
    let ports = Fakes::default();
    ports.fail("models");
    let question = question_to(site, "Et Kubernetes ?");
    let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
    assert_eq!(text(&ended), "Revenez vite !");
    assert_eq!(
        (sent.done().finish, sent.done().provider.as_str()),
        (Finish::Fallback, "persona")
    );
    assert!(
        sent.events
            .iter()
            .any(|e| matches!(e, ServerEvent::Suggestions(s) if s.items == ["Qui es-tu ?"]))
    );
    // Without lines of the owner's, the built-in line of `strings` answers; so it does when the search fails, too.
    ports.fail("index");
    let (_, ended) = run_turn(&ports, &model());
    assert!(
        text(&ended).starts_with("Je ne peux pas répondre"),
        "{}",
        text(&ended)
    );
}

#[test]
fn every_step_is_counted_once_and_priced() {
    let ports = documents();
    let usage = Piece::Bytes(
        b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100}}\n\n"
            .to_vec(),
    );
    ports.answer(503, vec![]);
    ports.answer(200, vec![chunk("Oui."), usage]);
    let mut site = crate::testing::site();
    site.bot.model = serde_json::from_str(r#"{"name":"gpt-4o-mini"}"#).unwrap();
    let question = question_to(site.clone(), "Et Kubernetes ?");
    let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
    let calls = &ended.record.calls;
    assert_eq!(
        (calls[0].usage, calls[0].status),
        (Usage::default(), Some(503))
    );
    assert_eq!(
        (calls[1].usage, calls[1].microusd),
        (Usage::counted(1000, 100), Some(210))
    );
    assert_eq!(sent.done().usage, Usage::counted(1000, 100));
    // Where the vendor counts no tokens, they are estimated, and the usage says so.
    ports.answer(200, vec![chunk("Oui."), stop()]);
    site.bot.model = serde_json::from_str(r#"{"name":"mystery"}"#).unwrap();
    let question = question_to(site, "Et Kubernetes ?");
    let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
    let usage = sent.done().usage;
    assert!(
        usage.estimated && usage.input_tokens > 50 && usage.output_tokens > 0,
        "{usage:?}"
    );
    assert_eq!(ended.record.calls[0].microusd, None);
}

#[test]
fn without_money_the_next_is_asked_and_the_owner_told() {
    let ports = documents();
    let mut site = crate::testing::site();
    site.bot.limits.budget.microusd_per_day = Some(1_000);
    site.bot.model = serde_json::from_str(
        r#"{"name":"gpt-4o-mini","alternatives":[{"provider":"mistral","price":{"input":0,"output":0}}]}"#,
    )
    .unwrap();
    ports.answer(200, vec![chunk("Huit ans."), stop()]);
    let question = question_to(site, "Et Kubernetes ?");
    let deployment = having(&["openai", "mistral"]);
    let (sent, ended) = run_asked(&ports, &deployment, &question, "", std::future::pending());
    assert_eq!(
        (sent.done().provider.as_str(), sent.done().finish),
        ("mistral", Finish::Stop)
    );
    assert_eq!(outcomes(&ended)[0], ("openai", Outcome::Unfunded));
    let detail = &ended.notices[0].detail;
    assert_eq!(detail.budget.as_deref(), Some("microusd_per_day"));
    assert_eq!(detail.instead.as_ref().unwrap().provider, "mistral");
}
