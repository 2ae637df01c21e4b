//! Finds the main part of a page: its text, without navigation, banners and footers.

use super::dom::{Dom, NodeData, NodeId};

/// Elements that never contain text of the page.
const NEVER: &[&str] = &[
    "script", "style", "noscript", "template", "nav", "footer", "aside", "button", "select",
    "textarea", "input", "datalist", "dialog", "svg", "math", "iframe", "object", "canvas",
    "audio", "video", "head", "link", "meta", "map", "frameset", "progress", "meter", "embed",
    "label",
];

/// Roles of elements around the main part.
const ROLES: &[&str] = &[
    "navigation",
    "banner",
    "contentinfo",
    "complementary",
    "search",
    "menu",
    "menubar",
    "dialog",
    "alertdialog",
    "toolbar",
    "tablist",
];

/// Names that only elements around the main part have, as an `id` or a word of `class`.
const NAMES: &[&str] = &[
    "breadcrumb",
    "breadcrumbs",
    "cookie-banner",
    "cookie-consent",
    "cookie-notice",
    "cookies",
    "sr-only",
    "screen-reader-text",
    "visually-hidden",
    "skip-link",
    "skiplink",
    "social-share",
    "share-buttons",
    "site-header",
    "site-footer",
    "site-nav",
    "navbar",
    "sidebar",
    "mw-editsection",
    "headerlink",
    "toc",
    "d-none",
    "is-hidden",
    "no-print",
    "noprint",
    "related-posts",
    "pagination",
];

/// The element to read: `main`, else the only `article`, else the whole page. An element with hardly any of the page's
/// text is not taken.
pub(super) fn find(dom: &Dom) -> NodeId {
    let body = dom.find(0, "body").unwrap_or(0);
    let all = weight(dom, body);
    let mains: Vec<NodeId> = dom
        .descendants(body)
        .filter(|id| dom.name(*id) == "main" || dom.attribute(*id, "role") == Some("main"))
        .collect();
    let articles = || -> Vec<NodeId> {
        dom.descendants(body)
            .filter(|id| dom.name(*id) == "article")
            .collect()
    };
    let candidate = match mains.as_slice() {
        [first, ..] => Some(*first),
        [] => match articles().as_slice() {
            [only] => Some(*only),
            _ => None,
        },
    };
    candidate
        .filter(|id| weight(dom, *id) * 5 >= all && weight(dom, *id) > 0)
        .unwrap_or(body)
}

/// The number of characters of text in the element that would be read.
fn weight(dom: &Dom, root: NodeId) -> usize {
    let mut stack = vec![root];
    let mut sum = 0;
    while let Some(id) = stack.pop() {
        if id != root && skipped(dom, id, root) {
            continue;
        }
        if let Some(NodeData::Text(text)) = dom.get(id).map(|node| &node.data) {
            sum += text.chars().filter(|c| !c.is_whitespace()).count();
        }
        stack.extend(dom.children(id));
    }
    sum
}

/// Whether the element is left out of the element that is read.
pub(super) fn skipped(dom: &Dom, id: NodeId, root: NodeId) -> bool {
    let name = dom.name(id);
    if name.is_empty() {
        return false;
    }
    if NEVER.contains(&name) {
        return true;
    }
    let has = |attribute| dom.attribute(id, attribute);
    if has("hidden").is_some_and(|value| !value.eq_ignore_ascii_case("until-found"))
        || has("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || has("role").is_some_and(|role| ROLES.contains(&role))
        || has("style").is_some_and(is_invisible)
    {
        return true;
    }
    // A name on an element around the whole page excludes nothing.
    if !matches!(name, "html" | "body" | "main" | "article")
        && has("class")
            .into_iter()
            .chain(has("id"))
            .flat_map(str::split_ascii_whitespace)
            .any(|word| NAMES.contains(&word.to_ascii_lowercase().as_str()))
    {
        return !holds(dom, id, &["main", "h1"]);
    }
    match name {
        // Some frameworks put the whole page into a form.
        "form" => !holds(dom, id, &["main", "article", "h1", "h2"]),
        "header" => {
            dom.name(root) == "body" && !within_article(dom, id) && !holds(dom, id, &["h1"])
        }
        _ => false,
    }
}

fn holds(dom: &Dom, id: NodeId, names: &[&str]) -> bool {
    dom.descendants(id).any(|id| names.contains(&dom.name(id)))
}

fn within_article(dom: &Dom, mut id: NodeId) -> bool {
    while let Some(parent) = dom.get(id).and_then(|node| node.parent) {
        if matches!(dom.name(parent), "article" | "main" | "section") {
            return true;
        }
        id = parent;
    }
    false
}

fn is_invisible(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    style.contains("display:none") || style.contains("visibility:hidden")
}
