//! Decides which elements of a page are read: not navigation and banners, not controls, not hidden elements.

use super::{
    controls::{Controls, is_invisible, is_prose},
    dom::{Dom, NodeId},
    raised::Raised,
};

/// Elements that never contain text of the page.
const NEVER: &[&str] = &[
    "script", "style", "noscript", "select", "textarea", "input", "datalist", "dialog", "svg",
    "iframe", "object", "canvas", "audio", "video", "head", "link", "meta", "map", "frameset",
    "progress", "meter", "embed",
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
    "toc",
    "no-print",
    "noprint",
    "related-posts",
    "pagination",
];

/// Names of elements that are not visible, or show an icon instead of their text.
const UNSEEN: &[&str] = &[
    "headerlink",
    "d-none",
    "is-hidden",
    "material-icons",
    "material-icons-outlined",
    "material-symbols-outlined",
    "material-symbols-rounded",
];

/// Names of elements that only screen readers read.
const ALOUD: &[&str] = &[
    "sr-only",
    "screen-reader-text",
    "visually-hidden",
    "visuallyhidden",
    "a-offscreen",
];

/// Elements that may be inside of a button or a label, or around it: then its text is a title.
const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];

/// Further elements around a button whose text is a title.
const TERMS: &[&str] = &["summary", "dt"];

/// A page that is read.
pub(super) struct Reading<'a> {
    pub(super) dom: &'a Dom,
    pub(super) controls: Controls,
    pub(super) raised: Raised,
    /// Whether it is a piece of HTML in another document; then no element is navigation or a banner.
    piece: bool,
}

impl<'a> Reading<'a> {
    /// A page.
    pub(super) fn page(dom: &'a Dom) -> Self {
        Self {
            controls: Controls::of(dom),
            raised: Raised::of(dom),
            dom,
            piece: false,
        }
    }

    /// A piece of HTML in a text of another format.
    pub(super) fn piece(dom: &'a Dom) -> Self {
        Self {
            piece: true,
            ..Self::page(dom)
        }
    }

    /// Characters of text to read in an element.
    pub(super) fn weight(&self, root: NodeId) -> usize {
        let mut stack = vec![root];
        let mut sum = 0;
        while let Some(id) = stack.pop() {
            if id != root && self.skips(id, root) {
                continue;
            }
            let text = self.dom.own_text(id).chars();
            sum += text.filter(|c| !c.is_whitespace()).count();
            stack.extend(self.dom.children(id));
        }
        sum
    }

    /// Whether the element is left out of the element that is read.
    pub(super) fn skips(&self, id: NodeId, root: NodeId) -> bool {
        let dom = self.dom;
        let name = dom.name(id);
        if name.is_empty() {
            return false;
        }
        let has = |attribute| dom.attribute(id, attribute);
        if NEVER.contains(&name) || (name == "template" && has("shadowrootmode").is_none()) {
            return true;
        }
        // Google Docs exports the comments of editors at the end of the page.
        if matches!(name, "sup" | "div") && is_comment(dom, id) {
            return true;
        }
        if !self.controls.opens(id) && self.is_hidden(id) {
            return true;
        }
        if matches!(name, "button" | "label") {
            return !self.is_title(id);
        }
        !self.piece && self.surrounds(id, name, root)
    }

