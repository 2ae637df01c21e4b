//! The checks of a change, the quickest first, and further parts that are slow and rarely fail.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::e2e::{self, Outcome};
use crate::{browser, build, dependencies, fuzz, process, setup, size};

mod parts;
mod report;

use parts::{PARTS, Part, files_of_a_change, name_of};
use report::Report;

pub use parts::parts;

const WASM: &str = "wasm32-unknown-unknown";

/// The crates that only compile for the browser or for workerd.
const WASM_CRATES: [&str; 2] = ["bulle-widget-web", "bulle-edge-worker"];

/// How long `--ci` may take in all; a part that would end later is left out.
const CI: Duration = Duration::from_secs(25 * 60);

/// Estimated time of the checks of a change on two quiet cores, in a fresh clone.
const CHANGE: Duration = Duration::from_secs(20 * 60);

/// The selection of tests that `cargo xtask test` runs.
pub enum Scope<'a> {
    /// The checks that every change must pass.
    Change,
    /// Only the checks without a build or a browser.
    Native,
    /// The end-to-end tests with this text in the name of the file or of the test; without it, all those of `Change`.
    EndToEnd(Option<&'a str>),
    /// One part.
    Part(&'a str),
    /// `Change` and every part.
    All,
    /// `Change` and the parts that fit into 25 minutes.
    Ci,
}

/// Runs the tests, and prints their results at the end.
pub fn run(scope: &Scope) -> Result<()> {
    let mut report = Report::new();
    let result = report.run(scope);
    report.print();
    result
}

/// The dependencies of the tests beside the tools of a build.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Linter,
    Browser,
}

impl Report {
    fn run(&mut self, scope: &Scope) -> Result<()> {
        match scope {
            Scope::Change => self.change(),
            Scope::Native => {
                self.tools(&[Need::Linter])?;
                self.native()
            }
            Scope::EndToEnd(pattern) => {
                self.tools(&[Need::Browser])?;
                self.build()?;
                let (files, pattern) = match pattern {
                    None => (files_of_a_change()?, None),
                    Some(pattern) => e2e::matching(pattern)?,
                };
                self.end_to_end("end-to-end tests", &files, pattern, false)
            }
            Scope::Part(name) => {
                let Some(part) = PARTS.iter().find(|part| part.name == *name) else {
                    bail!("there is no part `{name}`; there are\n{}", parts());
                };
                self.tools(&[Need::Browser])?;
                self.build()?;
                self.part(part)
            }
            Scope::All => {
                self.change()?;
                self.each(PARTS.iter())
            }
            Scope::Ci => {
                self.change()?;
                // A machine that was slow until now will be slow with the parts, too.
                let pace = self.start.elapsed().div_duration_f64(CHANGE).max(1.0);
                // A crash on random bytes is not caused by the change under test, so the fuzz targets belong to
                // `--all`.
                let parts = PARTS.iter().filter(|part| !part.files.is_empty());
                let (constant, others): (Vec<_>, Vec<_>) = parts.partition(|p| p.is_constant);
                let constant = self.each(constant);
                let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / (24 * 60 * 60);
                let first = usize::try_from(days)? % others.len();
                let (later, sooner) = others.split_at(first);
                let mut fitting = Vec::new();
                let mut end = self.start.elapsed();
                for part in sooner.iter().chain(later).copied() {
                    let needed = Duration::from_secs(60 * part.minutes).mul_f64(pace);
                    if end + needed > CI {
                        self.left_out.push(part.name);
                    } else {
                        end += needed;
                        fitting.push(part);
                    }
                }
                constant.and(self.each(fitting))
            }
        }
    }

