//! Markdown to typed blocks, with `pulldown-cmark`. Raw HTML becomes visible text, but for `<br>`, which breaks the line;
//! links with other schemes than `http`, `https`, `mailto` and `tel` lose their link, and `[n]` becomes a citation. What
//! models write otherwise than CommonMark expects is in [`dialect`](super::dialect).

use bulle_protocol::block::{Align, Block, Inline};
use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use url::Url;

use super::{
    address::address,
    dialect::{JOINT, Joined, at_break},
};

/// Deepest nesting of blocks and inlines; deeper elements become plain text.
const MAX_DEPTH: u32 = 12;

/// The mark of an escaped `[` between the parser and the search for citations: it begins no citation. A private-use
/// character, which texts do not contain.
pub const ESCAPED_BRACKET: char = '\u{f8fa}';

/// Longest inside of a citation, in bytes.
const MAX_CITATION: usize = 40;

/// A top-level block and the byte at which it starts.
pub struct Parsed {
    pub block: Block,
    pub start: usize,
}

/// Parses a text that may cite passages `1..=passages`. `cites` lists the passages in the order in which they
/// are first cited and is extended; a citation shows its position there, from 1.
pub fn parse(text: &str, passages: u32, cites: &mut Vec<u32>) -> Vec<Parsed> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let joined = Joined::new(text);
    let mut builder = Builder {
        source: &joined.text,
        events: Parser::new_ext(&joined.text, options).into_offset_iter(),
        passages,
        cites,
        depth: 0,
    };
    let mut blocks = Vec::new();
    while let Some((event, range)) = builder.events.next() {
        let block = match event {
            Event::Start(tag) => builder.block(tag),
            Event::Rule => Some(Block::Rule),
            _ => None,
        };
        if let Some(block) = block {
            blocks.push(Parsed {
                block,
                start: joined.original(range.start),
            });
        }
    }
    blocks
}

struct Builder<'c, I> {
    source: &'c str,
    events: I,
    passages: u32,
    cites: &'c mut Vec<u32>,
    depth: u32,
}

