//! The text of a Word document, written as Markdown.

use std::collections::HashMap;

use super::{
    math::Math,
    styles::{Raised, Style, Styles, either, is_on, outline},
    symbols,
};
use crate::{
    Unreadable, grid, limits, raised,
    struck::needs_space,
    write,
    xml::{XmlEvent, attribute},
};

/// Elements that are not read: what was deleted or moved away, the older form of a drawing, the instructions of fields, and
/// what formats were before they were changed.
const SKIPPED: &[&str] = &[
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "pPrChange",
    "rPrChange",
    "tblPrChange",
    "trPrChange",
    "tcPrChange",
    "sectPrChange",
    "numberingChange",
];

/// Longest text of a cell that is written again for each cell that it spans, in bytes.
const MAX_REPEATED: usize = 200;

#[derive(Default)]
struct OpenParagraph {
    text: String,
    style: Style,
    level: Option<usize>,
    item: Option<Option<usize>>,
    link: Option<(usize, String)>,
    run: Option<OpenRun>,
    notes: Vec<String>,
    /// Whether a struck-out text was left out behind the text.
    gap: bool,
    /// Whether every run with text is bold.
    light: bool,
}

/// Text of one format.
#[derive(Default)]
struct OpenRun {
    text: String,
    style: Style,
    hidden: Option<bool>,
    struck: Option<bool>,
    raised: Option<Raised>,
    bold: bool,
}

#[derive(Default)]
struct OpenTable {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: String,
    span: usize,
    merged: bool,
    /// Whether all texts of the row are bold, and whether they are in the first one.
    row_light: bool,
    first_bold: bool,
    /// Rows at the top that say that they are the head.
    heads: usize,
    row_heads: bool,
    /// Whether the row is hidden or was deleted.
    row_dropped: bool,
    notes: Vec<String>,
}

/// Writes the events of a part.
#[derive(Default)]
pub(super) struct DocxWriter {
    pub(super) styles: Styles,
    pub(super) links: HashMap<String, String>,
    /// Foot and end notes: `footnote 2`.
    pub(super) notes: HashMap<String, String>,
    pub(super) out: String,
    pub(super) title: String,
    /// Paragraphs that are open: a text box is one within another.
    paragraphs: Vec<OpenParagraph>,
    tables: Vec<OpenTable>,
    cells: usize,
    /// Depth within an element that is skipped.
    skipping: usize,
    math: Math,
    in_text: bool,
    in_row_format: bool,
    /// Whether the field that is open shows what to write into it.
    placeholder: bool,
    was_item: bool,
    note: String,
}

impl DocxWriter {
    /// Takes the next event.
    pub(super) fn event(&mut self, event: &XmlEvent<'_>) -> Result<(), Unreadable> {
        match event {
            XmlEvent::Start(name, prefix, attributes) => {
                if *prefix == "m"
                    && self.skipping == 0
                    && let Some(paragraph) = self.paragraphs.last_mut()
                {
                    self.math.start(name, attributes, &mut paragraph.text);
                }
                self.start(name, attributes);
            }
            XmlEvent::End(name) => self.end(name),
            XmlEvent::Text(text) => {
                if self.in_text && self.skipping == 0 {
                    self.push(&write::escape(text));
                }
            }
        }
        if self.cells > limits::MAX_CELLS || self.out.len() > limits::MAX_MARKDOWN_BYTES {
            return Err(Unreadable::too_large(
                "The document holds more than may be read. Divide it into several.",
            ));
        }
        Ok(())
    }

