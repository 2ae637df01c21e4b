//! Answers with a defect, and the questions that are suggested next.

use super::*;
use crate::{model::Site, search::Hit};

const CITED: &str = "Huit ans de Kubernetes, chez trois employeurs [1].";
const UNCITED: &str = "Il me semble que cela fait vingt ans, crois-moi.";
const ENGLISH: &str =
    "I have worked with Kubernetes for eight years and I am happy that you have asked me about it.";

/// A site whose answers must cite a passage.
fn strict() -> Site {
    let mut site = crate::testing::site();
    site.bot.answers.citations_required = true;
    site
}

fn run_on(site: Site, ports: &Fakes, deployment: &Deployment) -> (Sent, Ended) {
    let question = question_to(site, "Quelle est ton expérience avec Kubernetes ?");
    run_asked(ports, deployment, &question, "", std::future::pending())
}

fn starts(sent: &Sent) -> usize {
    let starts = sent.events.iter();
    let starts = starts.filter(|event| matches!(event, ServerEvent::Start(_)));
    starts.count()
}

fn outcomes(ended: &Ended) -> Vec<Outcome> {
    let calls = ended.record.calls.iter();
    calls.map(|call| call.outcome).collect()
}

fn says(ports: &Fakes, texts: &[&str]) {
    for text in texts {
        ports.answer(200, vec![chunk(text), stop()]);
    }
}

