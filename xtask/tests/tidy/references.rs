//! The files and items that documents and comments name in backticks exist.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context, Result};

use crate::{Finding, report, root, tracked};

/// Endings by which a word in backticks is the name of a file of this repository.
const ENDINGS: &[&str] = &["rs", "ts", "mjs", "sql", "css", "php", "toml"];

/// Files that a build or a developer makes, and folders that the tools make.
const MADE: &[&str] = &[
    ".dev.vars",
    ".tools",
    "dist",
    "edge/worker/build",
    "node_modules",
    "target",
];

/// A change log may name items that are gone.
fn is_document(file: &str) -> bool {
    file.ends_with(".md") && file != "CHANGELOG.md"
}

/// Documents for developers, whose items are checked, too.
fn names_items(file: &str) -> bool {
    let whole = ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/glossary.md"];
    whole.contains(&file) || file.starts_with("docs/decisions/")
}

#[test]
fn what_stands_in_backticks_exists() -> Result<()> {
    let files = tracked()?;
    let mut words = HashSet::new();
    let mut texts = Vec::new();
    for file in &files {
        let source = [".rs", ".ts", ".mjs", ".js"]
            .iter()
            .any(|end| file.ends_with(end));
        if !source && !is_document(file) {
            continue;
        }
        let text =
            fs::read_to_string(root().join(file)).with_context(|| format!("reading {file}"))?;
        if source {
            words.extend(identifiers(&code(&text)));
        }
        texts.push((file, text));
    }
    let mut all = Vec::new();
    for (file, text) in &texts {
        let items = names_items(file).then_some(&words);
        let text = if is_document(file) {
            text.clone()
        } else {
            comments(text)
        };
        let found = missing(&text, &|path| exists(path, &files), items);
        all.extend(found.into_iter().map(|finding| ((*file).clone(), finding)));
    }
    report(all)
}

#[test]
fn a_decision_has_a_number_of_its_own_and_a_line_in_the_index() -> Result<()> {
    const FOLDER: &str = "docs/decisions/";
    let index = fs::read_to_string(root().join(FOLDER).join("README.md"))?;
    let mut numbers = HashSet::new();
    let mut found = Vec::new();
    for file in tracked()? {
        let Some(name) = file.strip_prefix(FOLDER).filter(|n| *n != "README.md") else {
            continue;
        };
        let number = name.split('-').next().unwrap_or_default().to_owned();
        let title = format!("# {}. ", number.trim_start_matches('0'));
        let text = fs::read_to_string(root().join(&file))?;
        let wrong = if !text.starts_with(&title) {
            format!("the title does not begin with `{title}`, the number of the file")
        } else if !index.contains(&format!("]({name})")) {
            "the index, docs/decisions/README.md, has no line for it".to_owned()
        } else if !numbers.insert(number) {
            "another record has its number: take the next free one".to_owned()
        } else {
            continue;
        };
        found.push((file, Finding::new(1, wrong)));
    }
    report(found)
}

/// Whether a path is that of a file or folder of the repository, or the end of one: `guard/mod.rs`, `wire.rs`.
fn exists(path: &str, files: &[String]) -> bool {
    let path = path.trim_end_matches('/');
    let is_made = |made: &&str| path == *made || path.starts_with(&format!("{made}/"));
    let is_in = |file: &String| format!("/{file}/").contains(&format!("/{path}/"));
    MADE.iter().any(is_made) || files.iter().any(is_in)
}

/// The words in backticks that name a missing file or, where `items` are given, a missing item.
fn missing(
    text: &str,
    exists: &dyn Fn(&str) -> bool,
    items: Option<&HashSet<String>>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line
            .trim_start_matches(['/', '!', ' ', '*'])
            .starts_with("```")
        {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        for word in line.split('`').skip(1).step_by(2) {
            let word = word.strip_suffix("()").unwrap_or(word);
            if is_path(word) {
                if !exists(word) {
                    found.push(Finding::new(
                        index + 1,
                        format!(
                            "`{word}` is no file of this repository: name the one that is meant"
                        ),
                    ));
                }
            } else if let (Some(items), true) = (items, is_item(word)) {
                let gone = word.split("::").find(|part| !items.contains(*part));
                if let Some(part) = gone {
                    found.push(Finding::new(
                        index + 1,
                        format!("`{word}`: there is no `{part}` in the code: name what is meant"),
                    ));
                }
            }
        }
    }
    found
}

/// Whether a word is the path of a file with one of the [`ENDINGS`], or of a folder with a trailing slash.
fn is_path(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.is_empty()
        || word.starts_with('/')
        || word.starts_with("..")
        || !word.chars().all(plain)
    {
        return false;
    }
    match word.strip_suffix('/') {
        Some(folder) => folder.starts_with(|c: char| c.is_ascii_lowercase() || c == '.'),
        None => word
            .rsplit_once('.')
            .is_some_and(|(name, end)| !name.is_empty() && ENDINGS.contains(&end)),
    }
}

/// Whether a word is a Rust path or a type: `prompt::again`, `Message::marks`, `Admitted`.
fn is_item(word: &str) -> bool {
    let ident = |part: &str| {
        part.chars().next().is_some_and(char::is_alphabetic)
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_type = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.contains(|c: char| c.is_ascii_lowercase())
    };
    word.split("::").all(ident) && (word.contains("::") || (is_type(word) && word.len() > 3))
}

/// A source without the comments that fill a line.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The comments of a source that fill a line; other lines are empty, so that the numbers stay.
fn comments(text: &str) -> String {
    let comment = |line| {
        if str::trim_start(line).starts_with("//") {
            line
        } else {
            ""
        }
    };
    text.lines().map(comment).collect::<Vec<_>>().join("\n")
}

fn identifiers(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn only_missing_files_and_items_are_found() {
    let items: HashSet<String> = ["prompt", "again", "Admitted"].map(str::to_owned).into();
    let text = "`a/there.rs` and `gone.rs`\n`prompt::again` `prompt::gone`\n`Admitted` `Vanished` `HTTP` `npm ci`\n\
                ```\n`gone.rs`\n```\n`edge/` `no/` `/v1/me` `https://x/y.rs`";
    let there = |path: &str| ["a/there.rs", "edge/"].contains(&path);
    let found = missing(text, &there, Some(&items));
    assert_eq!(crate::lines(&found), [1, 2, 3, 7]);
    let found = missing(text, &there, None);
    assert_eq!(crate::lines(&found), [1, 7]);
    let files = ["edge/core/src/turn/mod.rs".to_owned()];
    for path in [
        "turn/mod.rs",
        "edge/core",
        "gone/",
        "src/turn/mod.rs",
        "dist/assets/",
    ] {
        assert_eq!(exists(path, &files), path != "gone/", "{path}");
    }
}
