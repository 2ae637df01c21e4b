//! Small businesses and what people ask them, answered without a model: the sets of `xtask/answers`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    provider::extractive,
    quality::judged::{Answer, Judged, Set},
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

#[test]
fn what_small_businesses_are_asked_is_answered() {
    let show = std::env::var("ANSWERS").unwrap_or_default();
    let mut all: BTreeMap<bool, BTreeMap<Judged, u32>> = BTreeMap::new();
    for (set, example) in sets() {
        let mut counts: BTreeMap<Judged, u32> = BTreeMap::new();
        for asked in &set.questions {
            let question = example.question_in(&set.language, &asked.ask);
            let passages = crate::testing::searched(&example, &question);
            let extract = extractive::answer(&question, &passages);
            let text = extract.pieces.concat();
            let closest = strings::texts(strings::negotiate(&[passages.language(), &set.language]))
                .answers
                .closest;
            let judged = asked.judge(
                Answer {
                    text: &text,
                    found: extract.found,
                    closest: &closest,
                },
                &set.language,
            );
            *counts.entry(judged).or_default() += 1;
            *all.entry(set.held_out)
                .or_default()
                .entry(judged)
                .or_default() += 1;
            let good = [Judged::Right, Judged::RightlyRefused].contains(&judged);
            if (show == "all" || show == "bad" && !good) && !set.held_out || show == "held" {
                println!(
                    "{judged:?} [{}] {}\n    {}",
                    set.name,
                    asked.ask,
                    text.replace('\n', "\n    ")
                );
            }
        }
        if !set.held_out || show == "held" || show == "count" || show == "old" {
            println!("{:24} {counts:?}", set.name);
        }
    }
    println!("tuned on {:?}", all.get(&false));
    if show == "held" || show == "count" || show == "old" {
        println!("held out {:?}", all.get(&true));
    }
}