    /// Runs every part, even after one has failed.
    fn each<'a>(&mut self, parts: impl IntoIterator<Item = &'a Part>) -> Result<()> {
        let mut result = Ok(());
        for part in parts {
            result = result.and(self.part(part));
        }
        result
    }

    fn change(&mut self) -> Result<()> {
        self.tools(&[Need::Linter, Need::Browser])?;
        self.native()?;
        self.build()?;
        self.step("size", "cargo xtask size", || {
            if !size::report()? {
                bail!("a budget is exceeded");
            }
            Ok(Outcome::default())
        })?;
        self.end_to_end("end-to-end tests", &files_of_a_change()?, None, false)
    }

    /// Installs missing tools first, so that a missing browser is reported at once.
    fn tools(&mut self, needs: &[Need]) -> Result<()> {
        self.step("tools", "cargo xtask setup", || {
            setup::tools()?;
            if needs.contains(&Need::Linter) {
                setup::components()?;
            }
            if needs.contains(&Need::Browser) {
                browser::find_or_install()?;
            }
            Ok(Outcome::default())
        })
    }

    fn build(&mut self) -> Result<()> {
        self.step("build", "cargo xtask build", || {
            build::all()?;
            Ok(Outcome::default())
        })
    }

    fn native(&mut self) -> Result<()> {
        self.command("format", process::cargo().args(["fmt", "--all", "--check"]))?;
        for folder in ["snippet", "widget/page"] {
            let mut tsc = process::npm_tool("tsc");
            let name = format!("TypeScript of {folder}");
            self.command(&name, tsc.args(["--noEmit", "-p", folder]))?;
        }
        self.command("lint of scripts", &mut process::npm_tool("oxlint"))?;
        for (name, mut command) in dependencies::checks()? {
            self.command(name, &mut command)?;
        }
        let mut native = process::cargo();
        native.args(["clippy", "--workspace", "--all-targets"]);
        let mut wasm = process::cargo();
        wasm.args(["clippy", "--target", WASM]);
        for name in WASM_CRATES {
            native.args(["--exclude", name]);
            wasm.args(["--package", name]);
        }
        self.command("lint", native.args(["--", "-D", "warnings"]))?;
        self.command("lint for wasm", wasm.args(["--", "-D", "warnings"]))?;
        self.step("native tests", "cargo test", || {
            counted(process::cargo().arg("test"))
        })
    }

    fn part(&mut self, part: &Part) -> Result<()> {
        if part.files.is_empty() {
            return self.step(part.name, "cargo xtask fuzz", || {
                fuzz::all(None, fuzz::SECONDS)?;
                Ok(Outcome::default())
            });
        }
        let files: Vec<_> = e2e::files()?
            .into_iter()
            .filter(|file| part.files.contains(&name_of(file)))
            .collect();
        self.end_to_end(part.name, &files, None, true)
    }

    fn end_to_end(
        &mut self,
        name: &str,
        files: &[PathBuf],
        pattern: Option<&str>,
        whole: bool,
    ) -> Result<()> {
        let rerun = match files {
            _ if whole => format!("cargo xtask test --part {name}"),
            [file] => format!("cargo xtask test e2e {}", name_of(file)),
            _ => "cargo xtask test e2e NAME".to_owned(),
        };
        self.step(name, &rerun, || e2e::run(files, pattern, whole))
    }

    fn command(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let rerun = process::display(command);
        self.step(name, &rerun, || {
            process::run(command)?;
            Ok(Outcome::default())
        })
    }
}

/// Runs `cargo test`, and adds up the results of each binary.
fn counted(command: &mut Command) -> Result<Outcome> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", process::display(command)))?;
    let stdout = child.stdout.take().context("the output cannot be read")?;
    let mut outcome = Outcome::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        // The lines of passed tests, thousands of them, are not printed.
        if !line.ends_with(" ... ok") {
            println!("{line}");
        }
        read_line(&line, &mut outcome);
    }
    let status = child.wait()?;
    if !status.success() && outcome.failed.is_empty() {
        bail!("`{}` failed ({status})", process::display(command));
    }
    Ok(outcome)
}

/// The result in a line of `cargo test`.
fn read_line(line: &str, outcome: &mut Outcome) {
    let Some((name, result)) = line
        .strip_prefix("test ")
        .and_then(|line| line.rsplit_once(" ... "))
    else {
        return;
    };
    match result {
        "ok" => outcome.passed += 1,
        "FAILED" => outcome.failed.push(name.to_owned()),
        _ if result.starts_with("ignored") => outcome.skipped.push(name.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_cargo_test_are_counted() {
        let mut outcome = Outcome::default();
        for line in [
            "running 4 tests",
            "test a::b ... ok",
            "test a::c - should panic ... ok",
            "test d ... ignored, takes long",
            "test e ... FAILED",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out",
        ] {
            read_line(line, &mut outcome);
        }
        assert_eq!(outcome.passed, 2);
        assert_eq!(outcome.failed, ["e"]);
        assert_eq!(outcome.skipped, ["d"]);
    }
}
