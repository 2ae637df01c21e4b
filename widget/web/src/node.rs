//! A small element tree that Leptos can render and patch.
//!
//! An answer is made of elements that are only known at run time. One concrete type for all of them
//! costs far fewer bytes than a generic view for every tag, and patching touches only the text that
//! grew: a selection, a focus or an open disclosure in an answer survives its streaming.

use tachys::{
    html::attribute::{Attribute, any_attribute::AnyAttribute},
    hydration::Cursor,
    renderer::Rndr,
    view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

const SVG: &str = "http://www.w3.org/2000/svg";

/// An element, or text when the tag is empty.
#[derive(Clone, PartialEq, Eq)]
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
        let mut mounted = self.build();
        mounted.mount(parent, None);
        mounted.element().unchecked_into()
    }

    /// Adds text for screen readers only.
    pub fn spoken(self, value: &str) -> Self {
        self.child(el("span", "sr").text(value))
    }
}

/// What is on the page, and what it was made from.
pub(crate) struct Mounted {
    dom: web_sys::Node,
    tag: &'static str,
    attrs: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Mounted>,
}

impl Mounted {
    fn element(&self) -> Element {
        // Only called for nodes that were built as elements.
        self.dom.clone().unchecked_into()
    }
}

impl Render for Node {
    type State = Mounted;

    fn build(self) -> Mounted {
        if self.tag.is_empty() {
            return Mounted {
                dom: Rndr::create_text_node(&self.text).into(),
                tag: self.tag,
                attrs: self.attrs,
                text: self.text,
                children: Vec::new(),
            };
        }
        let namespace = matches!(self.tag, "svg" | "path").then_some(SVG);
        let element = Rndr::create_element(self.tag, namespace);
        for (name, value) in &self.attrs {
            Rndr::set_attribute(&element, name, value);
        }
        let children: Vec<Mounted> = self.children.into_iter().map(Render::build).collect();
        for child in &children {
            Rndr::insert_node(&element, &child.dom, None);
        }
        Mounted {
            dom: element.into(),
            tag: self.tag,
            attrs: self.attrs,
            text: self.text,
            children,
        }
    }

    fn rebuild(self, state: &mut Mounted) {
        if self.tag != state.tag {
            let mut new = self.build();
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
            return;
        }
        if self.text != state.text {
            state.dom.set_node_value(Some(&self.text));
            state.text = self.text;
        }
        if self.attrs != state.attrs {
            let element = state.element();
            for (name, _) in &state.attrs {
                if !self.attrs.iter().any(|(kept, _)| kept == name) {
                    Rndr::remove_attribute(&element, name);
                }
            }
            for new in &self.attrs {
                if !state.attrs.contains(new) {
                    Rndr::set_attribute(&element, new.0, &new.1);
                }
            }
            state.attrs = self.attrs;
        }
        while state.children.len() > self.children.len() {
            if let Some(mut child) = state.children.pop() {
                child.unmount();
            }
        }
        for (at, child) in self.children.into_iter().enumerate() {
            if let Some(old) = state.children.get_mut(at) {
                child.rebuild(old);
            } else {
                let new = child.build();
                Rndr::insert_node(&state.element(), &new.dom, None);
                state.children.push(new);
            }
        }
    }
}

impl Mountable for Mounted {
    fn unmount(&mut self) {
        Rndr::remove(&self.dom);
    }

    fn mount(&mut self, parent: &Element, marker: Option<&web_sys::Node>) {
        Rndr::insert_node(parent, &self.dom, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let parent = Rndr::get_parent(&self.dom);
        if let Some(parent) = parent {
            child.mount(parent.unchecked_ref(), Some(&self.dom));
            return true;
        }
        false
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }
}

impl AddAnyAttr for Node {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _attr: NewAttr) -> Self {
        self
    }
}

/// Leptos asks every view for these; in the browser alone, none of them has anything to do.
impl RenderHtml for Node {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        _buf: &mut String,
        _position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
    }

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Mounted {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
