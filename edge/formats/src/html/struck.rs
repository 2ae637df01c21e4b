//! Leaves struck-out text out of a page: `<s>`, `<del>`, `<strike>`, the role `deletion`, `text-decoration: line-through` as a
//! style, by a class of the page's own style sheet (Google Docs, shops) or by a class of a framework.

use std::collections::HashSet;

use super::{
    dom::{Dom, NodeId},
    sheet,
};
use crate::struck::needs_space;

/// Classes of Tailwind, Bootstrap and Quasar that strike a text out.
const CLASSES: &[&str] = &[
    "line-through",
    "text-decoration-line-through",
    "text-strike",
    "strikethrough",
];

/// Empties the elements whose text is struck out. They stay where they are: the cell of a table keeps its column.
pub(super) fn remove(dom: &mut Dom) {
    let classes = struck_classes(dom);
    let mut last = None;
    let mut emptied: Option<NodeId> = None;
    let mut stack = vec![0];
    while let Some(id) = stack.pop() {
        let text = dom.own_text(id);
        if let Some(first) = text.chars().next() {
            let before = last;
            last = text.chars().next_back();
            if let Some(element) = emptied.take()
                && needs_space(before, Some(first))
            {
                dom.replace_children(element, " ");
            }
        } else if is_struck(dom, id, &classes) {
            dom.replace_children(id, "");
            emptied.get_or_insert(id);
        } else {
            stack.extend(dom.children(id).iter().rev());
        }
    }
}

fn is_struck(dom: &Dom, id: NodeId, classes: &HashSet<String>) -> bool {
    let has = |name| dom.attribute(id, name).unwrap_or_default();
    let style = has("style");
    let name = dom.name(id);
    let named = matches!(name, "s" | "del" | "strike") || has("role") == "deletion";
    (named && !undoes(style))
        || strikes(style)
        || (!matches!(name, "html" | "body" | "main")
            && has("class")
                .split_ascii_whitespace()
                .any(|class| CLASSES.contains(&class) || classes.contains(class)))
}

/// Whether declarations of CSS strike a text out: no other property has this value.
fn strikes(style: &str) -> bool {
    style.to_ascii_lowercase().contains("line-through")
}

/// Whether declarations of CSS take the line of `<s>` away.
fn undoes(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    style.contains("text-decoration:none") || style.contains("text-decoration-line:none")
}

/// The classes that the page's style sheets strike out.
fn struck_classes(dom: &Dom) -> HashSet<String> {
    let mut out = HashSet::new();
    sheet::classes(dom, |class, style| {
        if strikes(style) {
            out.insert(class.to_owned());
        }
    });
    out
}
