use bulle_edge_core::admin::usage::UsageQuery;
use serde_json::{Value, json};

use super::world::*;
use crate::repositories::Usage;

fn page(world: &World, tenant_id: &str, pairs: &[(&str, &str)]) -> (Vec<Value>, Option<String>) {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let query = UsageQuery::read(&pairs, NOW).map_err(|problem| problem.detail);
    let (items, next) = wait(Usage(&world.database).page(tenant_id, &query.unwrap()));
    (serde_json::from_str(&items).unwrap(), next)
}

/// A database without model calls of the first tenant.
fn world() -> World {
    let world = World::new();
    world
        .database
        .script("DELETE FROM model_call WHERE tenant_id = 'acme'");
    world
}

/// Stores a call, by default a successful one in a conversation of its own, at the present time.
fn store(world: &World, more: &Value) {
    let mut call = json!({
        "tenant_id": ACME, "bot_id": BOT, "conversation_id": format!("of {}", more["id"]),
        "question_id": null, "purpose": "answer", "provider": "openai", "model": "gpt-4o-mini", "outcome": "answered",
        "status": 200, "input_tokens": 100, "output_tokens": 10, "estimated": 0, "microusd": 21, "first_token_ms": 300,
        "total_ms": 900, "created_at": NOW,
    });
    for (name, value) in more.as_object().unwrap() {
        call[name] = value.clone();
    }
    let call = call.as_object().unwrap();
    let names: Vec<&str> = call.keys().map(String::as_str).collect();
    let values: Vec<String> = call
        .values()
        .map(|value| match value {
            Value::String(text) => format!("'{}'", text.replace('\'', "''")),
            other => other.to_string(),
        })
        .collect();
    let (names, values) = (names.join(", "), values.join(", "));
    world.database.script(&format!(
        "INSERT INTO model_call ({names}) VALUES ({values})"
    ));
}

fn nothing() -> Value {
    json!({
        "answers": 0, "calls": 0, "failed": 0, "passed_over": 0, "input_tokens": 0, "output_tokens": 0,
        "estimated_calls": 0, "microusd": 0, "unpriced_calls": 0,
    })
}

/// Unix milliseconds of a time on a day of 2026.
fn at(month: u64, day: u64, ms: u64) -> u64 {
    const DAY: u64 = 86_400_000;
    // 2026-01-01T00:00:00Z
    let months = [0, 31, 59, 90];
    1_767_225_600_000 + (months[month as usize - 1] + day - 1) * DAY + ms
}

const SPAN: [(&str, &str); 2] = [("from", "2026-01-31"), ("to", "2026-03-31")];

/// Calls of three answers over three months, and two just outside of them.
fn three_answers() -> World {
    let world = world();
    let [one, two, three] = [910, 920, 930].map(id);
    let midnight = at(2, 1, 0);
    // An answer of the second model, after the first was unreachable and another was passed over.
    store(
        &world,
        &json!({ "id": format!("{one}/0"), "outcome": "unreachable", "status": null, "input_tokens": 0,
        "output_tokens": 0, "microusd": 0, "first_token_ms": null, "total_ms": 50, "created_at": midnight - 1 }),
    );
    store(
        &world,
        &json!({ "id": format!("{one}/1"), "model": "o3", "outcome": "circuit_open", "status": null,
        "input_tokens": 0, "output_tokens": 0, "microusd": 0, "first_token_ms": null, "total_ms": 0,
        "created_at": midnight - 1 }),
    );
    store(
        &world,
        &json!({ "id": format!("{one}/2"), "provider": "ollama", "model": "llama", "microusd": null,
        "estimated": 1, "first_token_ms": 100, "total_ms": 500, "created_at": midnight }),
    );
    // An answer that was cut and continued is two calls and one answer; the summary after it is a call and no answer.
    let noon = at(2, 1, 43_200_000);
    store(
        &world,
        &json!({ "id": format!("{two}/0"), "outcome": "truncated", "first_token_ms": 200, "total_ms": 700,
        "created_at": noon }),
    );
    store(
        &world,
        &json!({ "id": format!("{two}/1"), "purpose": "continuation", "first_token_ms": 301, "total_ms": 900,
        "created_at": noon + 1_000 }),
    );
    store(
        &world,
        &json!({ "id": format!("{two}/summary/0"), "purpose": "summary", "first_token_ms": 500,
        "total_ms": 901, "created_at": noon + 2_000 }),
    );
    // A call of another bot that broke off.
    store(
        &world,
        &json!({ "id": format!("{three}/0"), "bot_id": "other", "outcome": "interrupted", "microusd": 7,
        "created_at": at(4, 1, 0) - 1 }),
    );
    store(&world, &json!({ "id": "late", "created_at": at(4, 1, 0) }));
    store(
        &world,
        &json!({ "id": "early", "created_at": at(1, 31, 0) - 1 }),
    );
    world
}

