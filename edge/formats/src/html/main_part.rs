//! Which part of a page its reader came for.

use super::dom::{Data, Dom, Id};

/// Elements that are never text of the page.
const NEVER: &[&str] = &[
    "script", "style", "noscript", "template", "nav", "footer", "aside", "button", "select",
    "textarea", "input", "datalist", "dialog", "svg", "math", "iframe", "object", "canvas",
    "audio", "video", "head", "link", "meta", "map", "frameset", "progress", "meter", "embed",
    "label",
];

/// Roles of what surrounds a text.
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

/// Names that only what surrounds a text is given, as an `id` or a word of `class`.
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

/// The element to read: `main`, else the only `article`, else all of the page. One with hardly any of the
/// page's text is not it.
pub(super) fn find(dom: &Dom) -> Id {
    let body = dom.find(0, "body").unwrap_or(0);
    let all = weight(dom, body);
    let mains: Vec<Id> = dom
        .descendants(body)
        .filter(|id| dom.name(*id) == "main" || dom.attribute(*id, "role") == Some("main"))
        .collect();
    let articles = || -> Vec<Id> {
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

/// Characters of text to read in it.
fn weight(dom: &Dom, root: Id) -> usize {
    let mut stack = vec![root];
    let mut sum = 0;
    while let Some(id) = stack.pop() {
        if id != root && skipped(dom, id, root) {
            continue;
        }
        if let Some(Data::Text(text)) = dom.get(id).map(|node| &node.data) {
            sum += text.chars().filter(|c| !c.is_whitespace()).count();
        }
        stack.extend(dom.children(id));
    }
    sum
}

/// Whether the element is not to be read, seen from the element that is.
pub(super) fn skipped(dom: &Dom, id: Id, root: Id) -> bool {
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
    // Where everything carries such a name it is no judgement.
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

fn holds(dom: &Dom, id: Id, names: &[&str]) -> bool {
    dom.descendants(id).any(|id| names.contains(&dom.name(id)))
}

fn within_article(dom: &Dom, mut id: Id) -> bool {
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
