//! Markdown, with or without front matter, in the dialects that people write.
//!
//! Markdown without HTML stays unchanged. Markdown with HTML, in blocks (`<details>`, `<table>`, `<p align=center>`) or within
//! lines (`<br>`, `<sup>`), is rendered to HTML, and the reader of web pages turns that into Markdown again. So the meaning of an
//! element, and whether it is hidden, is decided in one place. A tag within a line that is never closed (`Vec<T>`, `<your-key>`)
//! is text.

mod dialect;
mod render;
mod tags;

use pulldown_cmark::{Event, Parser};

use crate::{Document, File, Unreadable, charset, html};
use render::OPTIONS;

/// The document, in Markdown without HTML.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let text = charset::decode(file.bytes, file.content_type);
    let mut document = Document::parse(&text.replace("\r\n", "\n").replace('\r', "\n"));
    if document.title == "Document" {
        document.title.clear();
    }
    document.body = without_html(&dialect::plain(&document.body))?;
    Ok(document)
}

/// The Markdown with its HTML read. Marks of pages are no HTML.
fn without_html(body: &str) -> Result<String, Unreadable> {
    if !body.contains('<') || !has_html(body) {
        return Ok(body.to_owned());
    }
    let mut out = String::new();
    let mut part = String::new();
    for line in body.split_inclusive('\n') {
        if is_page_mark(line) {
            out.push_str(&html::fragment(&render::html(&part), "")?);
            out.push_str(&format!("\n{}\n\n", line.trim()));
            part.clear();
        } else {
            part.push_str(line);
        }
    }
    out.push_str(&html::fragment(&render::html(&part), "")?);
    Ok(out)
}

fn has_html(body: &str) -> bool {
    Parser::new_ext(body, OPTIONS).any(|event| match event {
        Event::Html(html) => !html.trim().is_empty() && !is_page_mark(&html),
        Event::InlineHtml(_) => true,
        _ => false,
    })
}

/// `<!-- page 12 -->`, which stands where a page of a paged file begins.
fn is_page_mark(line: &str) -> bool {
    let inside = line
        .trim()
        .strip_prefix("<!-- page ")
        .and_then(|rest| rest.strip_suffix(" -->"));
    inside.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
