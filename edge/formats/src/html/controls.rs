//! Controls of a page and the panels that they open: accordions, tabs, "read more".
//!
//! A panel that a visible control opens belongs to the text of the page although it is hidden at first; the text of the control
//! is its title. A control refers to its panel (`aria-controls`, `data-bs-target`, `href="#id"`, the `for` of a label with a
//! checkbox), the panel refers to its control (`aria-labelledby`), the panel follows its control directly, as in the markup of
//! page builders, or as many panels follow a list of tabs as it has labels ([`super::tabs`]). Menus, dialogs, and panels that are
//! opened from navigation, a header or a footer are not text of the page.

use std::collections::{HashMap, HashSet};

use super::dom::{Dom, NodeId};

/// Roles of panels that are not text of the page.
const NO_PANELS: &[&str] = &[
    "navigation",
    "menu",
    "menubar",
    "dialog",
    "alertdialog",
    "listbox",
    "search",
    "tooltip",
    "tablist",
];

/// Values of `data-bs-toggle` for controls of panels that are not text of the page.
const NO_TOGGLES: &[&str] = &["modal", "dropdown", "offcanvas", "tooltip", "popover"];

/// Parts of the names (`class`) of controls, and of what they open.
const WORDS: &[&str] = &[
    "accordion",
    "collaps",
    "toggle",
    "faq",
    "question",
    "answer",
    "expand",
    "disclosure",
    "spoiler",
    "readmore",
    "showmore",
];

/// Whole words of such names.
const WHOLE_WORDS: &[&str] = &["tab", "tabs", "tabpanel", "tabpane", "slide", "carousel"];

/// Words in the classes of panels that are not text of the page.
const NO_PANEL_WORDS: &[&str] = &[
    "modal",
    "popup",
    "dialog",
    "offcanvas",
    "drawer",
    "lightbox",
    "overlay",
    "cookie",
];

/// Most nodes of an element that are looked at to tell text from links.
const MAX_LOOK: usize = 20_000;

/// The controls of a page.
#[derive(Default)]
pub(super) struct Controls {
    /// Panels with text, by their controls.
    panels: HashMap<NodeId, NodeId>,
    /// Controls, by their panels: the first of each.
    titles: HashMap<NodeId, NodeId>,
    opened: HashSet<NodeId>,
}

impl Controls {
    /// The controls of a page.
    pub(super) fn of(dom: &Dom) -> Self {
        let mut ids: HashMap<&str, NodeId> = HashMap::new();
        for id in dom.descendants(0) {
            if let Some(name) = dom.attribute(id, "id") {
                ids.entry(name).or_insert(id);
            }
        }
        let mut finder = Finder {
            dom,
            ids,
            prose: HashMap::new(),
            controls: Self::default(),
        };
        // Each element with the one before it, and the one before its parent.
        let mut stack: Vec<(NodeId, Option<NodeId>)> = vec![(0, None)];
        while let Some((parent, above)) = stack.pop() {
            let mut previous = None;
            for (at, child) in dom.children(parent).iter().enumerate() {
                if dom.name(*child).is_empty() {
                    if !dom.own_text(*child).trim().is_empty() {
                        previous = None;
                    }
                    continue;
                }
                let before = previous.or(above.filter(|_| at < 2));
                finder.look(*child, parent, before, || dom.after(parent, at + 1));
                stack.push((*child, previous));
                previous = Some(*child);
            }
        }
        finder.controls
    }

    /// Whether a control opens the element.
    pub(super) fn opens(&self, id: NodeId) -> bool {
        self.opened.contains(&id)
    }

    /// Whether the element opens a panel with text.
    pub(super) fn is_control(&self, id: NodeId) -> bool {
        self.panels.contains_key(&id)
    }

    /// The control whose text is the title of a panel.
    pub(super) fn title_of(&self, panel: NodeId) -> Option<NodeId> {
        self.titles.get(&panel).copied()
    }
}

/// Finds the controls of a page.
pub(super) struct Finder<'a> {
    pub(super) dom: &'a Dom,
    pub(super) ids: HashMap<&'a str, NodeId>,
    /// Whether elements are text rather than links, as far as it was asked.
    prose: HashMap<NodeId, bool>,
    controls: Controls,
}