    fn push(&mut self, escaped: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            match &mut paragraph.run {
                Some(run) => run.text.push_str(escaped),
                None => paragraph.text.push_str(escaped),
            }
        }
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        let value = attribute(attributes, "val").unwrap_or_default();
        if self.in_row_format
            && self.skipping == 0
            && (name == "del" || (name == "hidden" && is_on(value)))
            && let Some(table) = self.tables.last_mut()
        {
            table.row_dropped = true;
        }
        let fills = name == "sdtContent" && std::mem::take(&mut self.placeholder);
        if self.skipping > 0 || SKIPPED.contains(&name) || fills {
            self.skipping += 1;
            return;
        }
        match name {
            "p" => self.paragraphs.push(OpenParagraph {
                style: self.styles.get(&self.styles.usual),
                ..OpenParagraph::default()
            }),
            "tbl" => self.tables.push(OpenTable::default()),
            "trPr" => self.in_row_format = true,
            "showingPlcHdr" => self.placeholder = is_on(value),
            "sdt" => self.placeholder = false,
            "footnote" | "endnote" => {
                let id = attribute(attributes, "id").unwrap_or_default();
                self.note = format!("{name} {id}");
            }
            "gridSpan" | "vMerge" | "gridBefore" | "tblHeader" => self.format_table(name, value),
            _ => self.format_text(name, value, attributes),
        }
    }

    fn format_table(&mut self, name: &str, value: &str) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let count = value.parse::<usize>().unwrap_or(1).clamp(1, 50);
        match name {
            "gridSpan" => table.span = count,
            "vMerge" => table.merged = value != "restart",
            "gridBefore" => table.row.extend(std::iter::repeat_n(String::new(), count)),
            _ => table.row_heads = is_on(value),
        }
    }

    fn format_text(&mut self, name: &str, value: &str, attributes: &[(String, String)]) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        match name {
            "r" => paragraph.run = Some(OpenRun::default()),
            "pStyle" => paragraph.style = self.styles.get(value),
            "outlineLvl" => paragraph.level = outline(value),
            "ilvl" => paragraph.item = Some(value.parse().ok()),
            "numId" if value == "0" => paragraph.item = Some(None),
            "numId" => {
                paragraph.item.get_or_insert(Some(0));
            }
            "t" => self.in_text = true,
            "tab" | "ptab" if paragraph.run.is_some() => self.push(" "),
            "br" | "cr" => self.push(&write::BREAK.to_string()),
            "noBreakHyphen" => self.push("-"),
            "sym" => {
                let of = |name| attribute(attributes, name).unwrap_or_default();
                let symbol = symbols::character(of("font"), of("char"));
                self.push(&symbol.map(String::from).unwrap_or_default());
            }
            "hyperlink" => {
                let id = attribute(attributes, "id").unwrap_or_default();
                let target = self.links.get(id).cloned();
                paragraph.link = target.map(|target| (paragraph.text.len(), target));
            }
            "footnoteReference" | "endnoteReference" => {
                let id = attribute(attributes, "id").unwrap_or_default();
                let name = name.strip_suffix("Reference").unwrap_or_default();
                let note = self.notes.get(&format!("{name} {id}")).cloned();
                paragraph.notes.extend(note);
            }
            // The format of the mark that ends the paragraph is not that of its text.
            _ => {
                if let Some(run) = &mut paragraph.run {
                    match name {
                        "rStyle" => run.style = self.styles.get(value),
                        "vanish" => run.hidden = Some(is_on(value)),
                        "strike" | "dstrike" => either(&mut run.struck, is_on(value)),
                        "vertAlign" => run.raised = Some(Raised::of(value)),
                        // So LibreOffice writes it.
                        "position" => match value.parse::<i32>().unwrap_or(0) {
                            4.. => run.raised = Some(Raised::Up),
                            ..-2 => run.raised = Some(Raised::Down),
                            _ => {}
                        },
                        "b" => run.bold = is_on(value),
                        _ => {}
                    }
                }
            }
        }
    }

    fn end(&mut self, name: &str) {
        if self.skipping > 0 {
            self.skipping -= 1;
            return;
        }
        if let Some(paragraph) = self.paragraphs.last_mut() {
            self.math.end(name, &mut paragraph.text);
        }
        match name {
            "t" => self.in_text = false,
            "trPr" => self.in_row_format = false,
            "r" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.end_run();
                }
            }
            "hyperlink" => {
                if let Some(paragraph) = self.paragraphs.last_mut()
                    && let Some((from, target)) = paragraph.link.take()
                    && from <= paragraph.text.len()
                {
                    let text = paragraph.text.split_off(from);
                    paragraph.text.push_str(&write::link(&text, &target));
                }
            }
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.paragraph(paragraph);
                }
            }
            "footnote" | "endnote" => {
                let text = std::mem::take(&mut self.out);
                self.notes.insert(std::mem::take(&mut self.note), text);
            }
            "tc" => self.end_cell(),
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.end_row();
                }
            }
            "tbl" => self.end_table(),
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let mut text = std::mem::take(&mut table.cell);
        if std::mem::take(&mut table.merged) && text.trim().is_empty() {
            let above = table.rows.last().and_then(|row| row.get(table.row.len()));
            text = above
                .filter(|above| above.len() <= MAX_REPEATED)
                .cloned()
                .unwrap_or_default();
        }
        let text = text.trim().to_owned();
        let span = std::mem::take(&mut table.span).max(1);
        self.cells += span;
        let again = if text.len() <= MAX_REPEATED {
            text.clone()
        } else {
            String::new()
        };
        table.row.push(text);
        table.row.extend(std::iter::repeat_n(again, span - 1));
    }

    fn end_table(&mut self) {
        let Some(mut table) = self.tables.pop() else {
            return;
        };
        if let Some(outer) = self.tables.last_mut() {
            for row in table.rows {
                outer.cell.push(write::BREAK);
                outer.cell.push_str(&row.join(", "));
            }
            return;
        }
        if std::mem::take(&mut self.was_item) {
            write::blank_line(&mut self.out);
        }
        let bold = table.first_bold && table.rows.len() > 1;
        let heads = table.heads.max(usize::from(bold));
        if heads > 0 && heads < table.rows.len() {
            let below = table.rows.split_off(heads);
            grid::table(&mut self.out, &grid::heads(table.rows), &below);
        } else {
            grid::guessed(&mut self.out, &table.rows);
        }
        for note in table.notes {
            write::block(&mut self.out, &note);
        }
    }

    fn paragraph(&mut self, mut paragraph: OpenParagraph) {
        paragraph.end_run();
        if paragraph.text.trim().is_empty() || paragraph.style.contents {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            table.cell.push(write::BREAK);
            table.cell.push_str(&paragraph.text);
            table.row_light |= paragraph.light;
            table.notes.extend(paragraph.notes);
            return;
        }
        let level = paragraph.level.or(paragraph.style.level);
        let item = paragraph.item.or(paragraph.style.item).flatten();
        if std::mem::take(&mut self.was_item) && item.is_none() {
            write::blank_line(&mut self.out);
        }
        match (level, item) {
            (Some(level), _) => {
                if self.title.is_empty() {
                    self.title = write::flat(&paragraph.text).replace('\\', "");
                }
                write::heading(&mut self.out, level, &paragraph.text, None);
            }
            (None, Some(level)) => {
                write::item(&mut self.out, level.min(8), &paragraph.text);
                self.was_item = true;
            }
            (None, None) => {
                for part in write::paragraphs(&paragraph.text) {
                    write::block(&mut self.out, &write::line(&part));
                }
            }
        }
        for note in paragraph.notes {
            write::block(&mut self.out, &note);
        }
    }
}

