//! An answer's typed blocks as elements.

use bulle_protocol::{
    block::{Align, Block, Inline},
    event::Source,
    problem::Action,
    strings::Strings,
};
use bulle_widget_core::words::fill;

use crate::{
    icons::{CHECK, COPY, OUT, icon},
    node::{Node, button, el, same, text},
};

/// What the blocks of one answer refer to.
pub(crate) struct Around<'a> {
    pub strings: &'a Strings,
    pub sources: &'a [Source],
    /// Images that the visitor has asked to see, by address.
    pub shown: &'a [String],
}

impl Around<'_> {
    fn blocks(&self, blocks: &[Block]) -> Vec<Node> {
        blocks.iter().map(|block| self.block(block)).collect()
    }

    /// The blocks of which some are drawn already, those with these marks.
    pub fn changed(&self, blocks: &[Block], marks: &[u32], drawn: &[u32]) -> Vec<Node> {
        let block = |(at, block)| match (marks.get(at), drawn.get(at)) {
            (Some(mark), Some(drawn)) if mark == drawn => same(),
            _ => self.block(block),
        };
        blocks.iter().enumerate().map(block).collect()
    }

    fn block(&self, block: &Block) -> Node {
        match block {
            Block::Paragraph { content } => self.fill("p", content),
            // One level for all: an answer is no document, and a skipped level confuses readers.
            Block::Heading { level, content } => {
                let class = if *level > 2 { "small" } else { "" };
                el("h3", class).children(self.inlines(content))
            }
            Block::List {
                ordered,
                start,
                items,
            } => {
                let list = if *ordered {
                    el("ol", "").attr("start", &start.to_string())
                } else {
                    el("ul", "")
                };
                let item = |item: &Vec<Block>| el("li", "").children(self.blocks(item));
                list.children(items.iter().map(item))
            }
            Block::Quote { content } => el("blockquote", "").children(self.blocks(content)),
            Block::Code { language, text } => self.code(language.as_deref(), text),
            Block::Table { align, head, rows } => self.table(align, head, rows),
            Block::Rule => el("hr", ""),
        }
    }

    fn code(&self, language: Option<&str>, code: &str) -> Node {
        let copy = copy_button("copy-code", "", &self.strings.copy_code);
        let bar = el("div", "bar")
            .child(el("span", "").text(language.unwrap_or_default()))
            .child(copy);
        let pre = el("pre", "")
            .attr("tabindex", "0")
            .attr("dir", "ltr")
            .attr("data-language", language.unwrap_or_default())
            .child(el("code", "").text(code));
        el("div", "code").child(bar).child(pre)
    }

    fn table(&self, align: &[Align], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) -> Node {
        let row = |tag: &'static str, cells: &[Vec<Inline>]| {
            let cells = cells.iter().enumerate().map(|(column, cell)| {
                let class = match align.get(column) {
                    Some(Align::Center) => "center",
                    Some(Align::Right) => "end",
                    _ if is_number(cell) => "number",
                    _ => "",
                };
                let cell = el(tag, class).children(self.inlines(cell));
                if tag == "th" {
                    cell.attr("scope", "col")
                } else {
                    cell
                }
            });
            el("tr", "").children(cells)
        };
        let body = el("tbody", "").children(rows.iter().map(|cells| row("td", cells)));
        let table = el("table", "")
            .child(el("thead", "").child(row("th", head)))
            .child(body);
        el("div", "wide").attr("tabindex", "0").child(table)
    }

    fn fill(&self, tag: &'static str, content: &[Inline]) -> Node {
        el(tag, "").children(self.inlines(content))
    }

    fn inlines(&self, content: &[Inline]) -> Vec<Node> {
        content.iter().map(|inline| self.inline(inline)).collect()
    }

    fn inline(&self, inline: &Inline) -> Node {
        match inline {
            Inline::Text { text: plain } => text(plain),
            Inline::Strong { content } => self.fill("strong", content),
            Inline::Emphasis { content } => self.fill("em", content),
            Inline::Strike { content } => self.fill("del", content),
            Inline::Code { text } => el("code", "").text(text),
            Inline::Link { url, content } => {
                let content = content.iter().map(|inline| match inline {
                    // Its own link would stand inside this one.
                    Inline::Image { url, alt } => text(image_name(url, alt)),
                    inline => self.inline(inline),
                });
                link(url, "", content, &self.strings.new_window)
            }
            Inline::Image { url, alt } => self.image(url, alt),
            Inline::Cite { n } => self.cite(*n),
            Inline::Break => el("br", ""),
        }
    }

    /// Never loaded by itself: a document that makes the model write an address could otherwise send what was said here
    /// to any host.
    fn image(&self, url: &str, alt: &str) -> Node {
        let name = image_name(url, alt);
        if !is_web(url) {
            return text(name);
        }
        if self.shown.iter().any(|shown| shown == url) {
            let image = el("img", "")
                .attr("src", url)
                .attr("alt", alt)
                .attr("referrerpolicy", "no-referrer");
            return link(url, "", [image], &self.strings.new_window);
        }
        let label = fill(&self.strings.image, "alt", name);
        button("chip", "image").attr("data-v", url).text(&label)
    }

    fn cite(&self, n: u32) -> Node {
        let number = n.to_string();
        let source = self.sources.iter().find(|source| source.n == n);
        let title = source.map_or("", |source| &source.title);
        let name = fill(&self.strings.cite, "n", &number);
        let name = fill(&name, "title", title);
        let cite = button("cite", "cite")
            .attr("data-v", &number)
            .attr("aria-label", name.trim())
            .attr("title", title)
            .text(&number);
        el("sup", "").child(cite)
    }
}

/// What stands for an image.
fn image_name<'a>(url: &'a str, alt: &'a str) -> &'a str {
    if alt.trim().is_empty() { url } else { alt }
}

/// True for a number with its unit, which must not be broken over two lines.
fn is_number(cell: &[Inline]) -> bool {
    let [Inline::Text { text }] = cell else {
        return false;
    };
    text.len() <= 12 && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// A link, or its bare content when the address is of another kind than an answer may link to. The
/// edge has checked it too; a page checks what it shows. It opens a new window where there are words to say so.
pub(crate) fn link(
    url: &str,
    class: &str,
    content: impl IntoIterator<Item = Node>,
    new_window: &str,
) -> Node {
    if is_web(url) {
        let link = el("a", class)
            .attr("href", url)
            .attr("rel", "noopener noreferrer nofollow")
            .children(content);
        match new_window {
            "" => link,
            words => link.attr("target", "_blank").spoken(&format!(" ({words})")),
        }
    } else if begins(url, "mailto:") || begins(url, "tel:") {
        el("a", class).attr("href", url).children(content)
    } else {
        el("span", class).children(content)
    }
}

/// A way out that the edge offers, as a link that looks like a button: to the web, or not at all.
pub(crate) fn action(action: Option<&Action>, new_window: &str) -> Option<Node> {
    let Action { label, url } = action?;
    is_web(url).then(|| link(url, "action", [text(label), icon(OUT)], new_window))
}

/// A button that copies, with the sign that it has.
pub(crate) fn copy_button(action: &str, value: &str, name: &str) -> Node {
    button("tool small copy", action)
        .attr("data-v", value)
        .attr("aria-label", name)
        .attr("title", name)
        .child(icon(COPY))
        .child(icon(CHECK))
}

fn is_web(url: &str) -> bool {
    begins(url, "https://") || begins(url, "http://")
}

fn begins(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}