impl Finder<'_> {
    fn look(
        &mut self,
        id: NodeId,
        parent: NodeId,
        before: Option<NodeId>,
        next: impl Fn() -> Option<NodeId>,
    ) {
        let dom = self.dom;
        self.pair_tabs(id);
        let named = self.named_panel(id);
        if let Some(panel) = named.or_else(|| following_panel(dom, &self.ids, id, parent, next)) {
            self.add(id, panel);
        }
        let role = dom.attribute(id, "role").unwrap_or_default();
        if matches!(role, "tabpanel" | "region") {
            let label = dom.attribute(id, "aria-labelledby");
            let control = label.and_then(|name| self.ids.get(name.trim())).copied();
            if let Some(control) = control.filter(|it| is_control(dom, *it)) {
                self.add(control, id);
            }
        }
        let follows = before.is_some_and(|before| follows_control(dom, id, before));
        // Its text would be left out as that of a button, or stand there like any other text.
        if follows
            && let Some(before) = before
            && (dom.name(before) == "button" || is_named_around(dom, before))
            && !self.controls.is_control(before)
        {
            self.add(before, id);
        }
        let hidden = || is_hidden(dom, id) && (is_named(dom, id) || is_rest(dom, id));
        if (role == "tabpanel" || follows || hidden()) && self.is_panel(id) {
            self.controls.opened.insert(id);
        }
    }

    fn add(&mut self, control: NodeId, panel: NodeId) {
        let dom = self.dom;
        if dom.is_within(panel, control) || self.surrounds(control) || !self.is_panel(panel) {
            return;
        }
        self.insert(control, panel);
    }

    /// Keeps a panel, and its control if both have text.
    pub(super) fn insert(&mut self, control: NodeId, panel: NodeId) {
        let dom = self.dom;
        self.controls.opened.insert(panel);
        if dom.has_text(panel) && dom.has_text(control) {
            self.controls.panels.insert(control, panel);
            self.controls.titles.entry(panel).or_insert(control);
        }
    }

    /// The element that a control names as what it opens.
    pub(super) fn named_panel(&self, id: NodeId) -> Option<NodeId> {
        let dom = self.dom;
        let has = |name| dom.attribute(id, name);
        let kind = has("data-bs-toggle").or_else(|| has("data-toggle"));
        let elsewhere = kind.is_some_and(|kind| NO_TOGGLES.contains(&kind));
        if elsewhere || !may_open(dom, id) {
            return None;
        }
        let opens = kind.is_some() || has("aria-expanded").is_some() || has("role") == Some("tab");
        let reference = has("aria-controls")
            .or_else(|| has("data-bs-target"))
            .or_else(|| has("data-target").filter(|_| opens))
            .or_else(|| has("href").filter(|href| opens && href.starts_with('#')))?;
        let first = reference.split_ascii_whitespace().next()?;
        let panel = self.ids.get(first.trim_start_matches('#')).copied();
        panel.filter(|_| is_control(dom, id) || is_named(dom, id))
    }

    /// Whether the element may be what a control opens.
    pub(super) fn is_panel(&mut self, id: NodeId) -> bool {
        let dom = self.dom;
        let has = |name| dom.attribute(id, name);
        let class = has("class").unwrap_or_default();
        !matches!(
            dom.name(id),
            "dialog"
                | "form"
                | "aside"
                | "button"
                | "a"
                | "input"
                | "select"
                | "option"
                | "body"
                | "main"
        ) && !has("role").is_some_and(|role| NO_PANELS.contains(&role))
            && has("aria-modal").is_none()
            && !["clone", "duplicate"]
                .iter()
                .any(|part| class.contains(part))
            && !has_word(class, |word| NO_PANEL_WORDS.contains(&word))
            && !self.surrounds(id)
            && self.is_prose(id)
    }

    /// Whether the element stands in what surrounds the text of a page.
    fn surrounds(&mut self, id: NodeId) -> bool {
        let dom = self.dom;
        let mut above = dom.ancestors(id);
        above.any(|id| {
            let role = dom.attribute(id, "role").unwrap_or_default();
            let banner =
                dom.name(id) == "header" && dom.parent(id).is_some_and(|it| dom.name(it) == "body");
            banner
                || matches!(dom.name(id), "footer" | "aside" | "dialog")
                || (dom.name(id) == "nav" && !self.is_prose(id))
                || matches!(
                    role,
                    "banner" | "contentinfo" | "complementary" | "dialog" | "menu"
                )
        })
    }

    fn is_prose(&mut self, id: NodeId) -> bool {
        let dom = self.dom;
        *self.prose.entry(id).or_insert_with(|| is_prose(dom, id))
    }
}

/// Whether the class of an element holds a word that accordions, tabs and the like are called by.
fn is_named(dom: &Dom, id: NodeId) -> bool {
    let class = dom.attribute(id, "class").unwrap_or_default();
    has_word(class, |word| {
        WHOLE_WORDS.contains(&word) || WORDS.iter().any(|part| word.contains(part))
    })
}

pub(super) fn has_word(class: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let mut words = class.split(|c: char| !c.is_alphanumeric());
    words.any(|word| wanted(&word.to_ascii_lowercase()))
}

/// Whether an element can be used to open something.
fn is_control(dom: &Dom, id: NodeId) -> bool {
    let has = |name| dom.attribute(id, name);
    matches!(dom.name(id), "button" | "a" | "summary" | "label")
        || has("role").is_some_and(|role| matches!(role, "button" | "tab"))
        || has("aria-expanded").is_some()
        || has("aria-controls").is_some()
}

/// Whether an element may open a panel at all.
fn may_open(dom: &Dom, id: NodeId) -> bool {
    let kind = dom.attribute(id, "type").unwrap_or_default();
    !matches!(dom.name(id), "input" | "select" | "textarea")
        && !matches!(kind, "submit" | "reset")
        && dom.attribute(id, "aria-haspopup").is_none()
}