    fn is_hidden(&self, id: NodeId) -> bool {
        let dom = self.dom;
        let has = |attribute| dom.attribute(id, attribute);
        has("hidden").is_some_and(|value| !value.eq_ignore_ascii_case("until-found"))
            || has("style").is_some_and(is_invisible)
            || named(dom, id, UNSEEN)
            || named(dom, id, ALOUD)
            || (has("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"))
                && !self.is_seen_twin(id))
    }

    /// Whether an element with `aria-hidden` is the visible form of a text for screen readers beside it, such as a price.
    fn is_seen_twin(&self, id: NodeId) -> bool {
        let dom = self.dom;
        let twin = |id: NodeId| named(dom, id, ALOUD);
        let beside = dom.parent(id).is_some_and(|parent| {
            dom.children(parent)
                .iter()
                .take(50)
                .any(|other| twin(*other))
        });
        beside && dom.has_text(id)
    }

    /// Whether a button or a label is the title of something to read.
    fn is_title(&self, id: NodeId) -> bool {
        let dom = self.dom;
        if self.controls.is_control(id) || self.holds(id, HEADINGS) {
            return true;
        }
        let names =
            |id: &NodeId| HEADINGS.contains(&dom.name(*id)) || TERMS.contains(&dom.name(*id));
        let heading = dom.ancestors(id).find(names);
        heading.is_some_and(|heading| {
            let opens = [
                "aria-controls",
                "aria-expanded",
                "data-bs-target",
                "data-target",
                "for",
            ];
            let alone = || {
                let letters = |id| -> usize {
                    let texts = dom.descendants(id).take(200).map(|id| dom.own_text(id));
                    texts.map(|text| text.trim().len()).sum()
                };
                letters(id) * 2 > letters(heading)
            };
            opens.iter().any(|name| dom.attribute(id, name).is_some()) || alone()
        })
    }

    fn surrounds(&self, id: NodeId, name: &str, root: NodeId) -> bool {
        let dom = self.dom;
        let role = dom.attribute(id, "role").unwrap_or_default();
        // Elementor gives this role to the element around the panels, too.
        let holds_panels = || dom.descendants(id).any(|id| self.controls.opens(id));
        if ROLES.contains(&role) && !(role == "tablist" && holds_panels()) {
            return true;
        }
        if matches!(name, "footer" | "aside") || (name == "nav" && !is_text(dom, id)) {
            return true;
        }
        // A name on an element around the whole page excludes nothing.
        if !matches!(name, "html" | "body" | "main" | "article") && named(dom, id, NAMES) {
            return !self.holds(id, &["main", "h1"]);
        }
        match name {
            // Some frameworks put the whole page into a form.
            "form" => !self.holds(id, &["main", "article", "h1", "h2"]) && !is_most(dom, id, root),
            "header" => {
                dom.name(root) == "body" && !within_article(dom, id) && !self.holds(id, &["h1"])
            }
            _ => false,
        }
    }

    fn holds(&self, id: NodeId, names: &[&str]) -> bool {
        let dom = self.dom;
        dom.descendants(id).any(|id| names.contains(&dom.name(id)))
    }
}

/// Whether a `nav` contains text: Webflow uses it for the answers of an accordion.
fn is_text(dom: &Dom, id: NodeId) -> bool {
    is_prose(dom, id) && dom.find(id, "p").is_some()
}

/// Whether most of the text around an element is in it.
fn is_most(dom: &Dom, id: NodeId, root: NodeId) -> bool {
    let letters = |id: NodeId| -> usize {
        let shown = |id: &NodeId| {
            dom.parent(*id).is_none_or(|it| {
                !matches!(
                    dom.name(it),
                    "script" | "style" | "label" | "option" | "button"
                )
            })
        };
        let texts = dom.descendants(id).filter(shown);
        texts.map(|id| dom.own_text(id).trim().len()).sum()
    };
    let own = letters(id);
    own > 0 && own * 2 > letters(root)
}

fn named(dom: &Dom, id: NodeId, names: &[&str]) -> bool {
    ["class", "id"]
        .iter()
        .filter_map(|attribute| dom.attribute(id, attribute))
        .flat_map(str::split_ascii_whitespace)
        .any(|word| names.contains(&word.to_ascii_lowercase().as_str()))
}

fn is_comment(dom: &Dom, id: NodeId) -> bool {
    let links = dom.descendants(id).take(6);
    let mut links = links.filter_map(|id| dom.attribute(id, "href"));
    links.next().is_some_and(|href| href.starts_with("#cmnt"))
}

fn within_article(dom: &Dom, id: NodeId) -> bool {
    dom.ancestors(id)
        .any(|id| matches!(dom.name(id), "article" | "main" | "section"))
}