impl OpenParagraph {
    /// Adds the text of the run that is open, if it is shown and not struck out. What a style of paragraphs and one of
    /// characters both hide or strike out is shown: so Word has it.
    fn end_run(&mut self) {
        let Some(run) = self.run.take() else {
            return;
        };
        let by_style = |paragraph: Option<bool>, characters: Option<bool>| {
            paragraph.unwrap_or(false) != characters.unwrap_or(false)
        };
        let hidden = by_style(self.style.hidden, run.style.hidden);
        let struck = by_style(self.style.struck, run.style.struck);
        if run.hidden.unwrap_or(hidden) {
            return;
        }
        if run.struck.unwrap_or(struck) {
            self.gap = true;
            return;
        }
        self.light |= !run.bold && !run.text.trim().is_empty();
        let place = run.raised.or(run.style.raised).or(self.style.raised);
        let text = match place {
            Some(Raised::Up) => raised::superscript(&self.text, &run.text),
            Some(Raised::Down) => raised::subscript(&run.text),
            _ => run.text,
        };
        if !text.is_empty()
            && std::mem::take(&mut self.gap)
            && needs_space(self.text.chars().next_back(), text.chars().next())
        {
            self.text.push(' ');
        }
        self.text.push_str(&text);
    }
}

impl OpenTable {
    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let heads = std::mem::take(&mut self.row_heads);
        let light = std::mem::take(&mut self.row_light);
        let dropped = std::mem::take(&mut self.row_dropped);
        if dropped || row.iter().all(String::is_empty) {
            return;
        }
        if self.rows.is_empty() {
            self.first_bold = !light;
        } else if !light {
            // Where the row below is bold, too, that tells nothing.
            self.first_bold &= self.rows.len() > 1;
        }
        if heads && self.heads == self.rows.len() {
            self.heads += 1;
        }
        self.rows.push(row);
    }
}
