//! The styles of a Word document: what of them decides how a text is read.

use std::collections::HashMap;

use crate::{
    Unreadable,
    html::language_tag,
    xml::{self, XmlEvent, attribute},
};

/// Most styles between a style and the one that decides.
const MAX_CHAIN: usize = 16;

/// A style; what it does not say, the style says that it is based on.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// Level of a heading.
    pub(super) level: Option<usize>,
    /// Level of a list, from 0; `None` within says that it is in none.
    pub(super) item: Option<Option<usize>>,
    /// Whether its text is hidden (`w:vanish`).
    pub(super) hidden: Option<bool>,
    /// Whether its text is raised, or lowered.
    pub(super) raised: Option<Raised>,
    /// Whether its text is struck out (`w:strike`, `w:dstrike`).
    pub(super) struck: Option<bool>,
    /// Whether it is of a table of contents.
    pub(super) contents: bool,
    based_on: String,
}

/// Where a text stands on its line (`w:vertAlign`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    Up,
    Down,
    Level,
}

impl Raised {
    pub(super) fn of(value: &str) -> Self {
        match value {
            "superscript" => Self::Up,
            "subscript" => Self::Down,
            _ => Self::Level,
        }
    }
}

/// The styles of a document.
#[derive(Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
    /// The style of paragraphs that name none.
    pub(super) usual: String,
    /// The language of the text.
    pub(super) language: String,
}

impl Styles {
    /// Reads the part of the styles.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut styles = Self::default();
        let mut id = String::new();
        let mut style = Style::default();
        let (mut defaults, mut list_level, mut of_tables) = (false, 0, false);
        xml::read(text, |event| {
            let (name, attributes) = match event {
                XmlEvent::Start(name, _, attributes) => (name, attributes),
                XmlEvent::End("style") => {
                    styles
                        .by_id
                        .insert(std::mem::take(&mut id), std::mem::take(&mut style));
                    return Ok(());
                }
                XmlEvent::End("tblStylePr") => {
                    of_tables = false;
                    return Ok(());
                }
                _ => return Ok(()),
            };
            let value = attribute(attributes, "val").unwrap_or_default();
            match name {
                "docDefaults" => defaults = true,
                "style" => {
                    (defaults, list_level) = (false, 0);
                    style = Style::default();
                    let own = attribute(attributes, "styleId").unwrap_or_default();
                    own.clone_into(&mut id);
                    let of = |name| attribute(attributes, name).unwrap_or_default();
                    if of("type") == "paragraph" && matches!(of("default"), "1" | "true") {
                        own.clone_into(&mut styles.usual);
                    }
                }
                "tblStylePr" => of_tables = true,
                _ if of_tables => {}
                "lang" if defaults => styles.language = language_tag(value),
                "basedOn" => value.clone_into(&mut style.based_on),
                // The names of Word's built-in styles are English in every language.
                "name" => {
                    let name = value.to_lowercase();
                    style.contents = name.starts_with("toc ");
                    style.level = match name.as_str() {
                        "title" => Some(1),
                        _ => name
                            .strip_prefix("heading ")
                            .and_then(|level| level.trim().parse().ok()),
                    };
                }
                "outlineLvl" => style.level = outline(value).or(style.level),
                "ilvl" => list_level = value.parse().unwrap_or(0),
                "numId" => style.item = Some((value != "0").then_some(list_level)),
                "vanish" => style.hidden = Some(is_on(value)),
                "strike" | "dstrike" => either(&mut style.struck, is_on(value)),
                "vertAlign" => style.raised = Some(Raised::of(value)),
                _ => {}
            }
            Ok(())
        })?;
        Ok(styles)
    }

    /// A style with what it takes from those that it is based on.
    pub(super) fn get(&self, id: &str) -> Style {
        let mut whole = Style::default();
        let mut next = id;
        for _ in 0..MAX_CHAIN {
            let Some(style) = self.by_id.get(next) else {
                break;
            };
            whole.level = whole.level.or(style.level);
            whole.item = whole.item.or(style.item);
            whole.hidden = whole.hidden.or(style.hidden);
            whole.struck = whole.struck.or(style.struck);
            whole.raised = whole.raised.or(style.raised);
            whole.contents |= style.contents;
            next = &style.based_on;
        }
        whole
    }
}

/// The level of a heading whose `w:outlineLvl` this is.
pub(super) fn outline(value: &str) -> Option<usize> {
    let level: usize = value.parse().ok()?;
    (level < 9).then_some(level + 1)
}

/// Whether a property that is on or off is on: it is where it has no value.
pub(super) fn is_on(value: &str) -> bool {
    !matches!(value, "0" | "false" | "off" | "none")
}

/// Sets a property that two elements set, on if either is: one line through a text, or two.
pub(super) fn either(property: &mut Option<bool>, on: bool) {
    *property = Some(on || property.unwrap_or(false));
}
