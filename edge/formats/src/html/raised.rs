//! Elements that raise or lower their text: `<sup>`, a style, a class of the page's own style sheet, and the small cents of a
//! price: `19<small>99</small> €`, `19<span class="cents">99</span>`.

use std::collections::HashMap;

use super::{
    dom::{Dom, NodeId},
    sheet,
};

/// Words in the class of an element with the decimals of a price.
const DECIMALS: [&str; 7] = [
    "cent", "cents", "decimal", "decimals", "fraction", "subunit", "sup",
];

/// Inline elements that a style may raise.
const INLINE: [&str; 12] = [
    "span", "font", "small", "b", "i", "em", "strong", "u", "bdi", "ins", "big", "a",
];

/// Most nodes in an element with decimals.
const MAX_NODES: usize = 8;

/// How a style places a text on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Up,
    Down,
    /// At the top, where digits alone are decimals.
    Top,
}

/// What the page's style sheets raise and lower.
#[derive(Debug, Default)]
pub(super) struct Raised(HashMap<String, Place>);

impl Raised {
    pub(super) fn of(dom: &Dom) -> Self {
        let mut classes = HashMap::new();
        sheet::classes(dom, |class, style| {
            if let Some(place) = place(style) {
                classes.insert(class.to_owned(), place);
            }
        });
        Self(classes)
    }

    /// Whether an element raises its text; `Some(false)` where it lowers it.
    pub(super) fn raises(&self, dom: &Dom, id: NodeId) -> Option<bool> {
        let up = self.own(dom, id)?;
        // `<sup><small>99</small></sup>` is raised once.
        let mut around = dom.ancestors(id).take(3);
        (!around.any(|id| self.own(dom, id).is_some())).then_some(up)
    }

    /// The same, whatever is around the element.
    fn own(&self, dom: &Dom, id: NodeId) -> Option<bool> {
        let name = dom.name(id);
        match name {
            "sup" => return Some(true),
            "sub" => return Some(false),
            name if !INLINE.contains(&name) => return None,
            _ => {}
        }
        let has = |attribute| dom.attribute(id, attribute).unwrap_or_default();
        let class = has("class");
        let mut own = class
            .split_ascii_whitespace()
            .filter_map(|it| self.0.get(it));
        match place(has("style")).or(own.next().copied()) {
            Some(Place::Up) => return Some(true),
            Some(Place::Down) => return Some(false),
            Some(Place::Top) if are_decimals(dom, id) => return Some(true),
            _ => {}
        }
        let mut words = class.split(|c: char| !c.is_alphanumeric());
        let named = words.any(|word| DECIMALS.contains(&word.to_ascii_lowercase().as_str()));
        ((named || name == "small") && are_decimals(dom, id)).then_some(true)
    }
}

/// Whether the text of an element is one or two digits.
fn are_decimals(dom: &Dom, id: NodeId) -> bool {
    if dom.descendants(id).nth(MAX_NODES).is_some() {
        return false;
    }
    let text = dom.text(id);
    let text = text.trim();
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn place(style: &str) -> Option<Place> {
    let style = style.to_ascii_lowercase();
    let (_, rest) = style.split_once("vertical-align:")?;
    let value = rest.split([';', '!']).next()?.trim();
    match value {
        "super" => Some(Place::Up),
        "sub" => Some(Place::Down),
        "top" | "text-top" => Some(Place::Top),
        length => length
            .starts_with(|c: char| c.is_ascii_digit() || c == '.')
            .then_some(Place::Top),
    }
}