#[test]
fn the_sum_of_nothing_is_a_row_of_zeros_or_none() {
    let world = world();
    assert_eq!(page(&world, ACME, &[]), (vec![nothing()], None));
    assert_eq!(page(&world, EMPTY, &[]), (vec![nothing()], None));
    assert_eq!(page(&world, ACME, &[("by", "day")]), (vec![], None));
}

#[test]
fn a_report_sums_up_groups_and_counts_an_answer_once() {
    let world = three_answers();
    let items = |more: &[(&str, &str)]| page(&world, ACME, &[&SPAN[..], more].concat()).0;
    let mut all = nothing();
    for (name, value) in [
        ("answers", 2),
        ("calls", 6),
        ("failed", 2),
        ("passed_over", 1),
        ("input_tokens", 500),
        ("output_tokens", 50),
        ("estimated_calls", 1),
        ("microusd", 70),
        ("unpriced_calls", 1),
    ] {
        all[name] = value.into();
    }
    all["first_token_ms"] = json!({ "mean": 280, "p50": 300, "p95": 500 });
    all["total_ms"] = json!({ "mean": 659, "p50": 700, "p95": 901 });
    assert_eq!(items(&[]), [all]);

    let grouped = |by: &str, columns: &str| -> Value {
        let names: Vec<&str> = by.split(',').chain(columns.split(',')).collect();
        let row = |row: &Value| {
            names
                .iter()
                .map(|name| row[name].clone())
                .collect::<Vec<_>>()
        };
        json!(items(&[("by", by)]).iter().map(row).collect::<Vec<_>>())
    };
    assert_eq!(
        grouped("day", "calls,answers"),
        json!([
            ["2026-01-31", 1, 0],
            ["2026-02-01", 4, 2],
            ["2026-03-31", 1, 0]
        ])
    );
    assert_eq!(
        grouped("month", "calls"),
        json!([["2026-01", 1], ["2026-02", 4], ["2026-03", 1]])
    );
    assert_eq!(grouped("bot", "microusd"), json!([[BOT, 63], ["other", 7]]));
    assert_eq!(
        grouped("provider,model", "calls,unpriced_calls"),
        json!([
            ["ollama", "llama", 1, 1],
            ["openai", "gpt-4o-mini", 5, 0],
            ["openai", "o3", 0, 0]
        ])
    );
    assert_eq!(
        grouped("model,bot", "failed"),
        json!([
            ["gpt-4o-mini", BOT, 1],
            ["gpt-4o-mini", "other", 1],
            ["llama", BOT, 0],
            ["o3", BOT, 0]
        ])
    );
    assert_eq!(
        grouped("outcome", "calls,passed_over,failed"),
        json!([
            ["answered", 3, 0, 0],
            ["circuit_open", 0, 1, 0],
            ["interrupted", 1, 0, 1],
            ["truncated", 1, 0, 0],
            ["unreachable", 1, 0, 1]
        ])
    );
    let every = items(&[("by", "day,month,bot,provider,model,conversation,outcome")]);
    assert_eq!(every.len(), 7);
    // Without a call to a model there are no durations.
    let mut skipped = nothing();
    skipped["outcome"] = "circuit_open".into();
    skipped["passed_over"] = 1.into();
    assert_eq!(
        items(&[
            ("by", "outcome"),
            ("after", "[\"answered\"]"),
            ("limit", "1")
        ]),
        [skipped]
    );
    // An answer that no model wrote counts as an answer, but not as a call.
    store(
        &world,
        &json!({ "id": format!("{}/0", id(940)), "provider": "extractive", "microusd": 0, "status": null,
        "first_token_ms": null, "total_ms": 0, "created_at": at(2, 2, 0) }),
    );
    let free = &items(&[("by", "provider")])[0];
    assert_eq!(
        (&free["provider"], &free["answers"], &free["calls"]),
        (&json!("extractive"), &json!(1), &json!(0))
    );
}

