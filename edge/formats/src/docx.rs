//! Word documents: headings by style, lists, tables, links.

use std::collections::HashMap;

use crate::{
    Document, File, Unreadable,
    html::language_tag,
    limits,
    unpack::Archive,
    write,
    xml::{self, XmlEvent, attribute},
};

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let mut archive = Archive::open(file.bytes)?;
    let main = archive
        .names()
        .find(|name| is_main(name))
        .map(str::to_owned);
    let main = main.unwrap_or_default();
    let Some(body) = archive.read(&main)? else {
        return Err(Unreadable::corrupt(
            "The Word document has no text part. Open it in Word, save it anew as .docx and give that.",
        ));
    };
    let mut part = |name: &str| -> Result<String, Unreadable> {
        Ok(archive
            .read(name)?
            .map(|bytes| xml::decode(&bytes, None))
            .unwrap_or_default())
    };
    let (folder, last) = main.rsplit_once('/').unwrap_or(("", &main));
    let links = links(&part(&format!("{folder}/_rels/{last}.rels"))?)?;
    let (styles, language) = styles(&part(&format!("{folder}/styles.xml"))?)?;
    let title = core_title(&part("docProps/core.xml")?)?;
    let mut writer = DocxWriter {
        styles,
        links,
        ..DocxWriter::default()
    };
    xml::read(&xml::decode(&body, None), |event| writer.event(&event))?;
    Ok(Document {
        title: if title.is_empty() {
            writer.title
        } else {
            title
        },
        language,
        body: writer.out,
        ..Document::default()
    })
}

/// Whether the entry is the text of a Word document.
pub(crate) fn is_main(name: &str) -> bool {
    name.strip_prefix("word/document")
        .is_some_and(|rest| rest.ends_with(".xml") && !rest.contains('/'))
}

fn links(text: &str) -> Result<HashMap<String, String>, Unreadable> {
    let mut links = HashMap::new();
    xml::read(text, |event| {
        if let XmlEvent::Start("Relationship", _, attributes) = event
            && let (Some(id), Some(target)) =
                (attribute(attributes, "Id"), attribute(attributes, "Target"))
        {
            links.insert(id.to_owned(), target.to_owned());
        }
        Ok(())
    })?;
    Ok(links)
}

/// Levels of headings by style, and the language of the text.
fn styles(text: &str) -> Result<(HashMap<String, usize>, String), Unreadable> {
    let mut levels: HashMap<String, usize> = HashMap::new();
    let mut language = String::new();
    let (mut id, mut defaults) = (String::new(), false);
    let mut based: Vec<(String, String)> = Vec::new();
    xml::read(text, |event| {
        let XmlEvent::Start(name, _, attributes) = event else {
            return Ok(());
        };
        let value = attribute(attributes, "val").unwrap_or_default();
        match name {
            "docDefaults" => defaults = true,
            "style" => {
                defaults = false;
                id = attribute(attributes, "styleId")
                    .unwrap_or_default()
                    .to_owned();
            }
            "lang" if defaults => language = language_tag(value),
            "basedOn" => based.push((id.clone(), value.to_owned())),
            // The names of Word's built-in styles are English in every language.
            "name" => {
                let name = value.to_lowercase();
                let level = match name.as_str() {
                    "title" => Some(1),
                    _ => name
                        .strip_prefix("heading ")
                        .and_then(|level| level.trim().parse().ok()),
                };
                levels.extend(level.map(|level| (id.clone(), level)));
            }
            "outlineLvl" => levels.extend(outline(value).map(|level| (id.clone(), level))),
            _ => {}
        }
        Ok(())
    })?;
    // A custom style has the level of the style that it is based on; a chain of them needs as many rounds.
    for _ in 0..4 {
        for (style, base) in &based {
            if let (None, Some(level)) = (levels.get(style), levels.get(base).copied()) {
                levels.insert(style.clone(), level);
            }
        }
    }
    Ok((levels, language))
}

fn outline(value: &str) -> Option<usize> {
    value
        .parse()
        .ok()
        .filter(|level: &usize| *level < 9)
        .map(|level| level + 1)
}

fn core_title(text: &str) -> Result<String, Unreadable> {
    let (mut title, mut within) = (String::new(), false);
    xml::read(text, |event| {
        match event {
            XmlEvent::Start("title", ..) => within = true,
            XmlEvent::End("title") => within = false,
            XmlEvent::Text(text) if within => title.push_str(text),
            _ => {}
        }
        Ok(())
    })?;
    Ok(write::flat(&title))
}

#[derive(Default)]
struct OpenParagraph {
    text: String,
    level: Option<usize>,
    item: Option<usize>,
    link: Option<(usize, String)>,
}

#[derive(Default)]
struct OpenTable {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: String,
    span: usize,
    merged: bool,
}

#[derive(Default)]
struct DocxWriter {
    styles: HashMap<String, usize>,
    links: HashMap<String, String>,
    out: String,
    title: String,
    /// Paragraphs that are open: a text box is one within another.
    paragraphs: Vec<OpenParagraph>,
    tables: Vec<OpenTable>,
    cells: usize,
    /// Depth within an element that is skipped.
    skipping: usize,
    in_text: bool,
    was_item: bool,
}

