//! What an element is in a text, by its name, its style and its class.

use super::dom::{Dom, NodeId};

pub(super) fn heading_level(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

pub(super) fn within_heading(dom: &Dom, id: NodeId) -> bool {
    let mut above = dom.ancestors(id).take(8);
    above
        .any(|id| heading_level(dom.name(id)).is_some() || matches!(dom.name(id), "summary" | "dt"))
}

/// The level of a heading that Word has written as a paragraph, or that a role names.
pub(super) fn word_level(dom: &Dom, id: NodeId) -> Option<usize> {
    if dom.attribute(id, "role") == Some("heading") {
        let level = dom
            .attribute(id, "aria-level")
            .and_then(|it| it.parse().ok());
        return Some(level.unwrap_or(2).clamp(1, 6));
    }
    // `c1` and the like are the classes of Google Docs.
    let class = dom.attribute(id, "class").unwrap_or_default();
    let numbered = |word: &&str| {
        let rest = word.strip_prefix('c');
        rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut words = class
        .split_ascii_whitespace()
        .filter(|word| !numbered(word));
    let title = matches!(
        (words.next(), words.next()),
        (Some("MsoTitle" | "title"), None)
    );
    (dom.name(id) == "p" && title).then_some(1)
}

/// The level of an item, from 0, that Word has written as a paragraph.
pub(super) fn word_item(dom: &Dom, id: NodeId) -> Option<usize> {
    let style = dom.attribute(id, "style").unwrap_or_default();
    let class = dom.attribute(id, "class").unwrap_or_default();
    if let Some((_, rest)) = style.split_once("mso-list:")
        && let Some((_, rest)) = rest.split_once("level")
    {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return digits
            .parse::<usize>()
            .ok()
            .map(|level| level.clamp(1, 9) - 1);
    }
    class.starts_with("MsoListBullet").then_some(0)
}

/// Whether the children of an element are set apart by its style although nothing in the text parts them: the cells of a
/// row that is made of `span`.
pub(super) fn stand_apart(dom: &Dom, id: NodeId) -> bool {
    if !matches!(
        dom.name(id),
        "div" | "li" | "a" | "section" | "header" | "article" | "label" | "button"
    ) {
        return false;
    }
    let children = dom.children(id);
    if children.len() < 2
        || children
            .iter()
            .any(|it| !dom.own_text(*it).trim().is_empty())
    {
        return false;
    }
    let style = dom.attribute(id, "style").unwrap_or_default();
    let class = dom.attribute(id, "class").unwrap_or_default();
    let mut words = class.split(|c: char| !c.is_alphanumeric());
    let row = words.any(|word| {
        matches!(
            word,
            "flex" | "grid" | "row" | "justify" | "columns" | "item" | "card"
        )
    });
    if row || style.contains("flex") || style.contains("grid") {
        return true;
    }
    // Programs that write documents cut words into spans, of classes like `c1`.
    let named = |id: &NodeId| {
        let class = dom.attribute(*id, "class").unwrap_or_default();
        class.chars().filter(|c| c.is_alphabetic()).count() >= 3
    };
    let elements = children.iter().filter(|it| !dom.name(**it).is_empty());
    elements.clone().all(named) && elements.count() > 1
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}
