//! The documents link to files that exist.

use std::fs;

use anyhow::Result;

use crate::{Finding, report, root};

const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

#[test]
fn links_lead_somewhere() -> Result<()> {
    let mut all = Vec::new();
    for document in DOCUMENTS {
        let Ok(text) = fs::read_to_string(root().join(document)) else {
            continue;
        };
        all.extend(
            broken(&text, |target| root().join(target).exists())
                .into_iter()
                .map(|finding| ((*document).to_owned(), finding)),
        );
    }
    report(all)
}

/// Links to files that do not exist; code blocks are skipped.
fn broken(text: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for link in line.split("](").skip(1) {
            let target = link.split([')', ' ']).next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !file.is_empty() && !exists(file) {
                found.push(Finding::new(
                    index + 1,
                    format!("`{file}` does not exist: correct the link"),
                ));
            }
        }
    }
    found
}

#[test]
fn only_links_to_missing_files_are_broken() {
    let text = "[a](there.md) [b](gone.md#part)\n[c](https://example.com/x) [d](#here)\n```\n[e](gone)\n```\n[f](gone \"title\")";
    let found = broken(text, |file| file == "there.md");
    assert_eq!(crate::lines(&found), [1, 6]);
}
