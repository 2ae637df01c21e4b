//! Small businesses and what people ask them, answered without a model: the sets of `xtask/answers`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    provider::extractive,
    quality::judged::{Answer, Expected, Judged, Purpose, Set},
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

/// By language: fewest answers that are right, most that are wrong, fewest questions without an answer that are refused, most that
/// are answered.
const FLOORS: [(Purpose, &str, [usize; 4]); 20] = [
    (Purpose::Tuned, "de", [19, 0, 4, 0]),
    (Purpose::Tuned, "en", [38, 0, 6, 0]),
    (Purpose::Tuned, "es", [12, 0, 2, 0]),
    (Purpose::Tuned, "fr", [21, 0, 3, 0]),
    (Purpose::Former, "de", [17, 0, 3, 0]),
    (Purpose::Former, "en", [35, 1, 5, 0]),
    (Purpose::Former, "fr", [17, 0, 3, 0]),
    (Purpose::Former, "it", [11, 0, 2, 0]),
    (Purpose::Former, "nl", [12, 0, 2, 0]),
    (Purpose::Development, "de", [27, 1, 26, 0]),
    (Purpose::Development, "en", [35, 1, 26, 1]),
    (Purpose::Development, "es", [26, 0, 19, 0]),
    (Purpose::Development, "fr", [30, 0, 25, 1]),
    (Purpose::Development, "hi", [10, 0, 6, 0]),
    (Purpose::Development, "ja", [9, 1, 7, 1]),
    (Purpose::HeldOut, "de", [15, 0, 16, 3]),
    (Purpose::HeldOut, "en", [13, 3, 19, 1]),
    (Purpose::HeldOut, "fr", [13, 1, 16, 1]),
    (Purpose::HeldOut, "it", [10, 0, 11, 0]),
    (Purpose::HeldOut, "ja", [9, 0, 10, 0]),
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

/// `ANSWERS=bad` shows the answers that are not good, `ANSWERS=all` all; with either, the sets that are held out are not asked.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the developer chooses what is shown"
)]
fn what_small_businesses_are_asked_is_answered_as_well_as_before() {
    let show = std::env::var("ANSWERS").unwrap_or_default();
    let mut all: BTreeMap<(Purpose, String), BTreeMap<Judged, usize>> = BTreeMap::new();
    for (set, example) in sets() {
        if set.purpose == Purpose::HeldOut && !show.is_empty() {
            continue;
        }
        let counts = all.entry((set.purpose, set.language.clone())).or_default();
        for asked in &set.questions {
            let (judged, text) = judged(&set, &example, asked);
            *counts.entry(judged).or_default() += 1;
            let is_good = matches!(judged, Judged::Right | Judged::RightlyRefused);
            if show == "all" || (show == "bad" && !is_good) {
                println!(
                    "{judged:?}: {}\n    {}",
                    asked.ask,
                    text.replace('\n', "\n    ")
                );
            }
        }
    }
    for ((purpose, language), counts) in &all {
        println!("{}, {language}: {counts:?}", purpose.name());
    }
    for (purpose, language, [right, wrong, refused, answered]) in FLOORS {
        let Some(counts) = all.get(&(purpose, language.to_owned())) else {
            continue;
        };
        let count = |judged: Judged| counts.get(&judged).copied().unwrap_or_default();
        assert!(
            count(Judged::Right) >= right
                && count(Judged::Wrong) <= wrong
                && count(Judged::RightlyRefused) >= refused
                && count(Judged::False) <= answered,
            "{}, {language}: {counts:?}",
            purpose.name()
        );
    }
}
