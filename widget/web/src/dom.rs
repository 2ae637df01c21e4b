//! Elements and reactivity: the only module that uses Leptos' crates.
//!
//! A view returns a tree of [`VNode`]s, which is built once and patched from then on: elements of an answer are only
//! known at run time, and one concrete type for all of them costs far fewer bytes than Leptos' generic view for every
//! tag. Patching changes only the text that grew, so a selection, the focus or an open disclosure in an answer
//! survives its streaming.

use any_spawner::Executor;
pub(crate) use leptos_dom::helpers::{
    TimeoutHandle, document, set_timeout, set_timeout_with_handle, window,
};
pub(crate) use reactive_graph::{
    effect::RenderEffect,
    signal::ArcTrigger,
    traits::{Notify, Track},
};
use tachys::renderer::Rndr;
use wasm_bindgen::JsCast;
use web_sys::{CharacterData, Element, HtmlElement};

const SVG: &str = "http://www.w3.org/2000/svg";

/// The tag of a placeholder for an element that stays as it was drawn.
const SAME: &str = "=";

/// Lets effects run: each runs in a microtask after the code that has changed a signal it watches.
pub(crate) fn start_effects() {
    // An error from the second bubble on: the executor is there already.
    let _ = Executor::init_wasm_bindgen();
}

/// A view that is drawn again when a signal that it watches changes. It takes one type of closure, because every type
/// would add a copy of the effect machinery.
pub(crate) fn view(mut draw: Box<dyn FnMut() -> VNode>) -> RenderEffect<Mounted> {
    RenderEffect::new(move |mounted: Option<Mounted>| match mounted {
        Some(mut mounted) => {
            mounted.patch(draw());
            mounted
        }
        None => draw().build(),
    })
}

/// An element, or text when the tag is empty.
pub(crate) struct VNode {
    tag: &'static str,
    attrs: Vec<(&'static str, String)>,
    text: String,
    children: Vec<VNode>,
}

/// An element with a class, which may be empty.
pub(crate) fn el(tag: &'static str, class: &str) -> VNode {
    let node = VNode {
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
pub(crate) fn text(text: &str) -> VNode {
    VNode {
        text: text.to_owned(),
        ..el("", "")
    }
}

/// Keeps the node that was drawn in this place; only valid where one was drawn before.
pub(crate) fn same() -> VNode {
    el(SAME, "")
}

/// A button; the click handler of the conversation reads its action.
pub(crate) fn button(class: &str, action: &str) -> VNode {
    el("button", class)
        .attr("type", "button")
        .attr("data-do", action)
}

impl VNode {
    pub fn attr(mut self, name: &'static str, value: &str) -> Self {
        self.attrs.push((name, value.to_owned()));
        self
    }

    pub fn child(mut self, child: VNode) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a child, if there is one.
    pub fn maybe(self, child: Option<VNode>) -> Self {
        self.children(child)
    }

    pub fn children(mut self, children: impl IntoIterator<Item = VNode>) -> Self {
        self.children.extend(children);
        self
    }

    pub fn text(self, value: &str) -> Self {
        self.child(text(value))
    }

    /// Appends the element to another one; it is not patched afterwards.
    pub fn place(self, parent: &Element) -> HtmlElement {
        let dom = self.build().dom;
        Rndr::insert_node(parent, &dom, None);
        dom.unchecked_into()
    }

    /// Inserts the element before another one; it is not patched afterwards.
    pub fn place_before(self, parent: &Element, next: &web_sys::Node) -> HtmlElement {
        let dom = self.build().dom;
        Rndr::insert_node(parent, &dom, Some(next));
        dom.unchecked_into()
    }

    /// Adds text for screen readers only.
    pub fn spoken(self, value: &str) -> Self {
        self.child(el("span", "sr").text(value))
    }
}

/// A built node: the DOM node, and the description that it was built from.
pub(crate) struct Mounted {
    pub dom: web_sys::Node,
    tag: &'static str,
    attrs: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Mounted>,
}

impl VNode {
    /// Builds the DOM node, without inserting it.
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
        // Only called for nodes that are elements.
        self.dom.unchecked_ref()
    }

    fn push(&mut self, child: VNode) {
        let child = child.build();
        Rndr::insert_node(self.element(), &child.dom, None);
        self.children.push(child);
    }

    /// Changes the DOM node to match the description, and leaves alone what matches already.
    pub fn patch(&mut self, node: VNode) {
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
            // Appending keeps a selection in the text before.
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
