//! Nothing in the repository names a folder of one machine.

use std::fs;

use anyhow::Result;

use crate::{Finding, report, root, tracked};

/// Home folders and the like, written in two parts so that this file passes its own check.
const MACHINES: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
];

#[test]
fn no_file_names_a_folder_of_one_machine() -> Result<()> {
    check_all(|_| true, folders)
}

#[test]
fn lock_files_name_only_public_registries() -> Result<()> {
    check_all(|file| file.ends_with("package-lock.json"), npm_hosts)?;
    check_all(|file| file.ends_with("Cargo.lock"), cargo_hosts)
}

fn check_all(chosen: fn(&str) -> bool, checker: fn(&str) -> Vec<Finding>) -> Result<()> {
    let mut all = Vec::new();
    for file in tracked()?.into_iter().filter(|file| chosen(file)) {
        // Binary files are skipped.
        if let Ok(text) = fs::read_to_string(root().join(&file)) {
            all.extend(
                checker(&text)
                    .into_iter()
                    .map(|finding| (file.clone(), finding)),
            );
        }
    }
    report(all)
}

fn folders(text: &str) -> Vec<Finding> {
    each_line(text, |line| {
        let folder = MACHINES.iter().find(|folder| is_path(line, folder))?;
        Some(format!(
            "`{folder}…` exists on one machine only: write a path inside the repository"
        ))
    })
}

/// Whether an absolute path starts with the folder: in `https://host/…` and `./…` other characters precede it.
fn is_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(index, _)| {
        let before = line.get(..index).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-*}~)".contains(c))
    })
}

fn npm_hosts(text: &str) -> Vec<Finding> {
    each_line(text, |line| {
        let url = line.trim().strip_prefix("\"resolved\": \"")?;
        (!url.starts_with("https://registry.npmjs.org/")).then(|| {
            "this registry is not everybody's: `npm install --omit-lockfile-registry-resolved` writes none"
                .to_owned()
        })
    })
}

fn cargo_hosts(text: &str) -> Vec<Finding> {
    each_line(text, |line| {
        let source = line.strip_prefix("source = ")?;
        (source != "\"registry+https://github.com/rust-lang/crates.io-index\"")
            .then(|| "packages come from crates.io".to_owned())
    })
}

fn each_line(text: &str, advice: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| Some(Finding::new(index + 1, advice(line)?)))
        .collect()
}

#[test]
fn paths_are_told_from_parts_of_addresses() {
    let folder = concat!("/ho", "me/");
    let check = |line: String, expect: bool| assert_eq!(is_path(&line, folder), expect, "{line}");
    check(format!("{folder}ada/x"), true);
    check(format!("file://{folder}ada/x"), true);
    check(format!("path = \"{folder}ada\""), true);
    check(format!("https://example.com{folder}page"), false);
    check(format!(".{folder}page"), false);
}

#[test]
fn other_registries_are_found() {
    let lock = "{\n\"resolved\": \"https://registry.npmjs.org/a\",\n\"resolved\": \"http://localhost:4873/a\"\n";
    assert_eq!(crate::lines(&npm_hosts(lock)), [3]);
    assert_eq!(
        crate::lines(&cargo_hosts("source = \"git+https://example.com\"\n")),
        [1]
    );
}
