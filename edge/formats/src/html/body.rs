//! The elements of a page, written as Markdown.

use url::Url;

use super::{
    absolute,
    dom::{Dom, NodeData, NodeId},
    email, math,
    reading::Reading,
    shape::{heading_level, is_block, stand_apart, within_heading, word_item, word_level},
};
use crate::{Unreadable, limits, raised, write};

/// Components of MDX whose titles are attributes.
const COMPONENTS: &[&str] = &[
    "tabitem",
    "tab",
    "accordion",
    "accordionitem",
    "card",
    "step",
    "callout",
    "admonition",
    "expandable",
    "collapsible",
];

/// The Markdown of elements, one after the other.
pub(super) fn markdown(
    reading: &Reading<'_>,
    roots: &[NodeId],
    base: Option<&Url>,
) -> Result<String, Unreadable> {
    let mut writer = HtmlWriter::new(reading, 0, base, 1);
    for root in roots {
        writer.root = *root;
        writer.titled(*root);
        writer.end_line();
    }
    if writer.cells > limits::MAX_CELLS || writer.out.len() > limits::MAX_MARKDOWN_BYTES {
        return Err(Unreadable::too_large(
            "The tables of the page unfold to too many cells. Divide it into several pages.",
        ));
    }
    let out = writer.out.trim_end();
    Ok(if out.is_empty() {
        String::new()
    } else {
        format!("{out}\n")
    })
}

pub(super) struct HtmlWriter<'a> {
    reading: &'a Reading<'a>,
    pub(super) dom: &'a Dom,
    pub(super) root: NodeId,
    base: Option<&'a Url>,
    pub(super) out: String,
    /// Escaped text of the block that is being read, its white space as it stands.
    line: String,
    /// The lists that are open: `true` until their item's first block was written.
    pub(super) lists: Vec<bool>,
    /// `id` of the section whose heading has not been read yet.
    pub(super) section: Option<String>,
    /// Level of the last heading.
    level: usize,
    pub(super) cells: usize,
}

impl<'a> HtmlWriter<'a> {
    fn new(reading: &'a Reading<'a>, root: NodeId, base: Option<&'a Url>, level: usize) -> Self {
        Self {
            reading,
            dom: reading.dom,
            root,
            base,
            out: String::new(),
            line: String::new(),
            lists: Vec::new(),
            section: None,
            level,
            cells: 0,
        }
    }

    pub(super) fn children(&mut self, id: NodeId) {
        let dom = self.dom;
        let apart = stand_apart(dom, id);
        for child in dom.children(id) {
            if self.cells <= limits::MAX_CELLS && self.out.len() <= limits::MAX_MARKDOWN_BYTES {
                if apart {
                    self.line.push(' ');
                }
                self.node(*child);
            }
        }
    }

    pub(super) fn skips(&self, id: NodeId) -> bool {
        self.reading.skips(id, self.root)
    }

    /// What is in an element, under the title that its control has.
    fn titled(&mut self, id: NodeId) {
        if let Some(control) = self.reading.controls.title_of(id)
            && !self.is_written(control, id)
        {
            self.end_line();
            let level = self.level;
            self.heading(control, (level + 1).min(6));
            self.level = level;
        }
        self.children(id);
    }

    /// Whether the title of a panel stands on the page beside it: as a heading, or as the first one within.
    fn is_written(&self, control: NodeId, panel: NodeId) -> bool {
        let dom = self.dom;
        let is_heading = |id: &NodeId| heading_level(dom.name(*id)).is_some();
        let heads = |id: NodeId| is_heading(&id) || matches!(dom.name(id), "summary" | "dt");
        let around =
            dom.ancestors(control).take(6).any(heads) || dom.descendants(control).any(heads);
        let text = |id| write::flat(&dom.text(id)).to_lowercase();
        let first = dom.descendants(panel).find(is_heading);
        (around && !self.skips_above(control)) || first.is_some_and(|it| text(it) == text(control))
    }

    /// Whether an element stands in one that is not read.
    fn skips_above(&self, id: NodeId) -> bool {
        let above = self.dom.ancestors(id).take_while(|id| *id != self.root);
        above.take(12).any(|id| self.skips(id))
    }