impl DocxWriter {
    fn event(&mut self, event: &XmlEvent<'_>) -> Result<(), Unreadable> {
        match event {
            XmlEvent::Start(name, _, attributes) => self.start(name, attributes),
            XmlEvent::End(name) => self.end(name),
            XmlEvent::Text(text) => {
                if self.in_text
                    && self.skipping == 0
                    && let Some(paragraph) = self.paragraphs.last_mut()
                {
                    paragraph.text.push_str(&write::escape(text));
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

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        if self.skipping > 0
            || matches!(
                name,
                "del" | "moveFrom" | "Fallback" | "instrText" | "pPrChange"
            )
        {
            self.skipping += 1;
            return;
        }
        let value = attribute(attributes, "val").unwrap_or_default();
        match name {
            "p" => self.paragraphs.push(OpenParagraph::default()),
            "tbl" => self.tables.push(OpenTable::default()),
            "gridSpan" => {
                if let Some(table) = self.tables.last_mut() {
                    table.span = value.parse().unwrap_or(1).clamp(1, 50);
                }
            }
            "vMerge" => {
                if let Some(table) = self.tables.last_mut() {
                    table.merged = value != "restart";
                }
            }
            _ => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    match name {
                        "pStyle" => paragraph.level = self.styles.get(value).copied(),
                        "outlineLvl" => paragraph.level = outline(value),
                        "ilvl" => paragraph.item = value.parse().ok(),
                        "numId" if value == "0" => paragraph.item = None,
                        "numId" => {
                            paragraph.item.get_or_insert(0);
                        }
                        "t" => self.in_text = true,
                        "tab" | "ptab" => paragraph.text.push(' '),
                        "br" | "cr" => paragraph.text.push('\n'),
                        "noBreakHyphen" => paragraph.text.push('-'),
                        "hyperlink" => {
                            let id = attribute(attributes, "id").unwrap_or_default();
                            let target = self.links.get(id).cloned();
                            paragraph.link = target.map(|target| (paragraph.text.len(), target));
                        }
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
        match name {
            "t" => self.in_text = false,
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
                    self.paragraph(&paragraph);
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    let mut text = write::flat(&std::mem::take(&mut table.cell));
                    if std::mem::take(&mut table.merged) && text.is_empty() {
                        let above = table.rows.last().and_then(|row| row.get(table.row.len()));
                        text = above
                            .filter(|above| above.len() <= 200)
                            .cloned()
                            .unwrap_or_default();
                    }
                    let span = std::mem::take(&mut table.span).max(1);
                    self.cells += span;
                    table.row.push(text);
                    table
                        .row
                        .extend(std::iter::repeat_n(String::new(), span - 1));
                }
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    let row = std::mem::take(&mut table.row);
                    table.rows.push(row);
                }
            }
            "tbl" => {
                if let Some(mut table) = self.tables.pop() {
                    if let Some(outer) = self.tables.last_mut() {
                        for row in table.rows {
                            outer.cell.push('\n');
                            outer.cell.push_str(&row.join(", "));
                        }
                        return;
                    }
                    table
                        .rows
                        .retain(|row| row.iter().any(|cell| !cell.is_empty()));
                    if table.rows.len() > 1 {
                        let head = table.rows.remove(0);
                        write::table(&mut self.out, &head, &table.rows);
                    } else {
                        write::table(&mut self.out, &[], &table.rows);
                    }
                }
            }
            _ => {}
        }
    }

    fn paragraph(&mut self, paragraph: &OpenParagraph) {
        if paragraph.text.trim().is_empty() {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            table.cell.push('\n');
            table.cell.push_str(&paragraph.text);
            return;
        }
        if std::mem::take(&mut self.was_item) && paragraph.item.is_none() {
            write::blank_line(&mut self.out);
        }
        match (paragraph.level, paragraph.item) {
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
            (None, None) => write::block(&mut self.out, &write::line(&paragraph.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../tests/samples/letter.docx");

    fn file(bytes: &[u8]) -> File<'_> {
        File {
            name: "letter.docx",
            content_type: None,
            url: "",
            bytes,
        }
    }

    #[test]
    fn headings_lists_tables_and_links() {
        let document = read(&file(SAMPLE)).unwrap();
        assert_eq!(
            (document.title.as_str(), document.language.as_str()),
            ("Règlement de la boulangerie", "fr-FR")
        );
        insta::assert_snapshot!(document.body);
    }

    proptest::proptest! {
        #[test]
        fn a_broken_file_does_not_panic(at in 0..SAMPLE.len(), byte: u8, cut in 0..SAMPLE.len() * 4) {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = read(&file(&bytes));
        }

        #[test]
        fn a_broken_text_does_not_panic(text in "(</?w:(p|r|t|tbl|tr|tc|del|hyperlink)( w:val=\"[0-9a-z]{0,3}\")?/?>|<w:(ilvl|gridSpan|vMerge|pStyle) w:val=\"[0-9a-z]{0,4}\"/>|\\PC{0,3}|&[a-z#0-9]{0,4};){0,60}") {
            let mut writer = DocxWriter::default();
            let _ = xml::read(&text, |event| writer.event(&event));
        }
    }
}
