use super::*;
use crate::testing::examples::{Example, PLAIN, TWIN};

fn ask(example: &Example, question: &str, cites: &[u32], asked: &[&str]) -> Vec<String> {
    suggest(
        &Analysed::of(&example.question(question)),
        &example.search(question),
        cites,
        asked,
    )
}

#[test]
fn what_was_found_and_not_used_then_the_owners() {
    let example = &PLAIN;
    insta::assert_debug_snapshot!([
        ask(example, "When are you open?", &[1], &[]),
        ask(
            example,
            "Do the croissants contain eggs?",
            &[1],
            &["When are you open?"]
        ),
        ask(example, "What is the capital of Australia?", &[], &[]),
        ask(example, "Hello!", &[], &["do you deliver ?"]),
    ]);
}

#[test]
fn in_the_language_of_the_visitor() {
    let example = &TWIN;
    insta::assert_debug_snapshot!([
        ask(example, "Quel salaire demande-t-elle ?", &[1], &[]),
        ask(example, "What salary does she expect?", &[1], &[]),
    ]);
}

#[test]
fn what_was_asked_is_not_offered() {
    let example = &PLAIN;
    let own = &example.bot.suggestions.0["en"];
    for question in own {
        let asked: Vec<&str> = own.iter().map(String::as_str).collect();
        let offered = ask(example, question, &[1, 2, 3, 4, 5, 6], &asked);
        assert!(offered.iter().all(|one| !own.contains(one)), "{offered:?}");
        let offered = ask(example, &question.to_uppercase(), &[], &[]);
        assert!(!offered.contains(question) && offered.len() <= Suggestions::MAX);
    }
}

#[test]
fn a_heading_without_a_language_is_offered_unless_its_passage_is_in_another() {
    let ports = crate::testing::Fakes::default();
    for (heading, text) in [
        ("Horaires", "La boutique ouvre à sept heures."),
        (
            "Adresse",
            "La boutique est dans la rue du Phare et elle a une entrée sans marche.",
        ),
        (
            "Address",
            "The boutique is in the street of the lighthouse and it has an entrance without a step.",
        ),
    ] {
        let mut hit = crate::testing::hit(heading, text);
        hit.language = String::new();
        ports.add_hit(hit);
    }
    let question = crate::testing::question("À quelle heure est-ce que la boutique ouvre ?");
    let asked = Analysed::of(&question);
    let passages =
        crate::testing::block_on(crate::retrieval::search(&ports, &asked, None)).unwrap();
    assert_eq!(
        suggest(&asked, &passages, &[1], &[]),
        [
            "Que pouvez-vous me dire sur «\u{a0}CV – Adresse\u{a0}»\u{202f}?",
            "Qui es-tu ?"
        ]
    );
}
