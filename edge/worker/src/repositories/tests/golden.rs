use bulle_edge_core::retrieval::golden::MAX_QUESTIONS;

use super::world::*;
use crate::repositories::golden::{Added, Golden, Looked};

fn looked(number: u128, place: u32) -> Looked {
    Looked {
        id: id(number),
        place,
        first: Some("Music".into()),
    }
}

#[test]
fn golden_questions_are_added_reported_and_deleted() {
    let world = World::new();
    let golden = Golden(&world.database);
    let new = golden_question();
    let added = [100, 101].map(|number| Added {
        id: id(number),
        new: &new,
    });
    assert!(wait(golden.add(ACME, BOT, &added)));
    let (report, knowledge) = wait(golden.report(ACME, BOT));
    let ids: Vec<_> = report.items.iter().map(|item| item.id).collect();
    assert_eq!(ids, [id(GOLDEN), id(100), id(101)]);
    assert_eq!(report.items[0].question, new.question);
    assert_eq!(report.items[0].expected, new.expected);
    assert!(report.stale, "two were never looked for");
    assert_eq!(report.checked_at, Some(NOW));
    assert_eq!(knowledge, 2, "the index of the only source");

    assert!(wait(golden.delete(ACME, BOT, id(100))));
    assert!(!wait(golden.delete(ACME, BOT, id(100))));
    assert!(!wait(golden.delete(EMPTY, BOT, id(GOLDEN))));
    assert!(!wait(golden.delete(ACME, "other", id(GOLDEN))));
    assert_eq!(wait(golden.report(ACME, BOT)).0.items.len(), 2);
    assert!(wait(golden.report(EMPTY, BOT)).0.items.is_empty());
}

#[test]
fn golden_questions_are_added_all_or_none() {
    let world = World::new();
    let golden = Golden(&world.database);
    let new = golden_question();
    let some = |from: u128, number: usize| -> Vec<Added<'_>> {
        (from..)
            .take(number)
            .map(|n| Added {
                id: id(n),
                new: &new,
            })
            .collect()
    };
    // There is one question already.
    assert!(!wait(golden.add(ACME, BOT, &some(100, MAX_QUESTIONS))));
    assert_eq!(wait(golden.report(ACME, BOT)).0.items.len(), 1);
    assert!(wait(golden.add(ACME, BOT, &some(100, MAX_QUESTIONS - 1))));
    assert!(!wait(golden.add(ACME, BOT, &some(900, 1))));
    // The bot is a foreign key.
    error(golden.add(ACME, "other", &some(900, 1)));
    error(golden.add("nobody", BOT, &some(900, 1)));
}

#[test]
fn a_result_is_compared_with_that_of_another_version_of_the_knowledge() {
    let world = World::new();
    let golden = Golden(&world.database);
    let first = |at: u64| {
        let (report, _) = wait(golden.report(ACME, BOT));
        assert_eq!(report.checked_at, Some(at));
        (
            report.items[0].rank,
            report.items[0].rank_before,
            report.regressions,
        )
    };
    assert_eq!(first(NOW), (Some(1), None, 0));
    // A further run in the same version replaces the result.
    wait(golden.keep((ACME, BOT), 2, &[looked(GOLDEN, 2)], NOW + 1));
    assert_eq!(first(NOW + 1), (Some(2), None, 0));
    wait(golden.keep((ACME, BOT), 3, &[looked(GOLDEN, 0)], NOW + 2));
    assert_eq!(first(NOW + 2), (None, Some(2), 1));
    let (report, _) = wait(golden.report(ACME, BOT));
    assert!(report.stale, "the bot's knowledge has another version");
    assert_eq!(report.items[0].first.as_deref(), Some("Music"));
    wait(golden.keep((EMPTY, BOT), 3, &[looked(GOLDEN, 5)], NOW));
}
