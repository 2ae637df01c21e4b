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
