//! How often a turn calls each of its ports.

use super::*;

const PORTS: [&str; 7] = [
    "archive",
    "index",
    "kv",
    "meaning",
    "meters",
    "models",
    "summaries",
];

/// The number of calls of each port.
fn calls(ports: &Fakes, mut act: impl FnMut()) -> [u32; 7] {
    let before = PORTS.map(|port| ports.calls(port));
    act();
    let mut n = 0;
    PORTS.map(|port| {
        n += 1;
        ports.calls(port) - before[n - 1]
    })
}

/// A site that caches answers.
fn keeping() -> Site {
    let mut site = crate::testing::site();
    site.bot.answers.cache_seconds = Some(600);
    site
}

#[test]
fn a_plain_turn_searches_once_asks_once_and_is_stored_once() {
    let ports = documents();
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let cost = calls(&ports, || drop(run_turn(&ports, &model())));
    // The one read of KV is the circuit.
    assert_eq!(cost, [1, 1, 1, 1, 0, 1, 0], "{PORTS:?}");
    // The circuit is known.
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let cost = calls(&ports, || drop(run_turn(&ports, &model())));
    assert_eq!(cost, [1, 1, 0, 1, 0, 1, 0], "{PORTS:?}");
    let records = ports.records.borrow();
    assert!(records.iter().all(|record| record.reply.is_some()));
}

#[test]
fn a_cached_answer_searches_nothing_and_asks_no_model() {
    let ports = documents();
    let question = question_to(keeping(), "Et Kubernetes ?");
    let ask = || run_asked(&ports, &model(), &question, "", std::future::pending()).0;
    let answer = "Huit ans [1].\n\n<next>Où ? | Depuis quand ?</next>";
    ports.answer(200, vec![chunk(answer), stop()]);
    // KV: the look-up of a cached answer, the circuit, and the write of the answer.
    let cost = calls(&ports, || assert!(!ask().done().cached));
    assert_eq!(cost, [1, 1, 3, 1, 0, 1, 0], "{PORTS:?}");
    let mut sent = None;
    let cost = calls(&ports, || sent = Some(ask()));
    assert_eq!(cost, [1, 0, 1, 0, 0, 0, 0], "{PORTS:?}");
    let sent = sent.unwrap();
    assert!(sent.done().cached);
    assert_eq!(suggested(&sent).unwrap(), ["Où ?", "Depuis quand ?"]);
    assert!(
        (sent.events.iter())
            .any(|event| matches!(event, ServerEvent::Sources(s) if s.items.len() == 1))
    );
}

#[test]
fn an_answer_that_a_client_was_given_is_kept_with_what_visitors_may_ask_next() {
    let ports = documents();
    let question = question_to(keeping(), "Et Kubernetes ?");
    let record = accepted(&question, 0);
    let ask = |reader| Ask {
        question: &question,
        accepted: &record,
        reply_id: Id::from_parts(1, 2),
        history: &[],
        written: "",
        most: None,
        reader,
    };
    let run = |reader| {
        let mut sent = Sent::default();
        let never = Box::pin(std::future::pending());
        block_on(run(&ports, &model(), &ask(reader), &mut sent, never));
        sent
    };
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    assert_eq!(suggested(&run(Reader::Client)), None);
    let sent = run(Reader::Page);
    assert!(sent.done().cached);
    assert_eq!(suggested(&sent).unwrap(), ["Qui es-tu ?"]);
}

#[test]
fn a_conversation_that_fits_asks_for_no_summary() {
    let ports = documents();
    let question = question("Et Kubernetes ?");
    let history = [Exchange {
        position: 0,
        question: "Qui es-tu ?".into(),
        answer: "Un assistant.".into(),
    }];
    let record = accepted(&question, 1);
    let ask = Ask {
        history: &history,
        ..first_ask(&question, &record)
    };
    ports.answer(200, vec![chunk("Huit ans [1]."), stop()]);
    let never = Box::pin(std::future::pending());
    let ended = block_on(run(&ports, &model(), &ask, &mut Sent::default(), never));
    assert_eq!((ports.calls("summaries"), ended.outgrown), (0, false));
}
