//! Markdown, with or without front matter.

use crate::{Document, File, charset};

/// The document, with its Markdown unchanged.
pub(crate) fn read(file: &File<'_>) -> Document {
    let text = charset::decode(file.bytes, file.content_type);
    let mut document = Document::parse(&text.replace("\r\n", "\n").replace('\r', "\n"));
    if document.title == "Document" {
        document.title.clear();
    }
    document
}
