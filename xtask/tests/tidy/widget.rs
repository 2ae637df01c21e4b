//! Only `dom.rs` uses Leptos: the widget's views build elements with it and import no framework.

use anyhow::Result;

use crate::tokens::{Kind, tokens};
use crate::{Finding, check_rust};

/// The module that may use Leptos' crates.
const DOM: &str = "widget/web/src/dom.rs";

/// Leptos' crates, as they are named in code.
const LEPTOS: &[&str] = &[
    "any_spawner",
    "leptos",
    "leptos_dom",
    "reactive_graph",
    "tachys",
];

#[test]
fn only_one_module_of_the_widget_uses_leptos() -> Result<()> {
    check_rust(
        |file| file.starts_with("widget/") && file != DOM,
        |_, source| used(source),
    )
}

fn used(source: &str) -> Vec<Finding> {
    let advice = format!("only {DOM} may use Leptos' crates: add what is needed there");
    tokens(source)
        .iter()
        .filter(|token| token.kind == Kind::Word && LEPTOS.contains(&token.text.as_str()))
        .map(|token| Finding::new(token.line, advice.clone()))
        .collect()
}

#[test]
fn uses_are_told_from_comments_and_texts() {
    let lines = |source: &str| crate::lines(&used(source));
    assert_eq!(
        lines("use tachys::renderer::Rndr;\nuse leptos_dom::*;"),
        [1, 2]
    );
    assert!(lines("// tachys\nconst NAME: &str = \"tachys\";").is_empty());
}
