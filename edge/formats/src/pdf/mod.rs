//! PDF: text in reading order, with a mark where each page begins.

mod cmap;
mod content;
mod crypt;
mod file;
mod filter;
mod font;
mod layout;
mod lex;
mod line;
mod matrix;
mod names;
mod object;
mod parse;
mod pieces;
mod shapes;
mod sort;
mod table;
mod widths;
mod xref;

use crate::{Document, File, Unreadable, html::language_tag, limits, write};
use content::ContentReader;
use file::Pdf;
use object::Object;

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let pdf = Pdf::open(file.bytes)?;
    let pages = pdf.pages();
    if pages.len() > limits::MAX_PAGES {
        return Err(Unreadable::too_large(format!(
            "The PDF has more than {} pages. Divide it into several files.",
            limits::MAX_PAGES
        )));
    }
    if pages.is_empty() {
        return Err(broken());
    }
    let mut drawing = ContentReader::new(&pdf);
    let mut lines = Vec::with_capacity(pages.len());
    for page in pages {
        lines.push(line::lines(drawing.page(page)?));
        pdf.check()?;
    }
    if drawing.unknown > drawing.known {
        return Err(Unreadable::no_text(
            "The fonts of the PDF do not say which letters they draw, so its text cannot be read. Export it anew from \
             the program that made it, or run text recognition (OCR) over it.",
        ));
    }
    let (body, heading) = layout::markdown(lines);
    if body.trim().is_empty() {
        return Err(Unreadable::no_text(
            "The pages of the PDF are pictures without text, as scanners make them. Run text recognition (OCR) over \
             it and give the result.",
        ));
    }
    let title = title(&pdf).unwrap_or(heading);
    let language = pdf
        .catalog()
        .and_then(|catalog| pdf.entry(catalog, b"Lang")?.as_text());
    Ok(Document {
        title,
        language: language.map(|tag| language_tag(&tag)).unwrap_or_default(),
        body,
        ..Document::default()
    })
}

/// The title that its maker gave, unless it is a file's name.
fn title(pdf: &Pdf<'_>) -> Option<String> {
    let info = pdf.entry(&pdf.trailer, b"Info")?.as_dictionary()?;
    let title = pdf.entry(info, b"Title").and_then(Object::as_text)?;
    let title = write::flat(&title);
    let lower = title.to_lowercase();
    let name = lower.is_empty()
        || lower.starts_with("microsoft word")
        || lower.starts_with("untitled")
        || lower.starts_with("about:blank")
        || [
            ".doc", ".docx", ".pdf", ".odt", ".indd", ".tex", ".html", ".dvi", ".ppt", ".pptx",
        ]
        .iter()
        .any(|ending| lower.ends_with(ending));
    (!name).then_some(title)
}

fn too_large() -> Unreadable {
    Unreadable::too_large(
        "The PDF unpacks to more than may be read. Divide it into several files, or save it anew with a program that \
         prints PDFs.",
    )
}

fn encrypted() -> Unreadable {
    Unreadable::encrypted("The PDF asks for a password. Save a copy without one and give that.")
}

fn broken() -> Unreadable {
    Unreadable::corrupt(
        "The PDF is broken, or was not received whole. Open it in a viewer, print it to a new PDF and give that.",
    )
}

#[cfg(test)]
mod tests;