#[test]
fn an_answer_that_must_cite_is_held_back_until_it_does() {
    let ports = documents();
    says(&ports, &[UNCITED, CITED]);
    let (sent, ended) = run_on(strict(), &ports, &model());
    assert_eq!(text(&ended), CITED);
    assert_eq!((starts(&sent), sent.wrote.contains("vingt")), (1, false));
    assert_eq!(outcomes(&ended), [Outcome::Invalid, Outcome::Answered]);
    let calls = &ended.record.calls;
    assert_eq!(calls[1].purpose, record::Purpose::Repair);
    let evidence = &ended.record.reply.as_ref().unwrap().evidence;
    let added = &evidence.prompt.as_ref().unwrap().added;
    assert!(added.repair.as_ref().unwrap().contains("[1]"));
    assert!(evidence.confidence.is_some());
    // The next model of the chain is asked, then the documents answer.
    let both = having(&["openai", "mistral"]);
    let mut site = strict();
    site.bot.model.alternatives = serde_json::from_str(r#"[{"provider":"mistral"}]"#).unwrap();
    says(&ports, &[UNCITED, UNCITED, CITED]);
    let (sent, _) = run_on(site.clone(), &ports, &both);
    assert_eq!(sent.done().provider, "mistral");
    says(&ports, &[UNCITED, UNCITED, UNCITED, UNCITED]);
    let (sent, ended) = run_on(site, &ports, &both);
    let done = sent.done();
    assert_eq!(
        (done.provider.as_str(), done.finish, starts(&sent)),
        ("extractive", Finish::Fallback, 1)
    );
    assert!(!text(&ended).contains("vingt"));
}

#[test]
fn where_nothing_was_found_nothing_must_be_cited() {
    let ports = Fakes::default();
    says(&ports, &[UNCITED]);
    let (sent, ended) = run_on(strict(), &ports, &model());
    assert_eq!(
        (text(&ended), sent.done().finish),
        (UNCITED.to_owned(), Finish::Stop)
    );
}

#[test]
fn what_breaks_off_or_is_stopped_while_it_is_held_back_is_never_seen() {
    let ports = documents();
    ports.answer(200, vec![chunk(UNCITED), Piece::Broken]);
    says(&ports, &[CITED]);
    let mut site = strict();
    site.bot.model.alternatives = serde_json::from_str(r#"[{"provider":"mistral"}]"#).unwrap();
    let (sent, ended) = run_on(site, &ports, &having(&["openai", "mistral"]));
    assert_eq!((text(&ended).as_str(), starts(&sent)), (CITED, 1));
    let ports = documents();
    ports.answer(200, vec![chunk(UNCITED), Piece::Silence]);
    let question = question_to(strict(), "Et Kubernetes ?");
    let stop = ports.sleep(1_000);
    let (sent, ended) = run_asked(&ports, &model(), &question, "", stop);
    assert_eq!(
        (text(&ended).as_str(), sent.done().finish),
        ("", Finish::Stopped)
    );
}

#[test]
fn an_answer_in_another_language_is_taken_back_once() {
    let ports = documents();
    says(&ports, &[ENGLISH, CITED]);
    let (sent, ended) = run_on(crate::testing::site(), &ports, &model());
    assert_eq!((text(&ended).as_str(), starts(&sent)), (CITED, 2));
    let requests = ports.requests.borrow();
    assert!(requests[1].body.contains("whole answer in French"));
    drop(requests);
    says(&ports, &[ENGLISH, ENGLISH]);
    let (sent, ended) = run_on(crate::testing::site(), &ports, &model());
    assert_eq!(sent.done().finish, Finish::Fallback);
    assert!(!text(&ended).contains("worked"));
}

#[test]
fn what_cannot_be_taken_back_stays() {
    let ports = documents();
    says(&ports, &[ENGLISH]);
    let question = question("Quelle est ton expérience avec Kubernetes ?");
    let record = accepted(&question, 0);
    let ask = Ask {
        reader: Reader::Client,
        ..first_ask(&question, &record)
    };
    let mut sent = Sent::default();
    let never = Box::pin(std::future::pending());
    let ended = block_on(run(&ports, &model(), &ask, &mut sent, never));
    assert_eq!((text(&ended).as_str(), starts(&sent)), (ENGLISH, 1));
    assert_eq!(outcomes(&ended), [Outcome::Answered]);
    // An answer with a defect is not cached for other visitors.
    let mut site = crate::testing::site();
    site.bot.answers.cache_seconds = Some(600);
    for _ in 0..2 {
        says(&ports, &[ENGLISH]);
        let question = question_to(site.clone(), "Quelle est ton expérience avec Kubernetes ?");
        let ask = Ask {
            question: &question,
            ..ask
        };
        let mut sent = Sent::default();
        let never = Box::pin(std::future::pending());
        block_on(run(&ports, &model(), &ask, &mut sent, never));
        assert!(!sent.done().cached);
    }
    // Such a client shows no suggestions, so none are asked for.
    assert_eq!(suggested(&sent), None);
    assert!(!ports.requests.borrow()[0].body.contains("<next>"));
}

#[test]
fn the_line_of_suggestions_is_told_apart_and_never_shown() {
    let ports = documents();
    let pieces = ["Huit ans [1].\n\n<ne", "xt>Où ? | Depuis quand ?</next>"];
    let body = pieces.iter().map(|piece| chunk(piece)).chain([stop()]);
    ports.answer(200, body.collect());
    let (sent, ended) = run_on(crate::testing::site(), &ports, &model());
    assert_eq!(text(&ended), "Huit ans [1].");
    assert_eq!(suggested(&sent).unwrap(), ["Où ?", "Depuis quand ?"]);
    assert_eq!(ended.text.trim(), "Huit ans [1].");
    // The owner has switched suggestions off.
    let mut site = crate::testing::site();
    site.bot.answers.suggestions = false;
    says(&ports, &["Huit ans [1]."]);
    let (sent, _) = run_on(site, &ports, &model());
    assert_eq!(suggested(&sent), None);
    assert!(!ports.requests.borrow()[1].body.contains("<next>"));
}

#[test]
fn an_answer_that_is_cut_in_its_last_line_is_whole() {
    let ports = documents();
    let cut = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    let cut = || Piece::Bytes(cut.as_bytes().to_vec());
    ports.answer(
        200,
        vec![chunk("Huit ans [1].\n<next>Où ? | Depuis</next>"), cut()],
    );
    let (sent, _) = run_on(crate::testing::site(), &ports, &model());
    assert_eq!(ports.requests.borrow().len(), 1);
    assert_eq!(sent.done().finish, Finish::Stop);
    // An answer that continues after an incomplete line of suggestions is shown.
    ports.answer(200, vec![chunk("Huit ans <next>O"), cut()]);
    says(&ports, &[" de Kubernetes [1]."]);
    let (_, ended) = run_on(crate::testing::site(), &ports, &model());
    assert_eq!(text(&ended), "Huit ans de Kubernetes [1].");
}

#[test]
fn the_owner_hears_of_questions_that_were_asked_in_vain() {
    let unanswered = |ports: &Fakes, deployment: &Deployment, question: &str| {
        let (_, ended) = run_with(ports, deployment, question, std::future::pending());
        ended.record.reply.unwrap().evidence.unanswered
    };
    let none = Deployment::default();
    // The documents had no answer, or the model said that it found none.
    assert!(unanswered(&Fakes::default(), &none, "Et Kubernetes ?"));
    assert!(!unanswered(&documents(), &none, "Et Kubernetes ?"));
    let admits = "Je ne trouve pas cette information dans les documents.";
    for (answer, vain) in [(admits, true), (CITED, false), ("Avec plaisir !", false)] {
        let ports = documents();
        says(&ports, &[answer]);
        assert_eq!(
            unanswered(&ports, &model(), "Et Kubernetes ?"),
            vain,
            "{answer}"
        );
    }
    // A greeting is not a question, and a search that failed does not show that the documents lack an answer.
    assert!(!unanswered(&Fakes::default(), &none, "Bonjour !"));
    let broken = Fakes::default();
    broken.fail("index");
    assert!(!unanswered(&broken, &none, "Et Kubernetes ?"));
}

#[test]
fn a_passage_that_only_its_meaning_finds_is_in_the_prompt_and_a_failure_is_a_line_in_the_log() {
    let ports = Fakes::default();
    *ports.near.borrow_mut() = vec![Hit {
        score: 0.9,
        ..hit("Outils", "Les conteneurs se pilotent bien.")
    }];
    let ask = |ports: &Fakes| {
        ports.answer(200, vec![chunk("Bien sûr [1]."), stop()]);
        let (sent, _) = run_turn(ports, &model());
        assert_eq!(sent.done().finish, Finish::Stop);
        let requests = ports.requests.borrow();
        (requests.last().unwrap().body.clone(), sent.log)
    };
    let (prompt, log) = ask(&ports);
    assert!(prompt.contains("Les conteneurs se pilotent bien."));
    assert_eq!(log, [""; 0]);
    ports.fail("meaning");
    let (prompt, log) = ask(&ports);
    assert!(!prompt.contains("conteneurs"));
    assert_eq!(log, ["no passages by meaning: meaning is down"]);
}
