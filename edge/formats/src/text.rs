//! Plain text: paragraphs, lists, tables, and headings where they are certain.

use crate::{Document, File, charset, grid, write};

/// The document; its title is its first heading, else empty.
pub(crate) fn read(file: &File<'_>) -> Document {
    from_text(&charset::decode(file.bytes, file.content_type))
}

/// The same of text.
pub(crate) fn from_text(text: &str) -> Document {
    let mut out = TextWriter::default();
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let above = at == 0 || lines.get(at - 1).is_some_and(|line| line.trim().is_empty());
        let trimmed = line.trim();
        let next = lines.get(at + 1).copied().unwrap_or_default().trim();
        if let Some(rows) = rows(lines.get(at..).unwrap_or_default()) {
            at += rows.len();
            out.table(&rows);
            continue;
        }
        at += 1;
        if trimmed.is_empty() {
            out.end_paragraph();
        } else if above && underlines(next, trimmed) {
            out.heading(if next.starts_with('=') { 1 } else { 2 }, trimmed);
            at += 1;
        } else if above && next.is_empty() && shouts(trimmed) {
            out.heading(2, trimmed);
        } else if is_rule(trimmed) {
            out.end_paragraph();
        } else if let Some(item) = item(trimmed) {
            out.item(item);
        } else {
            out.line(line);
        }
    }
    out.end_paragraph();
    Document {
        title: out.title.unwrap_or_default(),
        body: out.body,
        ..Document::default()
    }
}

#[derive(Default)]
struct TextWriter {
    body: String,
    paragraph: String,
    in_item: bool,
    title: Option<String>,
}

impl TextWriter {
    fn line(&mut self, line: &str) {
        if !self.paragraph.is_empty() {
            self.paragraph.push('\n');
        }
        self.paragraph.push_str(line);
    }

    fn item(&mut self, text: &str) {
        if self.in_item {
            self.end_block("\n");
        } else {
            self.end_paragraph();
        }
        self.in_item = true;
        self.paragraph.push_str(text);
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.end_paragraph();
        self.title.get_or_insert_with(|| write::flat(text));
        self.body.push_str(&"#".repeat(level));
        self.body.push(' ');
        self.body.push_str(&write::inline(text));
        self.body.push_str("\n\n");
    }

    fn table(&mut self, rows: &[Vec<String>]) {
        self.end_paragraph();
        grid::guessed(&mut self.body, rows);
    }

    fn end_paragraph(&mut self) {
        self.end_block("\n\n");
        self.in_item = false;
    }

    fn end_block(&mut self, end: &str) {
        let text = write::inline(&std::mem::take(&mut self.paragraph));
        if !text.is_empty() {
            if self.in_item {
                self.body.push_str("- ");
            }
            self.body.push_str(&text);
            self.body.push_str(end);
        }
    }
}

/// The rows of a table at the beginning of lines: two or more lines with as many cells, which tabs or at least two spaces part.
fn rows(lines: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in lines {
        let cells = cells(line);
        let wide = rows.first().map_or(cells.len(), Vec::len);
        if cells.len() < 2 || cells.len() != wide {
            break;
        }
        rows.push(cells);
    }
    // Two columns may be a text that a program has justified.
    let least = if rows.first()?.len() > 2 { 2 } else { 3 };
    (rows.len() >= least).then_some(rows)
}

/// The escaped cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    let trimmed = line.trim();
    if item(trimmed).is_some() {
        return Vec::new();
    }
    let text = trimmed.replace('\t', "  ");
    let parts = text.split("  ").map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(write::escape)
        .collect()
}

/// A line of `====` or `----` of about the length of the line above.
fn underlines(line: &str, title: &str) -> bool {
    let (length, wide) = (line.chars().count(), title.chars().count());
    length >= 3
        && wide <= 100
        && (length.abs_diff(wide) <= 3 || length.abs_diff(2 * wide) <= 4)
        && ["=", "-", "~"]
            .iter()
            .any(|mark| line.trim_start_matches(*mark).is_empty())
        && title.chars().any(char::is_alphanumeric)
}

/// A line alone, short, in capitals, without the end of a sentence.
fn shouts(line: &str) -> bool {
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    line.chars().count() <= 60
        && letters >= 4
        && letters * 2 > line.chars().count()
        && line.chars().all(|c| !c.is_alphabetic() || c.is_uppercase())
        && !line.ends_with(['.', '!', ',', ';'])
}

fn is_rule(line: &str) -> bool {
    line.chars().count() >= 3
        && line
            .chars()
            .all(|c| matches!(c, '-' | '=' | '_' | '*' | '~' | '#'))
}

/// The text of an item.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '•', '‣', '◦', '–', '·', '▪'])?;
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_spaces_part_are_a_table() {
        for (text, told) in [
            (
                "Prices\n\nItem        Half day   Day\nCity bike   €14        €22\nE-bike      €29        €45\n\nBring:\n* Water\n",
                "Prices\n\n| Item | Half day | Day |\n|---|---|---|\n| City bike | €14 | €22 |\n| E-bike | €29 | €45 |\n\nBring:\n\n- Water\n",
            ),
            (
                "Monday\t9–12\nTuesday\t14–18\nSunday\tclosed\n",
                "- Monday: 9–12\n- Tuesday: 14–18\n- Sunday: closed\n",
            ),
            (
                "We are  open and\nglad  to see you.\n",
                "We are open and glad to see you.\n",
            ),
        ] {
            assert_eq!(from_text(text).body.trim_end(), told.trim_end());
        }
    }

    #[test]
    fn paragraphs_lists_and_sure_headings() {
        let document = from_text(
            "Horaires du four\n================\n\nOuvert de 7 h\nà 19 h.\n\nPRIX\n\n- pain : 2 €\n  et demi\n- *tarte*\n\n\
             BONJOUR À TOUS.\n\nEnfin\n-----\n# pas un titre\n\n---\n日本語の\n文章。\n\nمرحبا بكم\nفي المخبز\n",
        );
        assert_eq!(document.title, "Horaires du four");
        insta::assert_snapshot!(document.body);
    }
}
