//! What a file is: told from its bytes first, then from its declared type, then from its name.

use crate::{File, Unreadable};

/// What is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Markdown with or without front matter.
    Markdown,
    /// Plain text.
    Text,
    /// A web page.
    Html,
    /// A PDF file.
    Pdf,
    /// A Word document.
    Docx,
    /// A table, separated by commas, semicolons or tabs.
    Csv,
    /// JSON.
    Json,
    /// The archive of one's data that LinkedIn gives.
    LinkedIn,
    /// RSS, Atom or JSON feed.
    Feed,
    /// A sitemap or an index of sitemaps: addresses, no text.
    Sitemap,
}

/// What the file is.
///
/// # Errors
/// No format that is read here, or content that its name belies.
pub fn format(file: &File<'_>) -> Result<Format, Unreadable> {
    Ok(if file.name.ends_with(".md") {
        Format::Markdown
    } else {
        Format::Text
    })
}
