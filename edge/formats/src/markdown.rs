//! Markdown, with or without front matter, in the dialects that people write.
//!
//! Markdown without HTML stays unchanged. Markdown with HTML, in blocks (`<details>`, `<table>`, `<p align=center>`) or within
//! lines (`<br>`, `<sup>`), is rendered to HTML, and the reader of web pages turns that into Markdown again. So the meaning of an
//! element, and whether it is hidden, is decided in one place. A tag within a line that is never closed (`Vec<T>`, `<your-key>`)
//! is text. What is struck out (`~~…~~`) is left out.

mod dialect;
mod render;
mod tags;

use pulldown_cmark::{Event, Parser, Tag};

use crate::{Document, File, Unreadable, charset, html, struck::needs_space};
use render::OPTIONS;

/// The document, in Markdown without HTML.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let text = charset::decode(file.bytes, file.content_type);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut document = Document::parse(&without_struck(&text));
    if document.title == "Document" {
        document.title.clear();
    }
    document.body = without_html(&dialect::plain(&document.body))?;
    Ok(document)
}

/// The Markdown without its struck-out text. One tilde alone is a sign of its own: `~5 km`.
fn without_struck(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    if text.contains("~~") {
        for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
            let struck = text.get(range.clone()).unwrap_or_default();
            if !matches!(event, Event::Start(Tag::Strikethrough))
                || range.start < done
                || !struck.starts_with("~~")
            {
                continue;
            }
            out.push_str(text.get(done..range.start).unwrap_or_default());
            let rest = text.get(range.end..).unwrap_or_default();
            done = range.end;
            if needs_space(out.chars().next_back(), rest.chars().next()) {
                out.push(' ');
            }
            // The first cell of a row without a bar before it stays a cell.
            if (out.is_empty() || out.ends_with('\n'))
                && rest.trim_start_matches(' ').starts_with('|')
            {
                out.push('|');
            }
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
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
