//! Markdown written as HTML, for the reader of pages.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::tags;

/// What is read, here and where chunks are cut.
pub(super) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_FOOTNOTES);

/// The page of a Markdown text. Only what the reader of pages knows is written.
pub(super) fn html(markdown: &str) -> String {
    let events: Vec<(Event<'_>, Range<usize>)> = Parser::new_ext(markdown, OPTIONS)
        .into_offset_iter()
        .collect();
    let blocks = events.iter().filter_map(|(event, _)| match event {
        Event::Html(html) => Some(html.as_ref()),
        _ => None,
    });
    let swallowing = tags::unclosed(&blocks.collect::<String>());
    let unmatched = unmatched(&events);
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    let mut in_head = false;
    for (at, (event, range)) in events.iter().enumerate() {
        match event {
            Event::Start(tag) => {
                in_head |= matches!(tag, Tag::TableHead);
                start(&mut out, tag, in_head);
            }
            Event::End(tag) => {
                let source = markdown.get(range.clone()).unwrap_or_default();
                end(&mut out, *tag, in_head, source);
                in_head &= !matches!(tag, TagEnd::TableHead);
            }
            Event::Text(text) => escape(&mut out, text),
            Event::Code(code) => {
                out.push_str("<code>");
                escape(&mut out, code);
                out.push_str("</code>");
            }
            Event::InlineHtml(tag) if unmatched.binary_search(&at).is_ok() => escape(&mut out, tag),
            Event::Html(html) | Event::InlineHtml(html) => {
                out.push_str(&tags::safe(html, &swallowing));
            }
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out.push_str("<br>"),
            Event::Rule => out.push_str("<hr>"),
            _ => {}
        }
    }
    out
}

fn start(out: &mut String, tag: &Tag<'_>, in_head: bool) {
    match tag {
        Tag::Paragraph => out.push_str("<p>"),
        Tag::Heading { level, id, .. } => {
            out.push_str(&format!("<{level}"));
            if let Some(id) = id {
                out.push_str(" id=\"");
                escape(out, id);
                out.push('"');
            }
            out.push('>');
        }
        Tag::BlockQuote(_) => out.push_str("<blockquote>"),
        Tag::CodeBlock(kind) => {
            out.push_str("<pre><code");
            if let CodeBlockKind::Fenced(language) = kind {
                let word = language.split([' ', ',']).next().unwrap_or_default();
                out.push_str(" class=\"language-");
                escape(out, word);
                out.push('"');
            }
            out.push('>');
        }
        Tag::List(_) => out.push_str("<ul>"),
        Tag::Item => out.push_str("<li>"),
        Tag::FootnoteDefinition(_) => out.push_str("<div>"),
        Tag::Table(_) => out.push_str("<table>"),
        Tag::TableHead | Tag::TableRow => out.push_str("<tr>"),
        Tag::TableCell => out.push_str(if in_head { "<th>" } else { "<td>" }),
        Tag::Link { dest_url, .. } => {
            out.push_str("<a href=\"");
            escape(out, dest_url);
            out.push_str("\">");
        }
        _ => {}
    }
}

fn end(out: &mut String, tag: TagEnd, in_head: bool, source: &str) {
    match tag {
        TagEnd::Paragraph => out.push_str("</p>\n"),
        TagEnd::Heading(level) => {
            // Braces that name no attribute are text: `## The sets {n}`.
            let line = source.trim_end_matches(['#', '=', '-', ' ', '\n']);
            let braces = line.rfind('{').and_then(|at| line.get(at..));
            if let Some(braces) = braces.filter(|it| it.ends_with('}'))
                && !braces.starts_with("{#")
                && !braces.starts_with("{.")
                && !out.ends_with(&escaped(braces))
            {
                out.push(' ');
                escape(out, braces);
            }
            out.push_str(&format!("</{level}>\n"));
        }
        TagEnd::BlockQuote(_) => out.push_str("</blockquote>\n"),
        TagEnd::CodeBlock => out.push_str("</code></pre>\n"),
        TagEnd::List(_) => out.push_str("</ul>\n"),
        TagEnd::Item => out.push_str("</li>\n"),
        TagEnd::FootnoteDefinition => out.push_str("</div>\n"),
        TagEnd::Table => out.push_str("</table>\n"),
        TagEnd::TableHead | TagEnd::TableRow => out.push_str("</tr>\n"),
        TagEnd::TableCell => out.push_str(if in_head { "</th>" } else { "</td>" }),
        TagEnd::Link => out.push_str("</a>"),
        _ => {}
    }
}

/// Places of the tags that begin an element within a block and never end it there.
fn unmatched(events: &[(Event<'_>, Range<usize>)]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for (at, (event, _)) in events.iter().enumerate() {
        match event {
            Event::InlineHtml(html) => {
                for tag in tags::tags(html) {
                    if tag.closes {
                        if let Some(place) = open.iter().rposition(|(_, name)| *name == tag.name) {
                            open.remove(place);
                        }
                    } else if !tag.ends_itself && !tags::needs_no_end(&tag.name) {
                        open.push((at, tag.name));
                    }
                }
            }
            Event::Start(tag) if is_block(&tag.to_end()) => {
                out.extend(open.drain(..).map(|(at, _)| at));
            }
            Event::End(tag) if is_block(tag) => out.extend(open.drain(..).map(|(at, _)| at)),
            _ => {}
        }
    }
    out.extend(open.into_iter().map(|(at, _)| at));
    out.sort_unstable();
    out
}

fn is_block(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::TableCell
            | TagEnd::HtmlBlock
    )
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape(&mut out, text);
    out
}