impl<'t, I: Iterator<Item = (Event<'t>, Range<usize>)>> Builder<'_, I> {
    fn next(&mut self) -> Option<Event<'t>> {
        let (event, range) = self.events.next()?;
        Some(match event {
            Event::Text(text) if text.starts_with('[') && self.is_escaped(range.start) => {
                let escaped = text.replacen('[', ESCAPED_BRACKET.encode_utf8(&mut [0; 4]), 1);
                Event::Text(without_joints(escaped.into()))
            }
            Event::Text(text) => Event::Text(without_joints(text)),
            Event::Code(text) => Event::Code(without_joints(text)),
            Event::Html(text) => Event::Html(without_joints(text)),
            Event::InlineHtml(text) => Event::InlineHtml(without_joints(text)),
            event => event,
        })
    }

    /// Whether there is a backslash before this byte of the source.
    fn is_escaped(&self, at: usize) -> bool {
        let before = at.checked_sub(1);
        before.and_then(|at| self.source.as_bytes().get(at)) == Some(&b'\\')
    }

    /// The block that a start tag opens, up to its end.
    fn block(&mut self, tag: Tag<'t>) -> Option<Block> {
        if self.depth >= MAX_DEPTH {
            let text = self.text();
            return Some(Block::paragraph(text.trim()));
        }
        self.depth += 1;
        let block = self.block_inside(tag);
        self.depth -= 1;
        block
    }

    fn block_inside(&mut self, tag: Tag<'t>) -> Option<Block> {
        Some(match tag {
            Tag::Paragraph => {
                let content = self.inlines();
                // It had nothing but line breaks, or citations that point nowhere.
                if content.is_empty() {
                    return None;
                }
                Block::Paragraph { content }
            }
            Tag::Heading { level, .. } => Block::Heading {
                level: level as u8,
                content: self.inlines(),
            },
            Tag::BlockQuote(_) => Block::Quote {
                content: self.blocks(),
            },
            Tag::CodeBlock(kind) => Block::Code {
                language: match kind {
                    CodeBlockKind::Fenced(info) => info
                        .split_whitespace()
                        .next()
                        .map(|language| language.chars().take(40).collect()),
                    CodeBlockKind::Indented => None,
                },
                text: self.text(),
            },
            Tag::HtmlBlock => {
                let mut content = Vec::new();
                push_html(&mut content, self.text().trim());
                Block::Paragraph {
                    content: without_outer_breaks(content),
                }
            }
            Tag::List(start) => Block::List {
                ordered: start.is_some(),
                start: start.unwrap_or(1),
                items: self.items(),
            },
            Tag::Table(align) => self.table(&align),
            _ => {
                self.text();
                return None;
            }
        })
    }

    fn items(&mut self) -> Vec<Vec<Block>> {
        let mut items = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::Start(Tag::Item) => items.push(self.blocks()),
                Event::End(_) => break,
                _ => {}
            }
        }
        items
    }

    /// The blocks of a container up to its end; loose inline content (a tight list item) becomes a paragraph.
    fn blocks(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut loose = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::End(_) => break,
                Event::Start(tag) if is_block(&tag) => {
                    self.end_loose(&mut loose, &mut blocks);
                    blocks.extend(self.block(tag));
                }
                Event::Rule => {
                    self.end_loose(&mut loose, &mut blocks);
                    blocks.push(Block::Rule);
                }
                event => self.inline(event, &mut loose),
            }
        }
        self.end_loose(&mut loose, &mut blocks);
        blocks
    }

    fn end_loose(&mut self, loose: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
        let content = self.refine(std::mem::take(loose));
        if !content.is_empty() {
            blocks.push(Block::Paragraph { content });
        }
    }

    fn table(&mut self, align: &[Alignment]) -> Block {
        let mut head = Vec::new();
        let mut rows = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::Start(Tag::TableHead) => head = self.cells(),
                Event::Start(Tag::TableRow) => rows.push(self.cells()),
                Event::End(_) => break,
                _ => {}
            }
        }
        let align = align.iter().map(|align| match align {
            Alignment::None => Align::None,
            Alignment::Left => Align::Left,
            Alignment::Center => Align::Center,
            Alignment::Right => Align::Right,
        });
        Block::Table {
            align: align.collect(),
            head,
            rows,
        }
    }

    fn cells(&mut self) -> Vec<Vec<Inline>> {
        let mut cells = Vec::new();
        while let Some(event) = self.next() {
            match event {
                Event::Start(_) => cells.push(self.inlines()),
                Event::End(_) => break,
                _ => {}
            }
        }
        cells
    }

    fn inlines(&mut self) -> Vec<Inline> {
        let mut out = Vec::new();
        while let Some(event) = self.next() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, &mut out);
        }
        self.refine(out)
    }

    fn inline(&mut self, event: Event<'t>, out: &mut Vec<Inline>) {
        match event {
            // After a line break, a space would indent the line.
            Event::Text(text) if matches!(out.last(), Some(Inline::Break)) => {
                push_text(out, text.trim_start_matches(' '));
            }
            Event::Text(text) => push_text(out, &text),
            Event::InlineHtml(text) | Event::Html(text) => push_html(out, &text),
            Event::Code(text) => out.push(Inline::Code {
                text: text.into_string(),
            }),
            // The end of a line after `<br>` is no second line break.
            Event::SoftBreak | Event::HardBreak if matches!(out.last(), Some(Inline::Break)) => {}
            Event::SoftBreak | Event::HardBreak => out.push(Inline::Break),
            Event::TaskListMarker(done) => push_text(out, if done { "☑ " } else { "☐ " }),
            Event::Start(_) if self.depth >= MAX_DEPTH => {
                let text = self.text();
                push_text(out, &text);
            }
            Event::Start(tag) => {
                self.depth += 1;
                self.span(tag, out);
                self.depth -= 1;
            }
            _ => {}
        }
    }

    fn span(&mut self, tag: Tag<'t>, out: &mut Vec<Inline>) {
        match tag {
            Tag::Strong => out.push(Inline::Strong {
                content: self.inlines(),
            }),
            Tag::Emphasis => out.push(Inline::Emphasis {
                content: self.inlines(),
            }),
            Tag::Strikethrough => out.push(Inline::Strike {
                content: self.inlines(),
            }),
            Tag::Link { dest_url, .. } => {
                let content = self.inlines();
                match safe_url(&dest_url, &["http", "https", "mailto", "tel"]) {
                    Some(url) => out.push(Inline::Link {
                        url,
                        content: without_links(content),
                    }),
                    None => out.extend(content),
                }
            }
            Tag::Image { dest_url, .. } => {
                let alt = self.text();
                match safe_url(&dest_url, &["http", "https"]) {
                    Some(url) => out.push(Inline::Image { url, alt }),
                    None => push_text(out, &alt),
                }
            }
            _ => {
                let text = self.text();
                push_text(out, &text);
            }
        }
    }

    /// All text up to the end of the element that has just begun, however deep.
    fn text(&mut self) -> String {
        let mut out = String::new();
        let mut depth = 0;
        while let Some(event) = self.next() {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(TagEnd::Paragraph | TagEnd::Item) if depth > 0 => {
                    out.push('\n');
                    depth -= 1;
                }
                Event::End(_) if depth > 0 => depth -= 1,
                Event::End(_) => break,
                Event::Text(text)
                | Event::Code(text)
                | Event::Html(text)
                | Event::InlineHtml(text) => {
                    out.push_str(&text);
                }
                Event::SoftBreak | Event::HardBreak => out.push('\n'),
                _ => {}
            }
        }
        out.replace(ESCAPED_BRACKET, "[")
    }

    /// Joins neighbouring texts, then finds citations and bare addresses in them.
    fn refine(&mut self, content: Vec<Inline>) -> Vec<Inline> {
        let mut joined: Vec<Inline> = Vec::new();
        for inline in without_outer_breaks(content) {
            match inline {
                Inline::Text { text } => push_text(&mut joined, &text),
                other => joined.push(other),
            }
        }
        let mut out = Vec::new();
        for inline in joined {
            match inline {
                Inline::Text { text } => self.split(&text, &mut out),
                other => out.push(other),
            }
        }
        out
    }

    fn split(&mut self, text: &str, out: &mut Vec<Inline>) {
        let mut rest = text;
        while let Some((before, numbers, after)) = next_citation(rest).filter(|_| self.passages > 0)
        {
            linkify(before, out);
            for n in numbers {
                if n == 0 || n > self.passages {
                    continue; // The number has no passage.
                }
                let position = self.cites.iter().position(|cited| *cited == n);
                let position = position.unwrap_or_else(|| {
                    self.cites.push(n);
                    self.cites.len() - 1
                });
                out.push(Inline::Cite {
                    n: u32::try_from(position + 1).unwrap_or(u32::MAX),
                });
            }
            rest = after;
        }
        linkify(rest, out);
    }
}