    fn node(&mut self, id: NodeId) {
        let dom = self.dom;
        if let Some(NodeData::Text(text)) = dom.get(id).map(|node| &node.data) {
            self.line.push_str(&write::escape(text));
            return;
        }
        if self.skips(id) {
            return;
        }
        if let Some(address) = email::protected(dom, id) {
            self.line.push_str(&write::escape(&address));
            return;
        }
        let name = dom.name(id);
        if self.reading.controls.is_control(id)
            && !within_heading(dom, id)
            && !dom
                .descendants(id)
                .any(|id| heading_level(dom.name(id)).is_some())
            && name != "summary"
        {
            // It is written as the title of what it opens.
            self.end_line();
            return;
        }
        if let Some(level) = word_level(dom, id).or_else(|| heading_level(name)) {
            self.heading(id, level);
            return;
        }
        if let Some(up) = self.reading.raised.raises(dom, id) {
            self.raised(id, up);
            return;
        }
        match name {
            "br" => self.line.push(write::BREAK),
            "hr" => self.end_line(),
            _ if email::is_reversed(dom, id) => {
                let before = std::mem::take(&mut self.line);
                self.children(id);
                let text = std::mem::replace(&mut self.line, before);
                self.line.extend(text.chars().rev());
            }
            "math" => self.line.push_str(&math::text(dom, id)),
            "summary" => self.heading(id, (self.level + 1).min(6)),
            "ul" | "ol" | "menu" => {
                self.end_line();
                self.lists.push(false);
                self.children(id);
                self.end_line();
                self.lists.pop();
                if self.lists.is_empty() {
                    write::blank_line(&mut self.out);
                }
            }
            "li" if !self.lists.is_empty() => {
                self.end_line();
                self.open_item();
                self.children(id);
                self.end_line();
            }
            "dl" => self.definitions(id),
            "pre" => {
                self.end_line();
                let language = self.language(id);
                write::code_block(&mut self.out, &dom.text(id), &language);
            }
            "code" | "kbd" | "samp" | "tt" => self.line.push_str(&write::code(&dom.text(id))),
            "a" => self.link(id),
            _ if self.is_table(id) => self.table(id),
            "rp" | "rt" => {}
            "wbr" => self.line.push('\u{200b}'),
            "p" if word_item(dom, id).is_some() => self.word_item(id),
            "section" | "div" | "article" | "details" => {
                self.end_line();
                let own = dom.attribute(id, "id").map(str::to_owned);
                let before = self.section.clone();
                if own.is_some() {
                    self.section = own;
                }
                self.titled(id);
                self.end_line();
                if before.is_none() {
                    self.section = None;
                }
            }
            _ if is_block(name) || self.reading.controls.title_of(id).is_some() => {
                self.end_line();
                self.titled(id);
                self.end_line();
            }
            _ if COMPONENTS.contains(&name) => {
                self.end_line();
                let named = ["label", "title", "summary", "header"];
                let title = named.iter().find_map(|name| dom.attribute(id, name));
                if let Some(title) = title {
                    let level = (self.level + 1).min(6);
                    write::heading(&mut self.out, level, &write::escape(title), None);
                }
                self.children(id);
                self.end_line();
            }
            // Elements of a page's own are mostly blocks.
            _ if name.contains('-') => {
                self.line.push(' ');
                self.children(id);
                self.line.push(' ');
            }
            _ => self.children(id),
        }
    }

    /// Raised or lowered text.
    fn raised(&mut self, id: NodeId, up: bool) {
        let dom = self.dom;
        let before = std::mem::take(&mut self.line);
        self.children(id);
        let text = std::mem::replace(&mut self.line, before);
        if text.contains("](") {
            self.line.push(' ');
            self.line.push_str(&text);
            return;
        }
        // The number of a note is no part of the word before it.
        let refers = |id: NodeId| {
            dom.attribute(id, "href")
                .is_some_and(|href| href.starts_with('#'))
        };
        if dom.descendants(id).any(refers) || dom.ancestors(id).take(1).any(refers) {
            self.line.push(' ');
        }
        let text = if up {
            raised::superscript(&self.line, &text)
        } else {
            raised::subscript(&text)
        };
        self.line.push_str(&text);
    }

    /// An item of a list that Word has written as a paragraph.
    fn word_item(&mut self, id: NodeId) {
        self.end_line();
        let level = word_item(self.dom, id).unwrap_or(0);
        self.children(id);
        let line = std::mem::take(&mut self.line);
        let line = line.trim_start_matches(['·', '•', '§', 'o', '▪', '-', ' ', '\u{a0}', '\n']);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        write::item(&mut self.out, level, line);
    }

    fn open_item(&mut self) {
        if let Some(last) = self.lists.last_mut() {
            *last = true;
        }
    }