#[test]
fn a_report_is_of_a_bot_or_a_conversation() {
    let world = three_answers();
    let calls = |more: &[(&str, &str)]| {
        page(&world, ACME, &[&SPAN[..], more].concat()).0[0]["calls"].clone()
    };
    let other = id(902).to_string();
    assert_eq!(calls(&[("bot", "other")]), 1);
    assert_eq!(calls(&[("bot", "gone")]), 0);
    assert_eq!(calls(&[("conversation", &other)]), 0);
    store(
        &world,
        &json!({ "id": "mine", "conversation_id": &other, "created_at": at(2, 2, 0) }),
    );
    assert_eq!(calls(&[("conversation", &other)]), 1);
    assert_eq!(calls(&[("conversation", &other), ("bot", "other")]), 0);
}

#[test]
fn percentiles_are_values_of_calls() {
    let many: Vec<u64> = (0..333).map(|n| n * 7_919 % 1_009).collect();
    for values in [vec![7], vec![1, 100], (0..20).collect(), many] {
        let world = world();
        for (n, ms) in values.iter().enumerate() {
            store(
                &world,
                &json!({ "id": n.to_string(), "first_token_ms": ms, "total_ms": ms * 2 }),
            );
        }
        store(
            &world,
            &json!({ "id": "empty", "first_token_ms": null, "outcome": "empty", "total_ms": 0 }),
        );
        let expected = |mut values: Vec<u64>, p: usize| {
            values.sort_unstable();
            values[(p * values.len()).div_ceil(100) - 1]
        };
        let row = page(&world, ACME, &[]).0.remove(0);
        let mean = values.iter().sum::<u64>() as f64 / values.len() as f64;
        let first = json!({ "mean": mean.round() as u64, "p50": expected(values.clone(), 50), "p95": expected(values.clone(), 95) });
        assert_eq!(row["first_token_ms"], first);
        let mut totals: Vec<u64> = values.iter().map(|ms| ms * 2).collect();
        totals.push(0);
        assert_eq!(row["total_ms"]["p50"], expected(totals.clone(), 50));
        assert_eq!(row["total_ms"]["p95"], expected(totals, 95));
    }
}

