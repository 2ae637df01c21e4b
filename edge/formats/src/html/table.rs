//! Tables of a page: `table`, and elements with the roles of one.

use std::collections::HashMap;

use super::{
    body::HtmlWriter,
    dom::{Dom, NodeId},
};
use crate::{grid, limits, write};

/// Longest text of a cell that is written again for each column or row that it spans, in bytes.
const MAX_REPEATED: usize = 200;

/// Names (`class`) of elements that a style sheet makes the rows and cells of a table.
const ROWS: &[&str] = &[
    "tr",
    "table-row",
    "divtablerow",
    "rtablerow",
    "table__row",
    "tablerow",
];
const HEADS: &[&str] = &[
    "th",
    "table-head",
    "table-header",
    "divtablehead",
    "rtablehead",
    "table__head",
    "tablehead",
];
const CELLS: &[&str] = &[
    "td",
    "table-cell",
    "divtablecell",
    "rtablecell",
    "table__cell",
    "tablecell",
];

fn is_called(dom: &Dom, id: NodeId, names: &[&str]) -> bool {
    let class = dom.attribute(id, "class").unwrap_or_default();
    let mut words = class.split_ascii_whitespace();
    words.any(|word| names.contains(&word.to_ascii_lowercase().as_str()))
}

/// Whether the style of an element displays it so: `table-row`.
fn is_displayed(dom: &Dom, id: NodeId, display: &str) -> bool {
    let style = dom.attribute(id, "style").unwrap_or_default();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let mut declarations = style.split(';');
    declarations.any(|it| it.strip_prefix("display:") == Some(display))
}

fn is_row(dom: &Dom, id: NodeId) -> bool {
    dom.name(id) == "tr"
        || dom.attribute(id, "role") == Some("row")
        || is_displayed(dom, id, "table-row")
        || is_called(dom, id, ROWS)
}