    /// Writes the gathered line: as an item if a list is open, else as a paragraph.
    pub(super) fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        self.section = None;
        let level = self.lists.len();
        match self.lists.last_mut() {
            None => {
                for part in write::paragraphs(&line) {
                    write::block(&mut self.out, &write::line(&part));
                }
            }
            Some(opens) => {
                // Further paragraphs of an item are items of their own: each is a unit that can be quoted.
                *opens = false;
                write::item(&mut self.out, level.saturating_sub(1).min(8), &line);
            }
        }
    }

    fn heading(&mut self, id: NodeId, level: usize) {
        self.end_line();
        let dom = self.dom;
        let section = self.section.take();
        self.children(id);
        let mut text = std::mem::take(&mut self.line);
        if text.trim().is_empty() {
            let alternative = dom
                .find(id, "img")
                .and_then(|image| dom.attribute(image, "alt"));
            text = write::escape(alternative.unwrap_or_default());
        }
        let anchor = dom
            .descendants(id)
            .find_map(|id| {
                dom.attribute(id, "id")
                    .or_else(|| dom.attribute(id, "name"))
            })
            .map(str::to_owned)
            .or(section);
        if text.trim().is_empty() {
            return;
        }
        if dom.name(id) != "summary" {
            self.level = level;
        }
        if self.lists.is_empty() {
            write::heading(&mut self.out, level, &text, anchor.as_deref());
        } else {
            self.line = text;
            self.end_line();
        }
    }

    fn link(&mut self, id: NodeId) {
        let dom = self.dom;
        // A link around blocks, such as a card, is written as its blocks.
        if dom.descendants(id).skip(1).any(|id| is_block(dom.name(id))) {
            self.children(id);
            return;
        }
        let before = std::mem::take(&mut self.line);
        self.children(id);
        let text = std::mem::replace(&mut self.line, before);
        let href = dom.attribute(id, "href").unwrap_or_default();
        let mail = email::link(href).and_then(|link| absolute(None, &link));
        let url = mail.or_else(|| absolute(self.base, href).filter(|_| !href.starts_with('#')));
        // The link sign (anchor) of a heading, which links to the heading itself, is not text.
        if href.starts_with('#') && matches!(text.trim(), "\\#" | "#" | "¶" | "§" | "🔗") {
            return;
        }
        match url {
            Some(url) => {
                if text.starts_with(char::is_whitespace) {
                    self.line.push(' ');
                }
                self.line.push_str(&write::link(&text, url.as_str()));
                if text.ends_with(char::is_whitespace) {
                    self.line.push(' ');
                }
            }
            None => self.line.push_str(&text),
        }
    }

    fn language(&self, id: NodeId) -> String {
        self.dom
            .descendants(id)
            .filter_map(|id| self.dom.attribute(id, "class"))
            .flat_map(str::split_ascii_whitespace)
            .find_map(|word| {
                word.strip_prefix("language-")
                    .or_else(|| word.strip_prefix("lang-"))
            })
            .filter(|name| name.len() < 20 && name.bytes().all(|b| b.is_ascii_alphanumeric()))
            .unwrap_or_default()
            .to_owned()
    }

    /// `- term: definition`, an item for each definition.
    fn definitions(&mut self, id: NodeId) {
        self.end_line();
        let dom = self.dom;
        let (mut terms, mut defined): (Vec<String>, bool) = (Vec::new(), false);
        let parts: Vec<NodeId> = dom
            .children(id)
            .iter()
            .flat_map(|child| match dom.name(*child) {
                "div" => dom.children(*child).to_vec(),
                _ => vec![*child],
            })
            .collect();
        for part in parts {
            match dom.name(part) {
                "dt" => {
                    if std::mem::take(&mut defined) {
                        terms.clear();
                    }
                    terms.push(self.cell(part));
                }
                "dd" => {
                    let text = self.cell(part);
                    let line = match terms.join(", ") {
                        term if term.is_empty() => text,
                        term if term.ends_with([':', '?', '：', '？']) => {
                            format!("{term} {text}")
                        }
                        term => format!("{term}: {text}"),
                    };
                    write::item(&mut self.out, self.lists.len().min(8), &line);
                    defined = true;
                }
                _ => {}
            }
        }
        write::blank_line(&mut self.out);
    }

    /// The escaped text of an element, its blocks parted by breaks.
    pub(super) fn cell(&mut self, id: NodeId) -> String {
        let mut inner = HtmlWriter::new(self.reading, self.root, self.base, 6);
        inner.cells = self.cells;
        inner.children(id);
        inner.end_line();
        self.cells = inner.cells;
        let lines = inner.out.lines().map(|line| {
            let line = line.trim();
            let line = line
                .strip_suffix('\\')
                .filter(|_| !line.ends_with("\\\\"))
                .unwrap_or(line);
            let text = line.trim_start_matches('#').trim_start();
            let heading = text.len() < line.len() && !line.starts_with("\\#");
            let line = if heading { text } else { line };
            write::flat(line.strip_prefix("- ").unwrap_or(line))
        });
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        lines.join(&write::BREAK.to_string())
    }
}