#[test]
fn a_report_comes_in_pages() {
    let world = world();
    world.database.script("BEGIN");
    for n in 0..1_203 {
        let model = format!("m,\"{n:04}'é");
        store(
            &world,
            &json!({ "id": n.to_string(), "model": model, "created_at": NOW - n % 2 * 86_400_000 }),
        );
    }
    world.database.script("COMMIT");
    let (first, next) = page(&world, ACME, &[("by", "model,day")]);
    assert_eq!(first.len(), 1_000);
    let (second, end) = page(
        &world,
        ACME,
        &[("by", "model,day"), ("after", &next.unwrap())],
    );
    assert_eq!((second.len(), end), (203, None));
    // No row is lost or repeated where a page ends between rows with the same first key.
    let (mut models, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut pairs = vec![("by", "day,model"), ("limit", "401")];
        pairs.extend(after.as_deref().map(|after| ("after", after)));
        let (rows, next) = page(&world, ACME, &pairs);
        models.extend(rows.iter().map(|row| row["model"].to_string()));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(models.len(), 1_203);
    models.sort();
    models.dedup();
    assert_eq!(models.len(), 1_203);
    let (exact, end) = page(&world, ACME, &[("by", "day"), ("limit", "2")]);
    assert_eq!((exact.len(), end), (2, None));
}

#[test]
fn an_answer_is_shown_with_its_calls_in_order_and_without_its_words() {
    let world = world();
    let usage = Usage(&world.database);
    let evidence = json!({ "confidence": 0.7, "topic": "Parcours", "first_token_ms": 300, "total_ms": 900, "prompt":
        { "bot_version": 3, "template": 1, "passages": [7, 9], "history_from": 2, "fingerprint": "0123456789abcdef" } });
    world.database.script(&format!(
        "UPDATE message SET evidence = '{evidence}', estimated = 1 WHERE tenant_id = 'acme' AND role = 'assistant'"
    ));
    let (question, reply) = (id(QUESTION).to_string(), id(REPLY).to_string());
    let conversation = id(CONVERSATION).to_string();
    let same = |more: Value| {
        let mut call = json!({ "conversation_id": conversation, "question_id": question });
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        call
    };
    // The first attempt's reply is deleted; its cost is not.
    store(
        &world,
        &same(
            json!({ "id": format!("{}/0", id(950)), "outcome": "timed_out", "created_at": 1_000,
        "microusd": null, "estimated": 1 }),
        ),
    );
    for n in 0..12 {
        store(
            &world,
            &same(
                json!({ "id": format!("{reply}/{n}"), "model": format!("m{n}"), "created_at": 2_000 }),
            ),
        );
    }
    store(
        &world,
        &json!({ "id": format!("{reply}/summary/0"), "conversation_id": conversation, "purpose": "summary",
        "created_at": 3_000 }),
    );
    // Calls close by that are not of this answer.
    store(
        &world,
        &json!({ "id": "a", "conversation_id": conversation, "question_id": id(960) }),
    );
    store(&world, &json!({ "id": "b", "question_id": question }));

    world.database.round_trips();
    let shown = wait(usage.answer(ACME, id(REPLY))).unwrap();
    assert_eq!(world.database.round_trips(), 1);
    assert!(!shown.contains("instrument"));
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    let members = shown.as_object_mut().unwrap();
    let calls = members.remove("calls").unwrap();
    let earlier = members.remove("earlier_calls").unwrap();
    let expected = json!({
        "id": reply, "question_id": question, "conversation_id": conversation, "bot_id": BOT, "status": "complete",
        "finish": "stop", "provider": "openai", "model": "m",
        "usage": { "input_tokens": 10, "output_tokens": 20, "estimated": true },
        "evidence": evidence, "created_at": NOW + 1_000,
    });
    assert_eq!(shown, expected);
    let named = |calls: &Value| -> Vec<String> {
        let name = |call: &Value| {
            format!(
                "{} {}",
                call["model"].as_str().unwrap(),
                call["purpose"].as_str().unwrap()
            )
        };
        calls.as_array().unwrap().iter().map(name).collect()
    };
    let mut all: Vec<String> = (0..12).map(|n| format!("m{n} answer")).collect();
    all.push("gpt-4o-mini summary".into());
    assert_eq!(named(&calls), all);
    let timed_out = json!([{
        "purpose": "answer", "provider": "openai", "model": "gpt-4o-mini", "outcome": "timed_out", "status": 200,
        "usage": { "input_tokens": 100, "output_tokens": 10, "estimated": true },
        "microusd": null, "first_token_ms": 300, "total_ms": 900, "at": 1_000,
    }]);
    assert_eq!(earlier, timed_out);

    // Null members of an answer are absent.
    world.database.script(
        "UPDATE message SET status = 'failed', finish = NULL, error = 'upstream_timeout' \
         WHERE tenant_id = 'acme' AND role = 'assistant'; DELETE FROM model_call WHERE tenant_id = 'acme'",
    );
    let failed: Value =
        serde_json::from_str(&wait(usage.answer(ACME, id(REPLY))).unwrap()).unwrap();
    let told = (
        &failed["status"],
        &failed["error"],
        failed.get("finish"),
        &failed["calls"],
    );
    assert_eq!(
        told,
        (
            &json!("failed"),
            &json!("upstream_timeout"),
            None,
            &json!([])
        )
    );
    // A visitor's message is not an answer, and another tenant has no such answer.
    assert!(wait(usage.answer(ACME, id(QUESTION))).is_none());
    assert!(wait(usage.answer(EMPTY, id(REPLY))).is_none());
}
