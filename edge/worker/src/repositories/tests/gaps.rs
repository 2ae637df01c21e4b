use bulle_edge_core::{knowledge::gaps::Closed, model::Owner};
use bulle_protocol::conversation::{Feedback, Rating};

use super::world::*;
use crate::repositories::{Conversations, Gaps, Transcripts};

fn feedback(rating: Rating, comment: Option<&str>) -> Feedback {
    Feedback {
        rating,
        comment: comment.map(str::to_owned),
    }
}

#[test]
fn a_rating_is_stored_with_the_answer_and_notes_a_question() {
    let world = World::new();
    let gaps = Gaps(&world.database);
    let unanswered = || {
        let found = wait(gaps.unanswered(ACME, BOT, 0));
        found
            .into_iter()
            .map(|gap| (gap.shown.thumbs_down, gap.shown.comment))
            .collect::<Vec<_>>()
    };
    assert_eq!(unanswered(), [(true, Some("too short".into()))]);
    let shown = wait(gaps.unanswered(ACME, BOT, 0)).remove(0);
    assert_eq!(shown.shown.reply_id, id(REPLY));
    assert_eq!(shown.shown.conversation_id, id(CONVERSATION));
    assert_eq!(shown.visitor_id, id(VISITOR).to_string());
    assert_eq!(shown.shown.text, "What is a xylophone?");
    assert_eq!(shown.shown.asked_at, NOW);
    assert!(shown.shown.nothing_found);

    // A rating replaces the earlier one; that the documents had no answer stays stored.
    world.database.round_trips();
    assert!(wait(gaps.rate(
        &owner(ACME),
        id(REPLY),
        &feedback(Rating::Up, None)
    )));
    assert_eq!(world.database.round_trips(), 1);
    assert_eq!(unanswered(), [(false, None)]);
    let history =
        wait(Conversations(&world.database).messages(&owner(ACME), id(CONVERSATION), None, 10));
    let rated = history.unwrap().items.pop().unwrap().feedback.unwrap();
    assert_eq!(rated.rating, Rating::Up);
}

#[test]
fn a_question_that_was_only_rated_down_goes_with_the_rating_unless_it_is_closed() {
    let world = World::new();
    let gaps = Gaps(&world.database);
    let count = || wait(gaps.unanswered(ACME, BOT, 0)).len();
    world
        .database
        .script("UPDATE unanswered SET nothing_found = 0 WHERE tenant_id = 'acme'");
    let (up, down) = (feedback(Rating::Up, None), feedback(Rating::Down, None));
    wait(gaps.rate(&owner(ACME), id(REPLY), &up));
    assert_eq!(count(), 0);
    for _ in 0..2 {
        wait(gaps.rate(&owner(ACME), id(REPLY), &down));
        assert_eq!(count(), 1);
    }
    let source = Some("source");
    wait(gaps.close((ACME, BOT), &[id(REPLY)], Closed::Answered, source));
    wait(gaps.rate(&owner(ACME), id(REPLY), &up));
    let gap = wait(gaps.unanswered(ACME, BOT, 0)).remove(0);
    assert_eq!(
        (gap.closed, gap.source.as_deref()),
        (Some(Closed::Answered), Some("source"))
    );
}

#[test]
fn nobody_rates_the_answer_of_another() {
    let world = World::new();
    let gaps = Gaps(&world.database);
    let up = feedback(Rating::Up, None);
    let before = world.database.rows_of_tenant(ACME);
    let strangers = [
        Owner {
            visitor_id: id(99),
            ..owner(ACME)
        },
        Owner {
            bot_id: "other".into(),
            ..owner(ACME)
        },
        owner(EMPTY),
    ];
    for owner in strangers {
        assert!(!wait(gaps.rate(&owner, id(REPLY), &up)));
    }
    // A question cannot be rated like an answer.
    assert!(!wait(gaps.rate(&owner(ACME), id(QUESTION), &up)));
    assert_eq!(world.database.rows_of_tenant(ACME), before);
}

#[test]
fn old_questions_are_passed_over_and_dismissed_ones_are_not() {
    let world = World::new();
    let gaps = Gaps(&world.database);
    assert_eq!(wait(gaps.unanswered(ACME, BOT, NOW)).len(), 1);
    assert_eq!(wait(gaps.unanswered(ACME, BOT, NOW + 1)).len(), 0);
    wait(gaps.close((ACME, BOT), &[id(REPLY)], Closed::Dismissed, None));
    let dismissed = wait(gaps.unanswered(ACME, BOT, NOW + 1)).remove(0);
    assert_eq!(
        (dismissed.closed, dismissed.source),
        (Some(Closed::Dismissed), None)
    );
    assert!(wait(gaps.unanswered(EMPTY, BOT, 0)).is_empty());
    assert!(wait(gaps.unanswered(ACME, "other", 0)).is_empty());
    wait(gaps.close((EMPTY, BOT), &[id(REPLY)], Closed::Answered, None));
}

#[test]
fn a_turn_notes_its_question_once() {
    let world = World::new();
    let record = record(ACME, &chunks(&world.database, ACME));
    wait(Transcripts(&world.database).record(&record));
    let gap = wait(Gaps(&world.database).unanswered(ACME, BOT, 0)).remove(0);
    assert!(
        gap.shown.thumbs_down,
        "storing the turn again keeps the rating's note"
    );
}
