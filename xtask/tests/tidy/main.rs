//! The rules that no compiler checks: which items may be used in which places, and how files are written.
//!
//! Each test reads the tree and reports every place that breaks its rule, with advice. The checkers are functions over
//! text, with tests of their own.

#![expect(
    clippy::disallowed_methods,
    reason = "the rules are checked on the files of the tree"
)]

mod dependencies;
mod files;
mod guard;
mod imports;
mod markdown;
mod modules;
mod references;
mod rust_source;
mod sql;
mod texts;
mod tokens;
mod widget;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    line: usize,
    advice: String,
}

impl Finding {
    fn new(line: usize, advice: impl Into<String>) -> Self {
        Self {
            line,
            advice: advice.into(),
        }
    }
}

/// Fails with all findings, as `file:line: advice`.
fn report(findings: impl IntoIterator<Item = (String, Finding)>) -> Result<()> {
    let lines: Vec<_> = findings
        .into_iter()
        .map(|(file, finding)| format!("{file}:{}: {}", finding.line, finding.advice))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    bail!("\n{}", lines.join("\n"))
}

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The files of the repository, with those that are new but not ignored.
fn tracked() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("git is needed to know which files belong to the repository")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let root = root();
    Ok(String::from_utf8(output.stdout)?
        .lines()
        .filter(|file| root.join(file).is_file())
        .map(str::to_owned)
        .collect())
}

/// Paths and contents of the tracked Rust files.
fn rust_files() -> Result<Vec<(String, String)>> {
    tracked()?
        .into_iter()
        .filter(|file| file.ends_with(".rs"))
        .map(|file| {
            let source = fs::read_to_string(root().join(&file))
                .with_context(|| format!("reading {file}"))?;
            Ok((file, source))
        })
        .collect()
}

/// Applies a checker to each Rust file that is chosen.
fn check_rust(
    chosen: impl Fn(&str) -> bool,
    checker: impl Fn(&str, &str) -> Vec<Finding>,
) -> Result<()> {
    let mut all = Vec::new();
    for (file, source) in rust_files()? {
        if chosen(&file) {
            all.extend(
                checker(&file, &source)
                    .into_iter()
                    .map(|finding| (file.clone(), finding)),
            );
        }
    }
    report(all)
}

/// The lines of findings, for tests of checkers.
#[cfg(test)]
fn lines(findings: &[Finding]) -> Vec<usize> {
    findings.iter().map(|finding| finding.line).collect()
}