/// Whether the element is a cell, and whether it is a heading of its row or column.
fn cell_kind(dom: &Dom, id: NodeId) -> Option<bool> {
    match (dom.name(id), dom.attribute(id, "role")) {
        (_, Some("columnheader" | "rowheader")) | ("th", _) => Some(true),
        (_, Some("cell" | "gridcell")) | ("td", _) => Some(false),
        ("div" | "span" | "p" | "li", _) if is_called(dom, id, HEADS) => Some(true),
        ("div" | "span" | "p" | "li", _)
            if is_displayed(dom, id, "table-cell") || is_called(dom, id, CELLS) =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// Whether the element holds the rows of a table that a style sheet makes.
fn is_body(dom: &Dom, id: NodeId) -> bool {
    is_displayed(dom, id, "table-row-group")
        || is_called(
            dom,
            id,
            &["tbody", "thead", "divtablebody", "divtableheading"],
        )
}

/// A row that was read.
struct Row {
    cells: Vec<String>,
    /// Whether all its cells are headings.
    heads: bool,
    /// Whether all its texts are bold.
    bold: bool,
}

impl HtmlWriter<'_> {
    /// Whether the element is a table.
    pub(super) fn is_table(&self, id: NodeId) -> bool {
        let dom = self.dom;
        let role = dom.attribute(id, "role");
        let rows = || dom.descendants(id).skip(1).filter(|id| is_row(dom, *id));
        if dom.name(id) == "table"
            || (matches!(role, Some("table" | "grid")) && rows().next().is_some())
        {
            return true;
        }
        // An element that only a style makes a table.
        let has_cells = |row: NodeId| {
            let cells = dom
                .children(row)
                .iter()
                .filter(|id| cell_kind(dom, **id).is_some());
            cells.count() > 1
        };
        matches!(dom.name(id), "div" | "section" | "ul")
            && dom
                .children(id)
                .iter()
                .any(|id| is_row(dom, *id) || is_body(dom, *id))
            && rows().any(has_cells)
    }

    /// Writes a table.
    pub(super) fn table(&mut self, id: NodeId) {
        self.end_line();
        let dom = self.dom;
        if is_layout(dom, id) {
            self.children(id);
            self.end_line();
            return;
        }
        let (mut rows, named_rows) = self.rows(id);
        // What stands within a list is written as if it stood behind.
        let lists = std::mem::take(&mut self.lists);
        write::blank_line(&mut self.out);
        if let Some(caption) = dom.descendants(id).find(|id| dom.name(*id) == "caption") {
            let caption = self.cell(caption);
            write::block(&mut self.out, &write::line(&caption));
        }
        self.section = None;
        let cells = |rows: Vec<Row>| rows.into_iter().map(|row| row.cells).collect::<Vec<_>>();
        // Two rows of heads become one, column by column.
        let heads = rows.iter().take_while(|row| row.heads).count().min(2);
        let bold = rows.len() > 1 && rows.first().is_some_and(|row| row.bold);
        if named_rows {
            grid::table(&mut self.out, &[], &cells(rows));
        } else if heads > 0 || (bold && rows.iter().skip(1).any(|row| !row.bold)) {
            let below = rows.split_off(heads.max(1));
            let head = grid::heads(cells(rows));
            grid::table(&mut self.out, &head, &cells(below));
        } else {
            grid::guessed(&mut self.out, &cells(rows));
        }
        self.lists = lists;
    }

    /// The rows, and whether each is a name with a value.
    fn rows(&mut self, id: NodeId) -> (Vec<Row>, bool) {
        let dom = self.dom;
        let mut rows: Vec<Row> = Vec::new();
        // Cells of rows above with `rowspan`, by column: rows left, text.
        let mut spans: HashMap<usize, (usize, String)> = HashMap::new();
        let mut named_rows = true;
        for row in dom.descendants(id).filter(|id| is_row(dom, *id)) {
            if self.cells > limits::MAX_CELLS || self.skips(row) {
                continue;
            }
            let mut cells: Vec<String> = Vec::new();
            let (mut heads, mut bold) = (true, true);
            let mut below = Vec::new();
            let take_span = |cells: &mut Vec<String>, spans: &HashMap<usize, (usize, String)>| {
                while let Some((_, text)) = spans.get(&cells.len()) {
                    cells.push(text.clone());
                }
            };
            let mut kinds = Vec::new();
            for cell in dom.children(row) {
                let Some(is_head) = cell_kind(dom, *cell) else {
                    continue;
                };
                take_span(&mut cells, &spans);
                heads &= is_head;
                kinds.push(is_head);
                let text = self.cell(*cell);
                bold &= text.is_empty() || is_bold(dom, *cell);
                let number = |attribute, most| {
                    let value = dom
                        .attribute(*cell, attribute)
                        .and_then(|n| n.trim().parse::<usize>().ok());
                    value.unwrap_or(1).clamp(1, most)
                };
                // A long text that spans several cells is written in the first one only.
                let again = if text.len() <= MAX_REPEATED {
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
                rows.push(Row { cells, heads, bold });
            }
        }
        (rows, named_rows)
    }
}

/// Whether a table only places what is in it.
fn is_layout(dom: &Dom, id: NodeId) -> bool {
    let role = dom.attribute(id, "role").unwrap_or_default();
    let in_head = |id: NodeId| {
        dom.ancestors(id)
            .take(4)
            .any(|id| cell_kind(dom, id) == Some(true))
    };
    matches!(role, "presentation" | "none")
        || dom.descendants(id).skip(1).any(|id| match dom.name(id) {
            "table" | "pre" => true,
            "h1" | "h2" | "h3" => !in_head(id),
            _ => false,
        })
}

fn is_bold(dom: &Dom, cell: NodeId) -> bool {
    let bold = dom
        .descendants(cell)
        .find(|id| matches!(dom.name(*id), "b" | "strong"));
    bold.is_some_and(|bold| dom.text(bold).trim() == dom.text(cell).trim())
}
