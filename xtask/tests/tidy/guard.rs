//! Only the guard makes `Admitted` and `Question`, the proofs that a request was checked. Private fields keep other
//! modules from building them; this test finds ways around that.

use anyhow::Result;

use crate::tokens::{Kind, Token, starts_with, tokens};
use crate::{Finding, check_rust};

/// The file that may read a `Question` from JSON: the command that the Worker sends to the conversation's Durable
/// Object.
const TRANSPORT: &[&str] = &[
    "edge/core/src/guard/",
    "edge/worker/src/conversation/command.rs",
    "xtask/tests/tidy/guard.rs",
];

#[test]
fn only_the_guard_builds_the_proof_of_admission() -> Result<()> {
    check_rust(
        |file| !file.starts_with("edge/core/src/guard"),
        |_, source| built(source),
    )
}

#[test]
fn only_the_objects_command_reads_a_question() -> Result<()> {
    check_rust(
        |file| !TRANSPORT.iter().any(|allowed| file.starts_with(allowed)),
        |_, source| read(source),
    )
}

#[test]
fn proofs_cannot_be_read_from_json_or_written_to() -> Result<()> {
    check_rust(
        |file| file == "edge/core/src/guard/mod.rs",
        |_, source| open(source),
    )
}

/// Uses of the function that reads a question, also in an attribute's text.
fn read(source: &str) -> Vec<Finding> {
    (tokens(source).iter())
        .filter(|token| {
            token.text == "sent_question"
                || (token.kind == Kind::Text && token.text.ends_with("::sent_question"))
        })
        .map(|token| {
            let advice = "a question comes from the guard, or from the Worker to the conversation's object: take it as an \
                          argument";
            Finding::new(token.line, advice)
        })
        .collect()
}

/// Proofs that other modules could make: by `Deserialize` or `Default`, or by fields that are not private.
fn open(source: &str) -> Vec<Finding> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    for proof in ["Admitted", "Question"] {
        let Some(at) = (0..tokens.len()).find(|at| {
            let here = tokens.get(*at..).unwrap_or_default();
            starts_with(here, &["struct", proof])
        }) else {
            found.push(Finding::new(1, format!("declare `{proof}` here")));
            continue;
        };
        let (before, after) = tokens.split_at_checked(at).unwrap_or((&tokens, &[]));
        // The attributes follow the item before; the fields precede the next item.
        let attributes = before
            .rsplit(|token| token.kind == Kind::Mark && ["}", ";"].contains(&token.text.as_str()))
            .next();
        let fields = after
            .split(|token| token.kind == Kind::Mark && ["}", ";"].contains(&token.text.as_str()))
            .next();
        let bad = |tokens: Option<&[Token]>, words: &[&str]| {
            (tokens.into_iter().flatten())
                .find(|token| words.contains(&token.text.as_str()))
                .map(|token| {
                    let advice = format!("`{}` lets others make a `{proof}`", token.text);
                    Finding::new(token.line, advice)
                })
        };
        found.extend(bad(attributes, &["Deserialize", "Default"]));
        found.extend(bad(fields, &["pub"]));
    }
    found
}

#[test]
fn open_proofs_are_found() {
    let check = |source: &str, expect: usize| assert_eq!(open(source).len(), expect, "{source}");
    let good = "#[derive(Clone)] pub struct Admitted { site: Site } pub struct Question(Checked); struct B { pub c: D }";
    check(good, 0);
    check(&good.replace("Clone", "Default"), 1);
    check(&good.replace("{ site", "{ pub site"), 1);
    check(&good.replace("(Checked", "(pub Checked"), 1);
    check("", 2);
    assert_eq!(
        read("#[serde(deserialize_with = \"guard::sent_question\")] a: B").len(),
        1
    );
    assert_eq!(
        read("fn f() { sent_question(c) } // sent_question").len(),
        1
    );
}

/// Uses of `Admitted { … }` as an expression. After these words and marks it is something else: a declaration, a
/// pattern, or a function's return type before its body.
fn built(source: &str) -> Vec<Finding> {
    const SOMETHING_ELSE: &[&str] = &["struct", "impl", "for", "let", ">", "&", "'"];
    let tokens = tokens(source);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let here = tokens.get(index..).unwrap_or_default();
        if !starts_with(here, &["Admitted", "{"]) {
            continue;
        }
        if variant(tokens.get(..index).unwrap_or_default()) {
            continue;
        }
        // `guard::Admitted` counts by the token before `guard`.
        let mut before = tokens.get(..index).unwrap_or_default();
        while let [rest @ .., _, first, second] = before
            && first.text == ":"
            && second.text == ":"
        {
            before = rest;
        }
        let something_else = before
            .last()
            .is_some_and(|token| SOMETHING_ELSE.contains(&token.text.as_str()));
        if !something_else {
            found.push(Finding::new(
                token.line,
                "only edge/core/src/guard may build `Admitted`; ask the guard for one",
            ));
        }
    }
    found
}

/// Whether an enum's name precedes it: a variant may have the name as well.
fn variant(before: &[Token]) -> bool {
    matches!(before, [.., owner, first, second]
        if first.text == ":" && second.text == ":" && owner.text.starts_with(char::is_uppercase))
}

#[test]
fn expressions_are_told_from_types_and_patterns() {
    let check = |source: &str, expect: usize| assert_eq!(built(source).len(), expect, "{source}");
    check("let a = Admitted { tenant };", 1);
    check("Ok(guard::Admitted { tenant })", 1);
    check("f(crate::guard::Admitted {})", 1);
    check("impl Admitted { }", 0);
    check("impl Trait for guard::Admitted { }", 0);
    check("fn f() -> Admitted { g() }", 0);
    check("fn f(&self) -> &Admitted { g() }", 0);
    check("let Admitted { tenant, .. } = admitted;", 0);
    check("Decision::Admitted { left } => left", 0);
    check("// Admitted { }", 0);
    check("\"Admitted { }\"", 0);
}
