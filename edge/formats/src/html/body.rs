//! The elements of a page, written as Markdown.

use std::collections::HashMap;

use url::Url;

use super::{
    absolute,
    dom::{Dom, NodeData, NodeId},
    main_part::skipped,
};
use crate::{Unreadable, limits, write};

/// The Markdown of an element.
pub(super) fn markdown(dom: &Dom, root: NodeId, base: Option<&Url>) -> Result<String, Unreadable> {
    let mut writer = HtmlWriter {
        dom,
        root,
        base,
        out: String::new(),
        line: String::new(),
        lists: Vec::new(),
        section: None,
        level: 1,
        cells: 0,
    };
    writer.children(root);
    writer.end_line();
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

struct HtmlWriter<'a> {
    dom: &'a Dom,
    root: NodeId,
    base: Option<&'a Url>,
    out: String,
    /// Escaped text of the block that is being read, its white space as it stands.
    line: String,
    /// The lists that are open: `true` until their item's first block was written.
    lists: Vec<bool>,
    /// `id` of the section whose heading has not been read yet.
    section: Option<String>,
    /// Level of the last heading.
    level: usize,
    cells: usize,
}

impl HtmlWriter<'_> {
    fn children(&mut self, id: NodeId) {
        let dom = self.dom;
        for child in dom.children(id) {
            if self.cells <= limits::MAX_CELLS && self.out.len() <= limits::MAX_MARKDOWN_BYTES {
                self.node(*child);
            }
        }
    }

    fn node(&mut self, id: NodeId) {
        let dom = self.dom;
        if let Some(NodeData::Text(text)) = dom.get(id).map(|node| &node.data) {
            self.line.push_str(&write::escape(text));
            return;
        }
        if skipped(dom, id, self.root) {
            return;
        }
        match dom.name(id) {
            "br" => self.line.push('\n'),
            "hr" => self.end_line(),
            "h1" => self.heading(id, 1),
            "h2" => self.heading(id, 2),
            "h3" => self.heading(id, 3),
            "h4" => self.heading(id, 4),
            "h5" => self.heading(id, 5),
            "h6" => self.heading(id, 6),
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
            "table" => self.table(id),
            "rp" | "rt" => {}
            "wbr" => self.line.push('\u{200b}'),
            "section" | "div" | "article" | "details" => {
                self.end_line();
                let own = dom.attribute(id, "id").map(str::to_owned);
                let before = self.section.clone();
                if own.is_some() {
                    self.section = own;
                }
                self.children(id);
                self.end_line();
                if before.is_none() {
                    self.section = None;
                }
            }
            name if is_block(name) => {
                self.end_line();
                self.children(id);
                self.end_line();
            }
            _ => self.children(id),
        }
    }

    fn open_item(&mut self) {
        if let Some(last) = self.lists.last_mut() {
            *last = true;
        }
    }

    /// Writes the gathered line: as an item if a list is open, else as a paragraph.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        self.section = None;
        let level = self.lists.len();
        match self.lists.last_mut() {
            None => write::block(&mut self.out, &write::line(&line)),
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
        let url = absolute(self.base, href).filter(|_| !href.starts_with('#'));
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

    /// The escaped text of an element on one line, its blocks parted by spaces.
    fn cell(&mut self, id: NodeId) -> String {
        let mut inner = HtmlWriter {
            dom: self.dom,
            root: self.root,
            base: self.base,
            out: String::new(),
            line: String::new(),
            lists: Vec::new(),
            section: None,
            level: 6,
            cells: self.cells,
        };
        inner.children(id);
        inner.end_line();
        self.cells = inner.cells;
        let lines: Vec<&str> = inner
            .out
            .lines()
            .map(str::trim_start)
            .map(|line| line.strip_prefix("- ").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .collect();
        write::flat(&lines.join("\n"))
    }

    fn table(&mut self, id: NodeId) {
        self.end_line();
        let dom = self.dom;
        let role = dom.attribute(id, "role").unwrap_or_default();
        let layout = matches!(role, "presentation" | "none")
            || dom
                .descendants(id)
                .skip(1)
                .any(|id| matches!(dom.name(id), "table" | "h1" | "h2" | "h3" | "pre"));
        if layout || !self.lists.is_empty() {
            self.children(id);
            self.end_line();
            return;
        }
        let mut rows: Vec<(bool, Vec<String>)> = Vec::new();
        // Cells of rows above with `rowspan`, by column: rows left, text.
        let mut spans: HashMap<usize, (usize, String)> = HashMap::new();
        let mut named_rows = true;
        for row in dom.descendants(id).filter(|id| dom.name(*id) == "tr") {
            if self.cells > limits::MAX_CELLS || skipped(dom, row, self.root) {
                continue;
            }
            let mut cells: Vec<String> = Vec::new();
            let mut heads = true;
            let mut below = Vec::new();
            let take_span = |cells: &mut Vec<String>, spans: &HashMap<usize, (usize, String)>| {
                while let Some((_, text)) = spans.get(&cells.len()) {
                    cells.push(text.clone());
                }
            };
            let mut kinds = Vec::new();
            for cell in dom.children(row) {
                let name = dom.name(*cell);
                if !matches!(name, "td" | "th") {
                    continue;
                }
                take_span(&mut cells, &spans);
                heads &= name == "th";
                kinds.push(name == "th");
                let text = self.cell(*cell);
                let number = |attribute, most| {
                    let value = dom
                        .attribute(*cell, attribute)
                        .and_then(|n| n.trim().parse::<usize>().ok());
                    value.unwrap_or(1).clamp(1, most)
                };
                // A long text that spans several cells is written in the first one only.
                let again = if text.len() <= 200 {
                    text.clone()
                } else {
                    String::new()
                };
                let (wide, high) = (number("colspan", 50), number("rowspan", 500));
                for at in 0..wide {
                    if high > 1 {
                        below.push((cells.len(), high, again.clone()));
                    }
                    cells.push(if at == 0 { text.clone() } else { again.clone() });
                }
                self.cells += wide;
            }
            take_span(&mut cells, &spans);
            named_rows &= kinds == [true, false];
            spans.retain(|_, (rows, _)| {
                *rows -= 1;
                *rows > 0
            });
            for (at, rows, text) in below {
                spans.insert(at, (rows - 1, text));
            }
            self.cells += cells.len();
            if cells.iter().any(|cell| !cell.is_empty()) {
                rows.push((heads, cells));
            }
        }
        if let Some(caption) = dom.descendants(id).find(|id| dom.name(*id) == "caption") {
            let caption = self.cell(caption);
            write::block(&mut self.out, &write::line(&caption));
        }
        self.section = None;
        if named_rows {
            for (_, cells) in &rows {
                write::item(&mut self.out, 0, &cells.join(": "));
            }
            write::blank_line(&mut self.out);
            return;
        }
        // Two rows of heads become one, column by column.
        let heads = rows.iter().take_while(|(heads, _)| *heads).count().min(2);
        let head = rows
            .drain(..heads)
            .fold(Vec::new(), |mut head: Vec<String>, (_, row)| {
                for (at, cell) in row.into_iter().enumerate() {
                    match head.get_mut(at) {
                        Some(above) if *above != cell => *above = format!("{above} {cell}"),
                        Some(_) => {}
                        None => head.push(cell),
                    }
                }
                head
            });
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, cells)| cells).collect();
        write::table(&mut self.out, &head, &rows);
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}
