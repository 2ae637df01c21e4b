use bulle_edge_core::{
    admin::usage::Query,
    record::{Outcome, Purpose},
};
use serde_json::{Value, json};

use super::world::*;
use crate::repositories::{Transcripts, Usage};

fn page(world: &World, tenant_id: &str, pairs: &[(&str, &str)]) -> (Vec<Value>, Option<String>) {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let query = Query::read(&pairs, NOW).map_err(|problem| problem.detail);
    let (items, next) = wait(Usage(&world.database).page(tenant_id, &query.unwrap()));
    (serde_json::from_str(&items).unwrap(), next)
}

/// The tenant's calls in place of those that the world has: of two models, answered, failed, passed over, free.
fn world() -> World {
    let world = World::new();
    world
        .database
        .script("DELETE FROM model_call WHERE tenant_id = 'acme'");
    let answered = |first, total, microusd| call(Purpose::Answer, Some(first), total, microusd);
    let mut calls: Vec<_> = (1..=20)
        .map(|n| answered(n * 10, n * 100, Some(5)))
        .collect();
    let mut refused = call(Purpose::Answer, None, 50, None);
    refused.outcome = Outcome::Refused;
    refused.model = "other".into();
    let mut passed = refused.clone();
    passed.outcome = Outcome::CircuitOpen;
    let mut free = answered(1, 1, Some(0));
    free.provider = "extractive".into();
    calls.extend([refused, passed, free]);
    let prefix = id(900).to_string();
    let stored = Transcripts(&world.database);
    wait(stored.record_calls(&owner(ACME), id(901), Some(id(902)), &prefix, &calls));
    let summary = [call(Purpose::Summary, Some(9), 9, Some(7))];
    let prefix = format!("{prefix}/summary");
    wait(stored.record_calls(&owner(ACME), id(901), None, &prefix, &summary));
    world
}

#[test]
fn calls_are_summed_up() {
    let world = world();
    let (rows, next) = page(&world, ACME, &[]);
    let sums = json!([{
        "answers": 1, "calls": 22, "failed": 1, "passed_over": 1,
        "input_tokens": 240, "output_tokens": 480, "estimated_calls": 0,
        "microusd": 107, "unpriced_calls": 1,
        // Nearest rank over 22 first tokens, one of which is the free answer's, and 22 calls that asked somebody.
        "first_token_ms": { "mean": 96, "p50": 90, "p95": 190 },
        "total_ms": { "mean": 957, "p50": 900, "p95": 1900 },
    }]);
    assert_eq!(json!(rows), sums);
    assert_eq!(next, None);
    // The sum of nothing is a row, too, with no times.
    let (rows, _) = page(&world, EMPTY, &[]);
    assert_eq!(
        (rows[0]["calls"].clone(), rows[0].get("total_ms")),
        (json!(0), None)
    );
}

#[test]
fn sums_stand_apart_by_keys_in_pages() {
    let world = world();
    let (rows, next) = page(&world, ACME, &[("by", "model,outcome"), ("limit", "2")]);
    let keys = |rows: &[Value]| -> Vec<(Value, Value, Value)> {
        rows.iter()
            .map(|row| {
                (
                    row["model"].clone(),
                    row["outcome"].clone(),
                    row["calls"].clone(),
                )
            })
            .collect()
    };
    assert_eq!(
        keys(&rows),
        [
            (json!("m"), json!("answered"), json!(21)),
            (json!("other"), json!("circuit_open"), json!(0))
        ]
    );
    let next = next.unwrap();
    let (rows, end) = page(
        &world,
        ACME,
        &[("by", "model,outcome"), ("limit", "2"), ("after", &next)],
    );
    assert_eq!(keys(&rows), [(json!("other"), json!("refused"), json!(1))]);
    assert_eq!(end, None);
    for (by, value) in [
        ("day", "2026-11-21"),
        ("month", "2026-11"),
        ("bot", BOT),
        ("provider", "extractive"),
    ] {
        let (rows, _) = page(&world, ACME, &[("by", by)]);
        assert_eq!(rows[0][by], value);
    }
    assert!(page(&world, EMPTY, &[("by", "day")]).0.is_empty());
}

#[test]
fn sums_are_of_the_asked_days_bot_and_conversation() {
    let world = world();
    let calls = |pairs: &[(&str, &str)]| page(&world, ACME, pairs).0[0]["calls"].clone();
    let conversation = id(901).to_string();
    assert_eq!(calls(&[("from", "2026-11-21"), ("to", "2026-11-21")]), 22);
    assert_eq!(calls(&[("to", "2026-11-20")]), 0);
    assert_eq!(calls(&[("from", "2026-11-22"), ("to", "2026-11-23")]), 0);
    assert_eq!(calls(&[("bot", "other")]), 0);
    assert_eq!(calls(&[("bot", BOT), ("conversation", &conversation)]), 22);
    assert_eq!(calls(&[("conversation", &id(CONVERSATION).to_string())]), 0);
}

#[test]
fn an_answer_is_shown_with_its_calls_and_without_its_words() {
    let world = World::new();
    let usage = Usage(&world.database);
    let summary = [call(Purpose::Summary, None, 1, None)];
    let earlier = [call(Purpose::Answer, None, 2, None)];
    let stored = Transcripts(&world.database);
    let (owner, conversation) = (owner(ACME), id(CONVERSATION));
    wait(stored.record_calls(
        &owner,
        conversation,
        None,
        &format!("{}/summary", id(REPLY)),
        &summary,
    ));
    wait(stored.record_calls(
        &owner,
        conversation,
        Some(id(QUESTION)),
        &id(700).to_string(),
        &earlier,
    ));
    let shown = wait(usage.answer(ACME, id(REPLY))).unwrap();
    assert!(!shown.contains("instrument"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["question_id"], json!(id(QUESTION)));
    assert_eq!(shown["bot_id"], BOT);
    assert_eq!(
        shown["usage"],
        json!({ "input_tokens": 10, "output_tokens": 20, "estimated": false })
    );
    assert_eq!(shown["evidence"]["unanswered"], true);
    let purposes = |calls: &Value| -> Vec<Value> {
        calls
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["purpose"].clone())
            .collect()
    };
    assert_eq!(purposes(&shown["calls"]), ["answer", "summary"]);
    assert_eq!(shown["calls"][0]["microusd"], 5);
    assert_eq!(
        shown["calls"][1]["microusd"],
        Value::Null,
        "of a call, what is null stays"
    );
    assert_eq!(shown["earlier_calls"].as_array().unwrap().len(), 1);
    assert_eq!(shown.get("error"), None, "of an answer, what is null goes");
    assert!(wait(usage.answer(ACME, id(QUESTION))).is_none());
    assert!(wait(usage.answer(EMPTY, id(REPLY))).is_none());
}
