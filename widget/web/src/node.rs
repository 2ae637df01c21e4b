//! A small element tree that is drawn once and patched from then on.
//!
//! An answer is made of elements that are only known at run time. One concrete type for all of them
//! costs far fewer bytes than a generic view for every tag, and patching touches only the text that
//! grew: a selection, a focus or an open disclosure in an answer survives its streaming.

use wasm_bindgen::JsCast;
use web_sys::{CharacterData, Element, HtmlElement};

use crate::leptos::Rndr;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Stands in place of the tag for what is to stay as it was drawn.
const SAME: &str = "=";

/// An element, or text when the tag is empty.
pub(crate) struct Node {
    tag: &'static str,
    attrs: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Node>,
}

/// An element with a class, which may be empty.
pub(crate) fn el(tag: &'static str, class: &str) -> Node {
    let node = Node {
        tag,
        attrs: Vec::new(),
        text: String::new(),
        children: Vec::new(),
    };
    if class.is_empty() {
        node
    } else {
        node.attr("class", class)
    }
}

/// Text.
pub(crate) fn text(text: &str) -> Node {
    Node {
        text: text.to_owned(),
        ..el("", "")
    }
}

/// What was drawn in this place before, untouched: only for a place that has been drawn.
pub(crate) fn same() -> Node {
    el(SAME, "")
}

/// A button that names what it does for the click handler of the conversation.
pub(crate) fn button(class: &str, action: &str) -> Node {
    el("button", class)
        .attr("type", "button")
        .attr("data-do", action)
}

impl Node {
    /// Adds an attribute.
    pub fn attr(mut self, name: &'static str, value: &str) -> Self {
        self.attrs.push((name, value.to_owned()));
        self
    }

    /// Adds a child.
    pub fn child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a child, when there is one.
    pub fn maybe(self, child: Option<Node>) -> Self {
        self.children(child)
    }

    /// Adds children.
    pub fn children(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        self.children.extend(children);
        self
    }

    /// Adds text.
    pub fn text(self, value: &str) -> Self {
        self.child(text(value))
    }

    /// Puts the element at the end of another one, to stay as it is.
    pub fn place(self, parent: &Element) -> HtmlElement {
        let dom = self.build().dom;
        Rndr::insert_node(parent, &dom, None);
        dom.unchecked_into()
    }

    /// Adds text for screen readers only.
    pub fn spoken(self, value: &str) -> Self {
        self.child(el("span", "sr").text(value))
    }
}

/// What is on the page, and what it was made from.
pub(crate) struct Mounted {
    pub dom: web_sys::Node,
    tag: &'static str,
    attrs: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Mounted>,
}

impl Node {
    /// Makes it, outside of the page.
    pub fn build(self) -> Mounted {
        let dom = if self.tag.is_empty() {
            Rndr::create_text_node(&self.text).into()
        } else {
            let namespace = matches!(self.tag, "svg" | "path").then_some(SVG);
            Rndr::create_element(self.tag, namespace).into()
        };
        let mut mounted = Mounted {
            dom,
            tag: self.tag,
            attrs: self.attrs,
            text: self.text,
            children: Vec::with_capacity(self.children.len()),
        };
        for (name, value) in &mounted.attrs {
            Rndr::set_attribute(mounted.element(), name, value);
        }
        for child in self.children {
            mounted.push(child);
        }
        mounted
    }
}

impl Mounted {
    fn element(&self) -> &Element {
        // Only called for nodes that were built as elements.
        self.dom.unchecked_ref()
    }

    fn push(&mut self, child: Node) {
        let child = child.build();
        Rndr::insert_node(self.element(), &child.dom, None);
        self.children.push(child);
    }

    /// Makes it what the node says, and leaves alone what it was already.
    pub fn patch(&mut self, node: Node) {
        if node.tag == SAME {
            return;
        }
        if node.tag != self.tag {
            let new = node.build();
            if let Some(parent) = self.dom.parent_node() {
                Rndr::insert_node(parent.unchecked_ref(), &new.dom, Some(&self.dom));
            }
            Rndr::remove(&self.dom);
            *self = new;
            return;
        }
        if node.text != self.text {
            // Words that are added leave a selection in those before them.
            match node.text.strip_prefix(self.text.as_str()) {
                Some(more) => {
                    let text: &CharacterData = self.dom.unchecked_ref();
                    let _ = text.append_data(more);
                }
                None => self.dom.set_node_value(Some(&node.text)),
            }
            self.text = node.text;
        }
        if node.attrs != self.attrs {
            for (name, _) in &self.attrs {
                if !node.attrs.iter().any(|(kept, _)| kept == name) {
                    Rndr::remove_attribute(self.element(), name);
                }
            }
            for new in &node.attrs {
                if !self.attrs.contains(new) {
                    Rndr::set_attribute(self.element(), new.0, &new.1);
                }
            }
            self.attrs = node.attrs;
        }
        while self.children.len() > node.children.len() {
            if let Some(child) = self.children.pop() {
                Rndr::remove(&child.dom);
            }
        }
        for (at, child) in node.children.into_iter().enumerate() {
            match self.children.get_mut(at) {
                Some(old) => old.patch(child),
                None => self.push(child),
            }
        }
    }
}
