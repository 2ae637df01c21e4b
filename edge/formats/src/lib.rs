//! Readers of files: bytes become documents whose body is Markdown.
//!
//! Pure: no I/O, no clock, no platform. The same code reads in workerd and in the command-line import. [`detect`] finds
//! the format, from the bytes first; [`limits`] bounds the cost of reading; [`Unreadable`] says why a file cannot be
//! read and what its owner can do.
//!
//! Every format ends in the same Markdown. Headings that have an `id` in the original keep it as
//! `## Title {#id}`; a line `<!-- page 12 -->` stands where page 12 of a paged file begins.

pub mod detect;
pub mod limits;

mod charset;
mod docx;
mod faq;
mod faq_names;
mod feed;
mod grid;
mod html;
mod json;
mod linkedin;
mod markdown;
#[cfg(feature = "pdf")]
mod pdf;
mod raised;
mod robots;
mod sitemap;
mod struck;
mod table;
mod text;
mod unpack;
mod unreadable;
mod write;
mod xml;

pub use bulle_edge_text::Document;

pub use detect::Format;
pub use feed::{Feed, FeedEntry, feed};
pub use html::{Refresh, WebPage, page, refresh};
pub use robots::{PRODUCT_TOKEN, PageRules, Robots, robots, robots_for};
pub use sitemap::{Sitemap, SitemapEntry, sitemap};
pub use unreadable::{Unreadable, UnreadableCode};

/// A file of an owner or a visitor.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Name with its ending, or the last part of its address; may be empty.
    pub name: &'a str,
    /// The type that was declared, `text/html; charset=utf-8`.
    pub content_type: Option<&'a str>,
    /// Address of the page that shows the document; empty if none does.
    pub url: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// The documents of a file, in order; never empty, and none without text.
///
/// # Errors
/// The reason why the file cannot be read. No part of it is returned then.
pub fn read(file: &File<'_>) -> Result<Vec<Document>, Unreadable> {
    if file.bytes.len() > limits::MAX_FILE_BYTES {
        return Err(Unreadable::too_large(format!(
            "The file has {} MB; the most is {} MB. Divide it into several files.",
            file.bytes.len().div_ceil(limits::MEGABYTE),
            limits::MAX_FILE_BYTES / limits::MEGABYTE
        )));
    }
    let mut documents = match detect::format(file)? {
        Format::Markdown => vec![markdown::read(file)?],
        Format::Text => vec![text::read(file)],
        Format::Html => vec![html::read(file)?],
        #[cfg(feature = "pdf")]
        Format::Pdf => vec![pdf::read(file)?],
        #[cfg(not(feature = "pdf"))]
        Format::Pdf => return Err(only_by_command_line()),
        Format::Docx if cfg!(feature = "docx") => vec![docx::read(file)?],
        Format::Docx => return Err(only_by_command_line()),
        Format::Csv => vec![table::read(file)?],
        Format::Json => vec![json::read(file)?],
        Format::LinkedIn => vec![linkedin::read(file)?],
        Format::Feed => feed(file.bytes, file.url, file.content_type)?
            .entries
            .into_iter()
            .map(|entry| entry.document)
            .collect(),
        Format::Sitemap => {
            return Err(Unreadable::unsupported(
                "A sitemap lists pages and holds no text. Add it as a source of pages, not as a file.",
            ));
        }
    };
    documents.retain(|document| !document.body.trim().is_empty());
    if documents.is_empty() {
        return Err(Unreadable::no_text(
            "The file holds no text. Give one that does.",
        ));
    }
    let bytes: usize = documents.iter().map(|document| document.body.len()).sum();
    if bytes > limits::MAX_MARKDOWN_BYTES {
        return Err(Unreadable::too_large(format!(
            "The text of the file has {} MB; the most is {} MB. Divide it into several files.",
            bytes.div_ceil(limits::MEGABYTE),
            limits::MAX_MARKDOWN_BYTES / limits::MEGABYTE
        )));
    }
    for document in &mut documents {
        finish(document, file);
    }
    Ok(documents)
}

fn only_by_command_line() -> Unreadable {
    Unreadable::new(
        UnreadableCode::UseTheCommandLine,
        "Files of this kind are not read here. Import the file with `cargo xtask knowledge add FILE`.",
    )
}

/// Gives a document a title of at most [`limits::MAX_TITLE_CHARS`], and the address of its file if it has none.
fn finish(document: &mut Document, file: &File<'_>) {
    if document.url.is_empty() {
        file.url.clone_into(&mut document.url);
    }
    let title = write::flat(&document.title);
    document.title = if title.is_empty() {
        stem(file.name)
    } else {
        title.chars().take(limits::MAX_TITLE_CHARS).collect()
    };
}

/// `price list` of `/docs/price_list.pdf`.
fn stem(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let words = write::flat(&stem.replace(['_', '-', '+'], " ").replace("%20", " "));
    if words.is_empty() {
        "Document".to_owned()
    } else {
        words.chars().take(limits::MAX_TITLE_CHARS).collect()
    }
}
