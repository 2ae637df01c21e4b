//! Small businesses and what people ask them, answered without a model: the sets of `xtask/answers`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    provider::extractive,
    quality::judged::{Answer, Expected, Judged, Set},
    settings::BotSettings,
    strings,
    testing::examples::Example,
};

/// The sets with their bots, by name of their folders.
#[expect(
    clippy::disallowed_methods,
    reason = "the sets are files of the repository"
)]
fn sets() -> Vec<(Set, Example)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/answers");
    let mut folders: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let read = |folder: &Path| {
        let set: Set =
            serde_json::from_str(&fs::read_to_string(folder.join("questions.json")).unwrap())
                .unwrap();
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let documents = files
            .iter()
            .filter(|file| file.extension().is_some_and(|it| it == "md"));
        let documents: Vec<String> = documents
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        let bot = BotSettings {
            name: set.name.clone(),
            locale: set.language.clone(),
            ..BotSettings::default()
        };
        (set, Example::of(bot, documents))
    };
    folders.iter().map(|folder| read(folder)).collect()
}

/// By language, and whether it is held out: fewest answers that are right or rightly refused, most that are wrong.
const FLOORS: [(&str, bool, usize, usize); 9] = [
    ("de", false, 23, 0),
    ("en", false, 45, 0),
    ("es", false, 14, 0),
    ("fr", false, 25, 0),
    ("de", true, 19, 1),
    ("en", true, 41, 3),
    ("fr", true, 22, 1),
    ("it", true, 10, 1),
    ("nl", true, 12, 2),
];

/// What the embedded model answers to a question of the set, and what that is.
fn judged(set: &Set, example: &Example, asked: &Expected) -> (Judged, String) {
    let question = example.question_in(&set.language, &asked.ask);
    let passages = crate::testing::searched(example, &question);
    let extract = extractive::answer(&question, &passages);
    let text = extract.pieces.concat();
    let locale = strings::negotiate(&[passages.language(), &set.language]);
    let answer = Answer {
        text: &text,
        found: extract.found,
        closest: &strings::texts(locale).answers.closest,
    };
    (asked.judge(answer, &set.language), text)
}

/// `ANSWERS=bad` shows the answers that are not good, `ANSWERS=all` all; of the sets that are held out neither does.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the developer chooses what is shown"
)]
fn what_small_businesses_are_asked_is_answered_as_well_as_before() {
    let show = std::env::var("ANSWERS").unwrap_or_default();
    let mut all: BTreeMap<(String, bool), Vec<Judged>> = BTreeMap::new();
    for (set, example) in sets() {
        for asked in &set.questions {
            let (judged, text) = judged(&set, &example, asked);
            let shown = show == "all" || (show == "bad" && !is_good(judged));
            if shown && !set.held_out {
                println!(
                    "{judged:?}: {}\n    {}",
                    asked.ask,
                    text.replace('\n', "\n    ")
                );
            }
            let whose = (set.language.clone(), set.held_out);
            all.entry(whose).or_default().push(judged);
        }
    }
    for ((language, held_out), judged) in &all {
        let mut counts: BTreeMap<Judged, usize> = BTreeMap::new();
        judged
            .iter()
            .for_each(|one| *counts.entry(*one).or_default() += 1);
        println!("{language} held_out={held_out} {counts:?}");
    }
    for (language, held_out, good, wrong) in FLOORS {
        let judged = &all[&(language.to_owned(), held_out)];
        let are_good = judged.iter().filter(|judged| is_good(**judged)).count();
        let are_wrong = (judged.iter())
            .filter(|judged| **judged == Judged::Wrong)
            .count();
        assert!(
            are_good >= good && are_wrong <= wrong,
            "{language}, held out {held_out}: {are_good} good, {are_wrong} wrong"
        );
    }
}

fn is_good(judged: Judged) -> bool {
    matches!(judged, Judged::Right | Judged::RightlyRefused)
}
