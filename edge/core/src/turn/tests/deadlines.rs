//! How long a turn waits for a model, and how a missed deadline counts for the model's circuit.

use super::*;
use crate::{model::Site, reply::MAX_REPLY_BYTES};

fn outcomes(ended: &Ended) -> Vec<(&str, Outcome)> {
    let calls = ended.record.calls.iter();
    calls
        .map(|call| (call.provider.as_str(), call.outcome))
        .collect()
}

/// A site with these timeouts, whose bot's chain has Mistral as the second model.
fn site(timeouts: &str) -> Site {
    let mut site = crate::testing::site();
    site.bot.model.alternatives = serde_json::from_str(r#"[{"provider":"mistral"}]"#).unwrap();
    site.bot.model.timeouts = serde_json::from_str(timeouts).unwrap();
    site
}

fn run_on(site: Site, ports: &Fakes, written: &str) -> (Sent, Ended) {
    let question = question_to(site, "Et Kubernetes ?");
    let both = having(&["openai", "mistral"]);
    run_asked(ports, &both, &question, written, std::future::pending())
}

#[test]
fn when_no_time_is_left_nobody_else_is_asked() {
    let ports = documents();
    for _ in 0..4 {
        ports.answer(200, vec![Piece::Silence]);
        let (sent, ended) = run_on(site(r#"{"total_ms":20000}"#), &ports, "");
        assert_eq!(sent.done().provider, "extractive");
        // A model that had less time than its own timeout is not counted as failing.
        assert_eq!(outcomes(&ended)[0], ("openai", Outcome::TimedOut));
        assert_eq!(outcomes(&ended).len(), 2);
        assert!(ended.notices.is_empty());
    }
    assert_eq!(ports.requests.borrow().len(), 4);
}

#[test]
fn a_hasty_bot_closes_no_door_to_others() {
    let ports = documents();
    let hasty = r#"{"first_token_ms":100}"#;
    for _ in 0..4 {
        ports.answer(200, vec![Piece::Silence]);
        ports.answer(200, vec![chunk("Huit."), stop()]);
        let (sent, ended) = run_on(site(hasty), &ports, "");
        assert_eq!(sent.done().provider, "mistral");
        assert_eq!(outcomes(&ended)[0], ("openai", Outcome::TimedOut));
    }
    ports.answer(200, vec![chunk("Huit."), stop()]);
    assert_eq!(run_on(site("{}"), &ports, "").0.done().provider, "openai");
}

#[test]
fn an_answer_that_had_lost_nothing_but_its_end_is_whole() {
    let ports = documents();
    ports.answer(200, vec![stop()]);
    let (sent, ended) = run_on(site("{}"), &ports, "Huit ans.");
    assert_eq!(
        (text(&ended).as_str(), sent.done().finish),
        ("Huit ans.", Finish::Stop)
    );
    assert_eq!(ports.requests.borrow().len(), 1);
}

#[test]
fn one_huge_event_is_cut_where_an_answer_ends() {
    let ports = documents();
    ports.answer(
        200,
        vec![chunk(&"é".repeat(MAX_REPLY_BYTES)), chunk("x"), stop()],
    );
    let (sent, ended) = run_on(site("{}"), &ports, "");
    assert_eq!(sent.done().finish, Finish::Length);
    assert!((MAX_REPLY_BYTES - 4..=MAX_REPLY_BYTES).contains(&ended.text.len()));
    assert_eq!(ports.requests.borrow().len(), 1);
}

#[test]
fn a_refusal_whose_words_do_not_come_is_one_all_the_same() {
    for piece in [Piece::Silence, Piece::Broken] {
        let ports = documents();
        ports.answer(401, vec![piece]);
        ports.answer(200, vec![chunk("Huit."), stop()]);
        let before = ports.now_ms();
        let (_, ended) = run_on(site("{}"), &ports, "");
        assert_eq!(outcomes(&ended)[0], ("openai", Outcome::Refused));
        assert!(ports.now_ms() - before < 5_000);
    }
}

#[test]
fn every_owner_is_told_of_a_model_that_rests_and_that_nobody_answers() {
    let ports = Fakes::default();
    let alone = || {
        let mut site = crate::testing::site();
        let lines = [("fr".to_owned(), vec!["Revenez vite !".to_owned()])];
        site.bot.persona.fallback = Localized(lines.into());
        site
    };
    let run = |site: Site| {
        let question = question_to(site, "Et Kubernetes ?");
        run_asked(&ports, &model(), &question, "", std::future::pending()).1
    };
    for _ in 0..3 {
        ports.answer(404, vec![]);
        run(alone());
    }
    let [notice] = run(alone()).notices.try_into().unwrap();
    assert_eq!(notice.detail.reason.as_deref(), Some("circuit_open"));
    assert_eq!(notice.detail.instead, None);
}

/// A piece of a body, as it is.
fn bytes(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

#[test]
fn whatever_comes_is_a_sign_of_life() {
    let reasoning = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    let empty = "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n";
    for sign in [
        reasoning,
        empty,
        ": OPENROUTER PROCESSING\n\n",
        "event: ping\ndata: {}\n\n",
    ] {
        let ports = documents();
        let mut body = Vec::new();
        for _ in 0..50 {
            body.extend([Piece::Rest(1_000), bytes(sign)]);
        }
        body.extend([Piece::Rest(1_000), chunk("Huit ans.")]);
        for _ in 0..4 {
            body.extend([Piece::Rest(10_000), bytes(sign)]);
        }
        body.push(stop());
        ports.answer(200, body);
        let mut deployment = having(&["openai"]);
        deployment.timeouts = Timeouts::default();
        let (sent, ended) = run_turn(&ports, &deployment);
        assert_eq!(
            (text(&ended).as_str(), sent.done().finish),
            ("Huit ans.", Finish::Stop),
            "{sign}"
        );
        assert_eq!(ended.record.calls[0].first_token_ms, Some(51_000));
    }
}

#[test]
fn the_log_says_how_long_a_model_was_silent() {
    let ports = documents();
    ports.answer(
        200,
        vec![Piece::Rest(29_000), bytes(": ping\n\n"), Piece::Silence],
    );
    let mut deployment = having(&["openai"]);
    deployment.timeouts = Timeouts::default();
    let (sent, _) = run_turn(&ports, &deployment);
    assert!(
        sent.log
            .iter()
            .any(|line| line.contains("silent for 30000 ms")),
        "{:?}",
        sent.log
    );
    // Signs of life without end are ended by the time for the whole answer.
    let pings = (0..300).flat_map(|_| [Piece::Rest(1_000), bytes(": ping\n\n")]);
    ports.answer(200, pings.collect());
    let before = ports.now_ms();
    let (sent, ended) = run_turn(&ports, &deployment);
    assert_eq!(
        (sent.done().provider.as_str(), outcomes(&ended)[0].1),
        ("extractive", Outcome::TimedOut)
    );
    assert!((180_000..185_000).contains(&(ports.now_ms() - before)));
    assert!(
        sent.log
            .iter()
            .any(|line| line.contains("whole answer is over")),
        "{:?}",
        sent.log
    );
}

/// A bot with a budget, whose model is asked once.
fn budgeted() -> Site {
    let mut site = crate::testing::site();
    site.bot.limits.budget.tokens_per_day = Some(1_000_000);
    site
}

#[test]
fn an_edge_that_stood_still_first_looks_at_what_has_arrived() {
    for still in [11_000, 46_000, 100_000] {
        // Before the head, before the first word, and between two words.
        for place in 0..3 {
            let ports = documents();
            let rest = || Piece::Rest(9_000);
            let body = match place {
                0 => vec![chunk("Huit "), chunk("ans."), stop()],
                1 => vec![rest(), rest(), chunk("Huit "), chunk("ans."), stop()],
                _ => vec![chunk("Huit "), rest(), chunk("ans."), stop()],
            };
            ports.answer_slowly(if place == 0 { 9_000 } else { 0 }, body);
            ports.stand_still(still);
            let question = question_to(budgeted(), "Et Kubernetes ?");
            let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
            assert_eq!(
                (text(&ended).as_str(), sent.done().finish),
                ("Huit ans.", Finish::Stop),
                "{still} {place}"
            );
            assert_eq!(ports.requests.borrow().len(), 1);
        }
    }
}

#[test]
fn a_model_that_is_asked_late_gets_its_time_and_what_fails_all_the_same_counts_for_nothing() {
    let ports = documents();
    let question = question_to(budgeted(), "Et Kubernetes ?");
    // The request leaves after the standstill: the model needs most of its time from then on.
    ports.answer_slowly(18_000, vec![chunk("Huit ans."), stop()]);
    ports.stand_still(11_000);
    let (sent, _) = run_asked(&ports, &model(), &question, "", std::future::pending());
    assert_eq!(sent.done().finish, Finish::Stop);
    let spent = ports.metered("bot/bot/tokens/");
    for _ in 0..4 {
        ports.answer_never();
        ports.stand_still(11_000);
        let (sent, ended) = run_asked(&ports, &model(), &question, "", std::future::pending());
        assert_eq!(sent.done().provider, "extractive");
        let call = &ended.record.calls[0];
        assert_eq!(
            (call.outcome, call.usage),
            (Outcome::TimedOut, Usage::default())
        );
        assert!(
            sent.log
                .iter()
                .any(|line| line.contains("the edge itself stood still")),
            "{:?}",
            sent.log
        );
        assert!(ended.notices.is_empty());
    }
    assert_eq!(ports.requests.borrow().len(), 5, "no circuit was opened");
    assert_eq!(
        ports.metered("bot/bot/tokens/"),
        spent,
        "every reservation went back"
    );
    // A model that is silent by itself is paid, as far as anybody knows.
    ports.answer_never();
    run_asked(&ports, &model(), &question, "", std::future::pending());
    assert!(ports.metered("bot/bot/tokens/") > spent);
}

#[test]
fn a_machine_that_stands_still_again_and_again_does_not_make_a_visitor_wait_for_ever() {
    let ports = documents();
    ports.answer_never();
    ports.stand_still_always(3_000);
    let before = ports.now_ms();
    let (sent, _) = run_on(site("{}"), &ports, "");
    assert_eq!(sent.done().provider, "extractive");
    let waited = ports.now_ms() - before;
    // The time for a whole answer, at most twice.
    assert!((25_000..120_000).contains(&waited), "{waited}");
}
