//! The DOM of a page, in an arena, built by html5ever.

use std::{borrow::Cow, cell::RefCell};

use html5ever::{
    Attribute, LocalName, ParseOpts, QualName, local_name, ns, parse_document,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink},
};

use crate::{Unreadable, limits};

/// Bytes that are parsed between two checks of the limits.
const STEP: usize = 4_096;

/// Index of a node in the arena.
pub(crate) type NodeId = usize;

/// The kind of a node.
pub(crate) enum NodeData {
    /// The document, a comment, or any other node that holds no text.
    Other,
    /// Text.
    Text(String),
    /// An element.
    Element(QualName, Vec<(LocalName, String)>),
}

/// A node.
pub(crate) struct Node {
    pub(crate) parent: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    pub(crate) data: NodeData,
    depth: usize,
}

/// The tree of a page.
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
        let sink = DomSink(RefCell::new(TreeBuilder {
            nodes: vec![Node::new(NodeData::Other)],
            deepest: 0,
        }));
        let mut parser = parse_document(sink, options);
        let mut rest = html;
        while !rest.is_empty() {
            let (step, after) = rest
                .split_at_checked(bulle_edge_text::prefix(rest, STEP).len())
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

    /// The node of an id.
    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        self.0.get(id)
    }

    /// The children of a node.
    pub(crate) fn children(&self, id: NodeId) -> &[NodeId] {
        self.get(id).map_or(&[], |node| &node.children)
    }

    /// The name of an element; empty for anything else.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        match self.get(id).map(|node| &node.data) {
            Some(NodeData::Element(name, _)) => &name.local,
            _ => "",
        }
    }

    /// An attribute of an element.
    pub(crate) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        match self.get(id).map(|node| &node.data) {
            Some(NodeData::Element(_, attributes)) => attributes
                .iter()
                .find(|(key, _)| &**key == name)
                .map(|(_, value)| value.as_str()),
            _ => None,
        }
    }

    /// A node and everything in it, in document order.
    pub(crate) fn descendants(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut stack = vec![id];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(self.children(next).iter().rev());
            Some(next)
        })
    }

    /// The node that a node stands in.
    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.get(id)?.parent
    }

    /// The nodes that a node stands in, the nearest first.
    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.parent(id), |id| self.parent(*id))
    }

    /// Whether a node stands within another, or is it.
    pub(crate) fn is_within(&self, outer: NodeId, id: NodeId) -> bool {
        id == outer || self.ancestors(id).any(|above| above == outer)
    }

    /// The element that stands right after some children of a node, unless text does.
    pub(crate) fn after(&self, parent: NodeId, children: usize) -> Option<NodeId> {
        self.nearest(self.children(parent).iter().skip(children).copied())
    }

    /// Whether there is a letter or a digit in a node.
    pub(crate) fn has_text(&self, id: NodeId) -> bool {
        self.descendants(id)
            .any(|id| self.own_text(id).chars().any(char::is_alphanumeric))
    }

    /// The text of a node that is text; empty for an element.
    pub(crate) fn own_text(&self, id: NodeId) -> &str {
        match self.get(id).map(|node| &node.data) {
            Some(NodeData::Text(text)) => text,
            _ => "",
        }
    }

    /// The first element of nodes, unless text stands before it.
    fn nearest(&self, nodes: impl Iterator<Item = NodeId>) -> Option<NodeId> {
        for id in nodes {
            match self.get(id).map(|node| &node.data) {
                Some(NodeData::Element(..)) => return Some(id),
                Some(NodeData::Text(text)) if !text.trim().is_empty() => return None,
                _ => {}
            }
        }
        None
    }

    /// The first element of a name within a node.
    pub(crate) fn find(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.descendants(id).find(|id| self.name(*id) == name)
    }

    /// Takes the children of a node out of the page, and puts a text there unless it is empty.
    pub(crate) fn replace_children(&mut self, id: NodeId, text: &str) {
        let mut children = Vec::new();
        if !text.is_empty() {
            children.push(self.0.len());
            let mut node = Node::new(NodeData::Text(text.to_owned()));
            node.parent = Some(id);
            self.0.push(node);
        }
        if let Some(node) = self.0.get_mut(id) {
            node.children = children;
        }
    }

    /// The text of a node, its white space unchanged.
    pub(crate) fn text(&self, id: NodeId) -> String {
        let mut out = String::new();
        for id in self.descendants(id) {
            if let Some(NodeData::Text(text)) = self.get(id).map(|node| &node.data) {
                out.push_str(text);
            } else if self.name(id) == "br" {
                out.push('\n');
            }
        }
        out
    }
}

impl Node {
    fn new(data: NodeData) -> Self {
        Self {
            parent: None,
            children: Vec::new(),
            data,
            depth: 0,
        }
    }
}

struct TreeBuilder {
    nodes: Vec<Node>,
    deepest: usize,
}

impl TreeBuilder {
    fn add(&mut self, data: NodeData) -> NodeId {
        self.nodes.push(Node::new(data));
        self.nodes.len() - 1
    }

    fn detach(&mut self, child: NodeId) {
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
    fn attach(&mut self, parent: NodeId, at: Option<usize>, child: NodeOrText<NodeId>) {
        let depth = self.nodes.get(parent).map_or(0, |node| node.depth) + 1;
        let child = match child {
            NodeOrText::AppendText(text) => {
                let before = self.nodes.get(parent).and_then(|node| match at {
                    Some(at) => node.children.get(at.checked_sub(1)?),
                    None => node.children.last(),
                });
                if let Some(NodeData::Text(before)) = before
                    .copied()
                    .and_then(|id| self.nodes.get_mut(id))
                    .map(|node| &mut node.data)
                {
                    before.push_str(&text);
                    return;
                }
                self.add(NodeData::Text(text.to_string()))
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

struct DomSink(RefCell<TreeBuilder>);

impl TreeSink for DomSink {
    type Handle = NodeId;
    type Output = Dom;
    type ElemName<'a> = ElementName;

    fn finish(self) -> Dom {
        Dom(self.0.into_inner().nodes)
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> ElementName {
        match self.0.borrow().nodes.get(*target).map(|node| &node.data) {
            Some(NodeData::Element(name, _)) => ElementName(name.clone()),
            _ => ElementName(QualName::new(None, ns!(), local_name!(""))),
        }
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        _: ElementFlags,
    ) -> NodeId {
        let attributes = attributes
            .into_iter()
            .map(|attribute| (attribute.name.local, attribute.value.to_string()))
            .collect();
        self.0.borrow_mut().add(NodeData::Element(name, attributes))
    }

    fn create_comment(&self, _: StrTendril) -> NodeId {
        self.0.borrow_mut().add(NodeData::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> NodeId {
        self.0.borrow_mut().add(NodeData::Other)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.0.borrow_mut().attach(*parent, None, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeId,
        before: &NodeId,
        child: NodeOrText<NodeId>,
    ) {
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

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        *target
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
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

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        let mut building = self.0.borrow_mut();
        if let Some(NodeData::Element(_, had)) =
            building.nodes.get_mut(*target).map(|node| &mut node.data)
        {
            for attribute in attributes {
                if had.iter().all(|(name, _)| *name != attribute.name.local) {
                    had.push((attribute.name.local, attribute.value.to_string()));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.0.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
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

/// The name of an element, owned: the arena is in a cell that cannot lend it.
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
