//! Tabs whose labels and panels refer to each other by their order alone:
//! `<ul class="tabs"><li>Summer</li><li>Winter</li></ul><div class="panel">…</div><div class="panel">…</div>`.

use super::{
    controls::{Finder, has_word, is_hidden},
    dom::{Dom, NodeId},
};

/// Most characters and most nodes of a label.
const MAX_LABEL: usize = 60;
const MAX_LABEL_NODES: usize = 20;

/// Most elements between the list of labels and the element that the panels stand beside.
const MAX_UP: usize = 3;

/// Most children of an element that are looked at.
const MAX_SIBLINGS: usize = 200;

/// Parts of the names (`class`, `id`) of panels, and of the element around them.
const PANELS: &[&str] = &["panel", "pane", "content", "body"];

impl Finder<'_> {
    /// Pairs labels with panels if the element is a list of labels: with those that the labels link to, else by their order if
    /// there are as many panels.
    pub(super) fn pair_tabs(&mut self, list: NodeId) {
        let Some(labels) = labels(self.dom, list) else {
            return;
        };
        if labels.iter().any(|label| self.refers(*label)) {
            return;
        }
        let linked = labels.iter().map(|label| self.linked(*label));
        let linked: Option<Vec<NodeId>> = linked.collect();
        let Some(panels) = linked.or_else(|| panels(self.dom, list, labels.len())) else {
            return;
        };
        for (label, panel) in labels.into_iter().zip(panels) {
            if !self.dom.is_within(panel, label) && self.is_panel(panel) {
                self.insert(label, panel);
            }
        }
    }

    /// Whether a label, or an element within it, names what it opens.
    fn refers(&self, label: NodeId) -> bool {
        let mut within = self.dom.descendants(label);
        within.any(|id| self.named_panel(id).is_some())
    }

    /// The element of the page that a label links to.
    fn linked(&self, label: NodeId) -> Option<NodeId> {
        let dom = self.dom;
        let mut links = dom
            .descendants(label)
            .filter_map(|id| dom.attribute(id, "href"));
        let id = links.find_map(|href| href.strip_prefix('#'))?;
        self.ids.get(id).copied()
    }
}

/// The labels in a list of tabs: two or more elements of one kind, each a short text that leads to no other page.
fn labels(dom: &Dom, list: NodeId) -> Option<Vec<NodeId>> {
    let holds_labels = matches!(dom.name(list), "ul" | "ol" | "div" | "nav" | "header" | "p")
        && !is_named(dom, list)
        && (names_tabs(dom, list) || dom.parent(list).is_some_and(|id| names_tabs(dom, id)));
    let labels = elements(dom, list).filter(|_| holds_labels)?;
    let kind = dom.name(*labels.first()?);
    let fits = |id: &NodeId| {
        dom.name(*id) == kind
            && dom.descendants(*id).nth(MAX_LABEL_NODES).is_none()
            && (1..=MAX_LABEL).contains(&dom.text(*id).trim().chars().count())
            && !dom.descendants(*id).any(|id| leads_away(dom, id))
            && !dom
                .descendants(*id)
                .skip(1)
                .any(|id| matches!(dom.name(id), "p" | "ul" | "ol" | "table" | "div" | "input"))
    };
    let known = matches!(kind, "li" | "button" | "a" | "span" | "div" | "label");
    (known && labels.len() > 1 && labels.iter().all(fits)).then_some(labels)
}

/// Whether an element links to another page.
fn leads_away(dom: &Dom, id: NodeId) -> bool {
    let href = dom.attribute(id, "href").unwrap_or_default().trim();
    !href.is_empty() && !href.starts_with('#') && !href.starts_with("javascript:")
}

/// Whether its class, its id or its role says that an element is a list of tabs.
fn names_tabs(dom: &Dom, id: NodeId) -> bool {
    let named = |word: &str| word.starts_with("tab") && !word.starts_with("table");
    dom.attribute(id, "role") == Some("tablist") || is_called(dom, id, named)
}

/// Whether an element is called a panel, or is hidden until its tab is opened.
fn is_named(dom: &Dom, id: NodeId) -> bool {
    is_hidden(dom, id)
        || is_called(dom, id, |word| {
            PANELS.iter().any(|part| word.contains(part))
        })
}

fn is_called(dom: &Dom, id: NodeId, wanted: impl Fn(&str) -> bool) -> bool {
    let names = ["class", "id"].into_iter();
    let mut names = names.filter_map(|name| dom.attribute(id, name));
    names.any(|name| has_word(name, &wanted))
}

/// The elements in a node; `None` if text stands beside them, or there are too many.
fn elements(dom: &Dom, id: NodeId) -> Option<Vec<NodeId>> {
    let children = dom.children(id);
    let text = |id: &NodeId| !dom.own_text(*id).trim().is_empty();
    if children.len() > MAX_SIBLINGS || children.iter().any(text) {
        return None;
    }
    let elements = children.iter().filter(|id| !dom.name(**id).is_empty());
    Some(elements.copied().collect())
}

/// The elements that stand behind a node in its parent, as far as no text does.
fn following(dom: &Dom, id: NodeId) -> Vec<NodeId> {
    let siblings = dom
        .parent(id)
        .map_or(&[][..], |parent| dom.children(parent));
    let behind = siblings.iter().take(MAX_SIBLINGS);
    let behind = behind.skip_while(|other| **other != id).skip(1);
    let behind = behind.take_while(|id| dom.own_text(**id).trim().is_empty());
    let behind = behind.filter(|id| !dom.name(**id).is_empty());
    behind.copied().collect()
}

/// As many panels as there are labels: the elements behind the labels that are alike, or what the first of them holds.
fn panels(dom: &Dom, list: NodeId, count: usize) -> Option<Vec<NodeId>> {
    let around = std::iter::successors(Some(list), |id| dom.parent(*id)).take(MAX_UP);
    let mut around = around.map(|id| following(dom, id));
    let below = around.find(|below| !below.is_empty())?;
    let first = *below.first()?;
    let all_alike = below.iter().take_while(|id| is_alike(dom, first, **id));
    let alike: Vec<NodeId> = all_alike.copied().collect();
    let fit = |panels: &Vec<NodeId>| panels.len() == count && !is_alike(dom, list, first);
    if fit(&alike)
        && alike
            .iter()
            .any(|id| is_named(dom, *id) || names_tabs(dom, *id))
    {
        return Some(alike);
    }
    let within = elements(dom, first).filter(fit)?;
    let named = is_named(dom, first) || within.iter().any(|id| is_named(dom, *id));
    let same = within.iter().all(|id| {
        within
            .first()
            .is_some_and(|it| dom.name(*it) == dom.name(*id))
    });
    (named && same).then_some(within)
}

/// Whether two elements are of one kind: by their name and the first word of their class.
fn is_alike(dom: &Dom, one: NodeId, other: NodeId) -> bool {
    let word = |id| {
        let class = dom.attribute(id, "class").unwrap_or_default();
        class.split_ascii_whitespace().next()
    };
    dom.name(one) == dom.name(other) && word(one) == word(other)
}