fn is_block(tag: &Tag) -> bool {
    matches!(
        tag,
        Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::HtmlBlock
            | Tag::List(_)
            | Tag::Table(_)
    )
}

/// Adds text without looking for citations in it.
fn push_plain(out: &mut Vec<Inline>, more: &str) {
    push_text(out, &more.replace(ESCAPED_BRACKET, "["));
}

/// Adds raw HTML as text, with line breaks for its `<br>` tags.
fn push_html(out: &mut Vec<Inline>, html: &str) {
    let mut rest = html;
    while let Some((before, after)) = at_break(rest) {
        push_text(out, before);
        if let Some(Inline::Text { text }) = out.last_mut() {
            text.truncate(text.trim_end().len());
        }
        out.push(Inline::Break);
        rest = after.trim_start();
    }
    push_text(out, rest);
}

/// The text without what [`Joined`] has put into it.
fn without_joints(text: CowStr<'_>) -> CowStr<'_> {
    if text.contains(JOINT) {
        text.replace(JOINT, "").into()
    } else {
        text
    }
}

/// A block neither begins nor ends with a line break.
fn without_outer_breaks(mut content: Vec<Inline>) -> Vec<Inline> {
    let first = content.iter().position(|inline| *inline != Inline::Break);
    content.drain(..first.unwrap_or(content.len()));
    let last = content.iter().rposition(|inline| *inline != Inline::Break);
    content.truncate(last.map_or(0, |last| last + 1));
    content
}

fn push_text(out: &mut Vec<Inline>, more: &str) {
    if more.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(Inline::Text { text }) => text.push_str(more),
        _ => out.push(Inline::text(more)),
    }
}

/// The first `[1]` or `[1, 2]`: the text before it, its numbers, and the text after it.
fn next_citation(text: &str) -> Option<(&str, Vec<u32>, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('[')?;
        let inside = text.get(open + 1..)?;
        let Some(close) = inside.bytes().take(MAX_CITATION).position(|b| b == b']') else {
            from = open + 1;
            continue;
        };
        let numbers: Option<Vec<u32>> = inside
            .get(..close)?
            .split([',', ';'])
            .map(|n| n.trim().parse().ok().filter(|n| *n < 1_000))
            .collect();
        if let Some(numbers) = numbers {
            return Some((text.get(..open)?, numbers, inside.get(close + 1..)?));
        }
        from = open + 1;
    }
}

/// Adds text in which bare `http(s)` addresses become links.
fn linkify(text: &str, out: &mut Vec<Inline>) {
    let mut rest = text;
    while let Some(at) = [rest.find("https://"), rest.find("http://")]
        .into_iter()
        .flatten()
        .min()
    {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let address = address(from);
        push_plain(out, before);
        match safe_url(address, &["http", "https"]) {
            Some(url) => out.push(Inline::Link {
                url,
                content: vec![Inline::text(address)],
            }),
            None => push_plain(out, address),
        }
        rest = from.get(address.len()..).unwrap_or_default();
        if address.is_empty() {
            break;
        }
    }
    push_plain(out, rest);
}

/// The text of a link contains no further links.
fn without_links(content: Vec<Inline>) -> Vec<Inline> {
    let mut out = Vec::new();
    for inline in content {
        match inline {
            Inline::Link { content, .. } => out.extend(content),
            other => out.push(other),
        }
    }
    out
}

/// The URL in its normal form, when it is absolute and of an allowed scheme.
fn safe_url(url: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(&url.replace(JOINT, "")).ok()?;
    schemes
        .contains(&url.scheme())
        .then(|| url.as_str().to_owned())
}
