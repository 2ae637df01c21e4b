//! PDF: text in reading order, with a mark where each page begins.

mod cmap;
mod content;
mod font;
mod layout;
mod lex;
mod line;

use lopdf::{Document as Pdf, Error, LoadOptions, Object};

use crate::{Document, File, Unreadable, html::language_tag, limits, write};
use content::Drawing;

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let mut options = LoadOptions::with_max_decompressed_size(limits::MAX_PAGE_BYTES);
    options.password = Some(String::new());
    let pdf =
        Pdf::load_mem_with_options(file.bytes, options).map_err(|error| unreadable(&error))?;
    let pages: Vec<_> = pdf.page_iter().take(limits::MAX_PAGES + 1).collect();
    if pages.len() > limits::MAX_PAGES {
        return Err(Unreadable::too_large(format!(
            "The PDF has more than {} pages. Divide it into several files.",
            limits::MAX_PAGES
        )));
    }
    if pages.is_empty() {
        return Err(broken());
    }
    let mut drawing = Drawing::new(&pdf);
    let mut lines = Vec::with_capacity(pages.len());
    for page in pages {
        lines.push(line::lines(drawing.page(page)?));
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
        .and_then(|catalog| catalog.get_deref(b"Lang", &pdf))
        .and_then(lopdf::decode_text_string);
    Ok(Document {
        title,
        language: language.map(|tag| language_tag(&tag)).unwrap_or_default(),
        body,
        ..Document::default()
    })
}

/// The title that its maker gave, unless it is a file's name.
fn title(pdf: &Pdf) -> Option<String> {
    let info = pdf
        .trailer
        .get_deref(b"Info", pdf)
        .and_then(Object::as_dict)
        .ok()?;
    let title = info
        .get_deref(b"Title", pdf)
        .and_then(lopdf::decode_text_string)
        .ok()?;
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

fn unreadable(error: &Error) -> Unreadable {
    match error {
        Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. }) => {
            Unreadable::too_large(
                "The PDF unpacks to more than may be read. Save it anew with a program that prints PDFs.",
            )
        }
        Error::InvalidPassword | Error::Decryption(_) => Unreadable::encrypted(
            "The PDF asks for a password. Save a copy without one and give that.",
        ),
        _ => broken(),
    }
}

fn broken() -> Unreadable {
    Unreadable::corrupt(
        "The PDF is broken, or was not received whole. Open it in a viewer, print it to a new PDF and give that.",
    )
}

#[cfg(test)]
mod tests;
