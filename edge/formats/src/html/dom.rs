//! The tree of a page, in an arena, built by the parser of the HTML standard.

use std::{borrow::Cow, cell::RefCell};

use html5ever::{
    Attribute, LocalName, ParseOpts, QualName, local_name, ns, parse_document,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink},
};

use crate::{Unreadable, limits, write};

/// Bytes that are parsed between two looks at the limits.
const STEP: usize = 4_096;

/// Place of a node in the arena.
pub(crate) type Id = usize;

/// What a node is.
pub(crate) enum Data {
    /// The document, a comment, or anything else without a meaning here.
    Other,
    /// Text.
    Text(String),
    /// An element.
    Element(QualName, Vec<(LocalName, String)>),
}

/// A node.
pub(crate) struct Node {
    pub(crate) parent: Option<Id>,
    pub(crate) children: Vec<Id>,
    pub(crate) data: Data,
    depth: usize,
}

/// A page.
pub(crate) struct Dom(Vec<Node>);

impl Dom {
    /// Parses a page.
    pub(crate) fn parse(html: &str) -> Result<Self, Unreadable> {
        let options = ParseOpts {
            tree_builder: TreeBuilderOpts {
                scripting_enabled: false,
                ..TreeBuilderOpts::default()
            },
            ..ParseOpts::default()
        };
        let sink = Sink(RefCell::new(Building {
            nodes: vec![Node::new(Data::Other)],
            deepest: 0,
        }));
        let mut parser = parse_document(sink, options);
        let mut rest = html;
        while !rest.is_empty() {
            let (step, after) = rest
                .split_at_checked(write::head(rest, STEP).len())
                .unwrap_or((rest, ""));
            rest = after;
            parser.process(StrTendril::from(step));
            let building = parser.tokenizer.sink.sink.0.borrow();
            if building.deepest > limits::MAX_HTML_DEPTH {
                return Err(Unreadable::too_large(format!(
                    "The page nests its elements deeper than {} levels. Give its text in another form.",
                    limits::MAX_HTML_DEPTH
                )));
            }
            if building.nodes.len() > limits::MAX_NODES {
                return Err(Unreadable::too_large(format!(
                    "The page has more than {} elements. Divide it into several pages.",
                    limits::MAX_NODES
                )));
            }
        }
        Ok(parser.finish())
    }

    /// The node; the document for a place that there is not.
    pub(crate) fn get(&self, id: Id) -> Option<&Node> {
        self.0.get(id)
    }

    /// What is directly in it.
    pub(crate) fn children(&self, id: Id) -> &[Id] {
        self.get(id).map_or(&[], |node| &node.children)
    }

    /// The name of an element; empty for anything else.
    pub(crate) fn name(&self, id: Id) -> &str {
        match self.get(id).map(|node| &node.data) {
            Some(Data::Element(name, _)) => &name.local,
            _ => "",
        }
    }

    /// An attribute of an element.
    pub(crate) fn attribute(&self, id: Id, name: &str) -> Option<&str> {
        match self.get(id).map(|node| &node.data) {
            Some(Data::Element(_, attributes)) => attributes
                .iter()
                .find(|(key, _)| &**key == name)
                .map(|(_, value)| value.as_str()),
            _ => None,
        }
    }

    /// Everything in it, in order, itself first.
    pub(crate) fn descendants(&self, id: Id) -> impl Iterator<Item = Id> {
        let mut stack = vec![id];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(self.children(next).iter().rev());
            Some(next)
        })
    }

    /// The first element of the name in it.
    pub(crate) fn find(&self, id: Id, name: &str) -> Option<Id> {
        self.descendants(id).find(|id| self.name(*id) == name)
    }

    /// All of its text, as it stands.
    pub(crate) fn text(&self, id: Id) -> String {
        let mut out = String::new();
        for id in self.descendants(id) {
            if let Some(Data::Text(text)) = self.get(id).map(|node| &node.data) {
                out.push_str(text);
            } else if self.name(id) == "br" {
                out.push('\n');
            }
        }
        out
    }
}

impl Node {
    fn new(data: Data) -> Self {
        Self {
            parent: None,
            children: Vec::new(),
            data,
            depth: 0,
        }
    }
}

struct Building {
    nodes: Vec<Node>,
    deepest: usize,
}