/// The element right after a control that names none.
fn following_panel(
    dom: &Dom,
    ids: &HashMap<&str, NodeId>,
    id: NodeId,
    parent: NodeId,
    next: impl Fn() -> Option<NodeId>,
) -> Option<NodeId> {
    let has = |name| dom.attribute(id, name);
    let opens = match dom.name(id) {
        "label" => {
            let input = ids.get(has("for")?).copied()?;
            let kind = dom.attribute(input, "type").unwrap_or_default();
            matches!(kind, "checkbox" | "radio")
                && !dom.ancestors(id).any(|id| dom.name(id) == "form")
        }
        name @ ("button" | "div" | "span" | "a" | "p" | "li") => {
            let expands = has("aria-expanded").is_some();
            let button = name == "button" || has("role") == Some("button") || expands;
            button && may_open(dom, id) && (expands || is_named(dom, id) || is_named(dom, parent))
        }
        _ => false,
    };
    next().filter(|next| opens && is_block_with_text(dom, *next))
}

fn is_block_with_text(dom: &Dom, id: NodeId) -> bool {
    matches!(
        dom.name(id),
        "div" | "section" | "p" | "ul" | "ol" | "dl" | "dd" | "article" | "table" | "blockquote"
    ) && dom.has_text(id)
}

/// Whether an element is text rather than links: a menu is all links.
pub(super) fn is_prose(dom: &Dom, id: NodeId) -> bool {
    let letters = |id: NodeId| -> usize {
        let all = dom.descendants(id).take(MAX_LOOK);
        all.map(|id| {
            dom.own_text(id)
                .chars()
                .filter(|c| c.is_alphanumeric())
                .count()
        })
        .sum()
    };
    let links = dom.descendants(id).take(MAX_LOOK);
    let links = links.filter(|id| dom.name(*id) == "a" && dom.attribute(*id, "href").is_some());
    letters(id) >= 2 * links.map(letters).sum::<usize>()
}

pub(super) fn is_hidden(dom: &Dom, id: NodeId) -> bool {
    let has = |name| dom.attribute(id, name);
    has("hidden").is_some()
        || has("aria-hidden") == Some("true")
        || has("style").is_some_and(is_invisible)
}

/// Whether a style hides an element, in the words of browsers and of Word.
pub(super) fn is_invisible(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    ["display:none", "visibility:hidden", "mso-hide:all"]
        .iter()
        .any(|hidden| style.contains(hidden))
}

/// Whether the element is hidden and stands right after what opens it: a heading, a button, a term, or the head of an
/// accordion as page builders name it.
fn follows_control(dom: &Dom, id: NodeId, before: NodeId) -> bool {
    if !is_hidden(dom, id) || matches!(dom.name(id), "span" | "i" | "b" | "img" | "svg" | "br") {
        return false;
    }
    let has = |name| dom.attribute(before, name).is_some();
    matches!(
        dom.name(before),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dt" | "summary" | "label" | "button"
    ) || has("onclick")
        || has("aria-expanded")
        || has("aria-controls")
        || is_named(dom, before)
        || is_named_around(dom, before)
}

/// Whether an element is the rest of a paragraph that a button right behind the paragraph shows: "Read more".
fn is_rest(dom: &Dom, id: NodeId) -> bool {
    let Some(paragraph) = dom.parent(id).filter(|_| dom.name(id) == "span") else {
        return false;
    };
    let place = |around: NodeId, id: NodeId| dom.children(around).iter().position(|it| *it == id);
    let begins = |at: usize| {
        dom.children(paragraph)
            .iter()
            .take(at)
            .any(|it| dom.has_text(*it))
    };
    let next = dom.parent(paragraph).and_then(|around| {
        let at = place(around, paragraph)?;
        dom.after(around, at + 1)
    });
    let shows = |next: NodeId| {
        let link = dom.attribute(next, "href").unwrap_or_default();
        let button = dom.name(next) == "button" || (dom.name(next) == "a" && link.trim() == "#");
        button && may_open(dom, next) && !dom.ancestors(next).any(|id| dom.name(id) == "form")
    };
    place(paragraph, id).is_some_and(begins) && next.is_some_and(shows)
}

/// Whether an element is a title in one that is called an accordion: `<div class="accordion"><div class="title">`.
fn is_named_around(dom: &Dom, id: NodeId) -> bool {
    let within = || dom.descendants(id).skip(1).take(20);
    let block = |id: NodeId| matches!(dom.name(id), "p" | "ul" | "ol" | "table" | "div");
    let around = |id| dom.attribute(id, "class").unwrap_or_default();
    matches!(dom.name(id), "div" | "p" | "a" | "span" | "li")
        && !within().any(block)
        && (dom.parent(id)).is_some_and(|it| {
            has_word(around(it), |word| {
                WORDS.iter().any(|part| word.contains(part))
            })
        })
}
