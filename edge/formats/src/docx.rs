//! Word documents: headings by style, lists, tables, links, notes. Hidden text (`w:vanish`, on a run or by its style) is not
//! read. Superscripts and subscripts are kept, also those of formulas.

mod math;
mod styles;
mod symbols;
mod writer;

use std::collections::HashMap;

use crate::{
    Document, File, Unreadable,
    unpack::Archive,
    write,
    xml::{self, XmlEvent, attribute},
};
use styles::Styles;
use writer::DocxWriter;

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
    let title = core_title(&part("docProps/core.xml")?)?;
    let mut writer = DocxWriter::default();
    writer.styles = Styles::read(&part(&format!("{folder}/styles.xml"))?)?;
    for notes in ["footnotes", "endnotes"] {
        writer.links = links(&part(&format!("{folder}/_rels/{notes}.xml.rels"))?)?;
        let text = part(&format!("{folder}/{notes}.xml"))?;
        xml::read(&text, |event| writer.event(&event))?;
    }
    writer.out.clear();
    writer.title.clear();
    writer.links = links(&part(&format!("{folder}/_rels/{last}.rels"))?)?;
    xml::read(&xml::decode(&body, None), |event| writer.event(&event))?;
    Ok(Document {
        title: if title.is_empty() {
            writer.title
        } else {
            title
        },
        language: writer.styles.language,
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

    /// The Markdown of the text of a document.
    fn told(body: &str) -> String {
        let mut writer = DocxWriter::default();
        xml::read(body, |event| writer.event(&event)).unwrap();
        writer.out.trim_end().to_owned()
    }

    #[test]
    fn formulas_and_symbols_are_read() {
        let run = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
        let (ten, six) = (run("10"), run("6"));
        for (inside, expected) in [
            (
                format!("<m:oMath><m:sSup><m:e>{ten}</m:e><m:sup>{six}</m:sup></m:sSup></m:oMath>"),
                "10⁶",
            ),
            (
                format!(
                    "<m:sSub><m:e>{}</m:e><m:sub>{six}</m:sub></m:sSub>",
                    run("x")
                ),
                "x₆",
            ),
            (
                format!("<m:f><m:num>{six}</m:num><m:den>{ten}</m:den></m:f>"),
                "6/10",
            ),
            (
                format!(
                    "<m:f><m:num>{}</m:num><m:den>{ten}</m:den></m:f>",
                    run("a+b")
                ),
                "(a+b)/10",
            ),
            (format!("<m:rad><m:deg/><m:e>{ten}</m:e></m:rad>"), "√10"),
            (format!("<m:d><m:e>{ten}</m:e></m:d>"), "(10)"),
            (
                "<w:r><w:sym w:font=\"Wingdings\" w:char=\"F0FC\"/></w:r>".to_owned(),
                "✓",
            ),
            (
                "<w:r><w:sym w:font=\"Webdings\" w:char=\"F0FC\"/><w:t>x</w:t></w:r>".to_owned(),
                "x",
            ),
        ] {
            assert_eq!(told(&format!("<w:p>{inside}</w:p>")), expected, "{inside}");
        }
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
