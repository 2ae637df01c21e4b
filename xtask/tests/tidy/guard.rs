//! Only the guard admits: the proof that a request was checked has one place of birth.

use anyhow::Result;

use crate::tokens::{starts_with, tokens};
use crate::{Finding, check_rust};

#[test]
fn only_the_guard_builds_the_proof_of_admission() -> Result<()> {
    check_rust(
        |file| !file.starts_with("edge/core/src/guard"),
        |_, source| built(source),
    )
}

/// Where `Admitted { … }` is an expression. After these words and marks it is something else: a
/// declaration, a pattern, or a function's return type before its body.
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
        // `guard::Admitted` is read as what stands before `guard`.
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

/// Whether an enum's name stands before: a variant may have the name as well.
fn variant(before: &[crate::tokens::Token]) -> bool {
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
