//! Rules for every Rust file: its length, its lints, its panics.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::tokens::{Kind, Token, starts_with, tokens};
use crate::{Finding, check_rust, rust_files};

/// Longest file, in lines: a longer one is not read from start to end.
const MOST_LINES: usize = 500;

/// Files that may be longer, with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn files_begin_with_what_they_are_for() -> Result<()> {
    let test_only = test_only(&rust_files()?);
    check_rust(
        |file| !is_test(file, &test_only),
        |_, source| undocumented(source),
    )
}

#[test]
fn files_are_short_enough_to_be_read() -> Result<()> {
    check_rust(
        |file| !LONG_FILES.iter().any(|(long, _)| *long == file),
        |_, source| too_long(source),
    )
}

#[test]
fn nothing_is_silenced_without_a_reason() -> Result<()> {
    check_rust(|_| true, |_, source| silenced(source))
}

#[test]
fn nothing_is_left_unfinished_or_panics() -> Result<()> {
    let test_only = test_only(&rust_files()?);
    check_rust(
        |file| !is_test(file, &test_only),
        |_, source| unfinished(source),
    )
}

fn undocumented(source: &str) -> Vec<Finding> {
    if source.trim_start().starts_with("//!") {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        "begin the file with a `//!` sentence that says what it is for",
    )]
}

fn too_long(source: &str) -> Vec<Finding> {
    let lines = source.lines().count();
    if lines <= MOST_LINES {
        return Vec::new();
    }
    vec![Finding::new(
        MOST_LINES,
        format!(
            "the file has {lines} lines: split it where its subject changes, \
             or list it in xtask/tests/tidy/rust_source.rs with the reason"
        ),
    )]
}

/// Silenced lints and skipped tests.
fn silenced(source: &str) -> Vec<Finding> {
    at_each(source, |here| {
        let attribute = here.strip_prefix_of("#")?;
        let attribute = attribute.strip_prefix_of("!").unwrap_or(attribute);
        let attribute = attribute.strip_prefix_of("[")?;
        if starts_with(attribute, &["allow", "("]) {
            return Some(
                "say `#[expect(lint, reason = \"…\")]`, which ends when it is no longer needed",
            );
        }
        let ignored = attribute.strip_prefix_of("ignore")?;
        let reason = ignored.strip_prefix_of("=").and_then(<[Token]>::first);
        if reason.is_some_and(|token| token.kind == Kind::Text) {
            return None;
        }
        Some("say why the test is skipped: `#[ignore = \"…\"]`")
    })
}

/// Placeholders and panics in shipped code.
fn unfinished(source: &str) -> Vec<Finding> {
    at_each(source, |here| {
        if starts_with(here, &["todo", "!"]) {
            Some("finish it, or return an error that says what is missing")
        } else if starts_with(here, &[".", "unwrap", "(", ")"]) {
            Some(
                "return an error, or write what happens instead: a panic fails every request of the isolate",
            )
        } else {
            None
        }
    })
}

/// Checks every place before the tests at the end of a file.
fn at_each(source: &str, advice: impl Fn(&[Token]) -> Option<&'static str>) -> Vec<Finding> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let here = tokens.get(index..).unwrap_or_default();
        let tests_follow = starts_with(here, &["#", "[", "cfg", "(", "test", ")", "]", "mod"])
            && here.get(9).is_some_and(|token| token.text == "{");
        if tests_follow {
            break;
        }
        if let Some(advice) = advice(here) {
            found.push(Finding::new(token.line, advice));
        }
    }
    found
}

pub fn test_only(files: &[(String, String)]) -> BTreeSet<String> {
    files
        .iter()
        .flat_map(|(file, source)| test_modules(file, source))
        .collect()
}

/// Files that are compiled for tests only: `#[cfg(test)] mod name;` names them.
fn test_modules(file: &str, source: &str) -> Vec<String> {
    let path = Path::new(file);
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = if ["lib", "main", "mod"].contains(&name.as_ref()) {
        folder.to_owned()
    } else {
        folder.join(name.as_ref())
    };
    let tokens = tokens(source);
    let mut found = Vec::new();
    for index in 0..tokens.len() {
        let here = tokens.get(index..).unwrap_or_default();
        if !starts_with(here, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            continue;
        }
        // `pub` or `pub(crate)` may stand in between.
        let mut rest = here
            .iter()
            .skip(7)
            .skip_while(|token| ["pub", "(", "crate", "super", ")"].contains(&token.text.as_str()));
        if rest.next().is_some_and(|token| token.text == "mod")
            && let Some(module) = rest.next()
            && rest.next().is_some_and(|token| token.text == ";")
        {
            found.push(folder.join(&module.text).to_string_lossy().into_owned());
        }
    }
    found
}

pub fn is_test(file: &str, test_only: &BTreeSet<String>) -> bool {
    let module = file.trim_end_matches(".rs");
    file.contains("/tests/")
        || test_only
            .iter()
            .any(|test| module == test || module.starts_with(&format!("{test}/")))
}

trait StripPrefixOf {
    fn strip_prefix_of(&self, text: &str) -> Option<&Self>;
}

impl StripPrefixOf for [Token] {
    fn strip_prefix_of(&self, text: &str) -> Option<&Self> {
        let (first, rest) = self.split_first()?;
        (first.kind != Kind::Text && first.text == text).then_some(rest)
    }
}

#[test]
fn silence_needs_a_reason() {
    let check =
        |source: &str, expect: usize| assert_eq!(silenced(source).len(), expect, "{source}");
    check("#[allow(dead_code)] fn f() {}", 1);
    check("#![allow(dead_code)]", 1);
    check("#[expect(dead_code, reason = \"soon\")] fn f() {}", 0);
    check("#[ignore] fn f() {}", 1);
    check("#[ignore = \"needs the web\"] fn f() {}", 0);
    check("// #[allow(dead_code)]", 0);
}

#[test]
fn tests_may_panic() {
    let check =
        |source: &str, expect: usize| assert_eq!(unfinished(source).len(), expect, "{source}");
    check("fn f() { todo!() }", 1);
    check("fn f() { g().unwrap() }", 1);
    check("fn f() { g().unwrap_or(1) }", 0);
    check("#[cfg(test)] mod tests { fn f() { g().unwrap() } }", 0);
    check("#[cfg(test)] mod tests; fn f() { g().unwrap() }", 1);
}

#[test]
fn modules_for_tests_are_found() {
    let source = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod fakes;\nmod real;";
    assert_eq!(
        test_modules("a/src/lib.rs", source),
        ["a/src/tests", "a/src/fakes"]
    );
    assert_eq!(
        test_modules("a/src/turn.rs", "#[cfg(test)] mod tests;"),
        ["a/src/turn/tests"]
    );

    let test_only = BTreeSet::from(["a/src/fakes".to_owned()]);
    assert!(is_test("a/src/fakes.rs", &test_only));
    assert!(is_test("a/src/fakes/clock.rs", &test_only));
    assert!(!is_test("a/src/fakes_of_art.rs", &test_only));
    assert!(is_test("a/tests/b.rs", &test_only));
}

#[test]
fn a_file_says_what_it_is_for() {
    assert_eq!(crate::lines(&undocumented("use std::fs;")), [1]);
    assert_eq!(undocumented("//! Files.\n"), []);
    assert_eq!(too_long(&"\n".repeat(MOST_LINES)), []);
    assert_eq!(
        crate::lines(&too_long(&"\n".repeat(MOST_LINES + 1))),
        [MOST_LINES]
    );
}