impl Building {
    fn add(&mut self, data: Data) -> Id {
        self.nodes.push(Node::new(data));
        self.nodes.len() - 1
    }

    fn detach(&mut self, child: Id) {
        let parent = self
            .nodes
            .get_mut(child)
            .and_then(|node| node.parent.take());
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent))
            && let Some(at) = parent.children.iter().rposition(|id| *id == child)
        {
            parent.children.remove(at);
        }
    }

    /// Puts a node under a parent, at a place of its children, or last.
    fn attach(&mut self, parent: Id, at: Option<usize>, child: NodeOrText<Id>) {
        let depth = self.nodes.get(parent).map_or(0, |node| node.depth) + 1;
        let child = match child {
            NodeOrText::AppendText(text) => {
                let before = self.nodes.get(parent).and_then(|node| match at {
                    Some(at) => node.children.get(at.checked_sub(1)?),
                    None => node.children.last(),
                });
                if let Some(Data::Text(before)) = before
                    .copied()
                    .and_then(|id| self.nodes.get_mut(id))
                    .map(|node| &mut node.data)
                {
                    before.push_str(&text);
                    return;
                }
                self.add(Data::Text(text.to_string()))
            }
            NodeOrText::AppendNode(id) => {
                self.detach(id);
                id
            }
        };
        if let Some(node) = self.nodes.get_mut(child) {
            node.parent = Some(parent);
            node.depth = depth;
            self.deepest = self.deepest.max(depth);
        }
        if let Some(parent) = self.nodes.get_mut(parent) {
            let at = at
                .unwrap_or(parent.children.len())
                .min(parent.children.len());
            parent.children.insert(at, child);
        }
    }
}

struct Sink(RefCell<Building>);

impl TreeSink for Sink {
    type Handle = Id;
    type Output = Dom;
    type ElemName<'a> = ElementName;

    fn finish(self) -> Dom {
        Dom(self.0.into_inner().nodes)
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> ElementName {
        match self.0.borrow().nodes.get(*target).map(|node| &node.data) {
            Some(Data::Element(name, _)) => ElementName(name.clone()),
            _ => ElementName(QualName::new(None, ns!(), local_name!(""))),
        }
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Id {
        let attributes = attributes
            .into_iter()
            .map(|attribute| (attribute.name.local, attribute.value.to_string()))
            .collect();
        self.0.borrow_mut().add(Data::Element(name, attributes))
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.0.borrow_mut().add(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.0.borrow_mut().add(Data::Other)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        self.0.borrow_mut().attach(*parent, None, child);
    }

    fn append_based_on_parent_node(&self, element: &Id, before: &Id, child: NodeOrText<Id>) {
        let placed = self
            .0
            .borrow()
            .nodes
            .get(*element)
            .is_some_and(|node| node.parent.is_some());
        if placed {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, one: &Id, other: &Id) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let mut building = self.0.borrow_mut();
        if let NodeOrText::AppendNode(id) = child {
            building.detach(id);
        }
        let parent = building.nodes.get(*sibling).and_then(|node| node.parent);
        if let Some(parent) = parent {
            let at = building
                .nodes
                .get(parent)
                .and_then(|node| node.children.iter().rposition(|id| id == sibling));
            building.attach(parent, at, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, attributes: Vec<Attribute>) {
        let mut building = self.0.borrow_mut();
        if let Some(Data::Element(_, had)) =
            building.nodes.get_mut(*target).map(|node| &mut node.data)
        {
            for attribute in attributes {
                if had.iter().all(|(name, _)| *name != attribute.name.local) {
                    had.push((attribute.name.local, attribute.value.to_string()));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.0.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &Id, new_parent: &Id) {
        let mut building = self.0.borrow_mut();
        let children = building
            .nodes
            .get_mut(*node)
            .map(|node| std::mem::take(&mut node.children));
        for child in children.unwrap_or_default() {
            if let Some(node) = building.nodes.get_mut(child) {
                node.parent = None;
            }
            building.attach(*new_parent, None, NodeOrText::AppendNode(child));
        }
    }
}

/// The name of an element, of its own: the arena cannot lend it.
#[derive(Debug)]
pub(crate) struct ElementName(QualName);

impl html5ever::tree_builder::ElemName for ElementName {
    fn ns(&self) -> &html5ever::Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}
