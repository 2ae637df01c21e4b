//! The views of an answer's typed blocks.

use bulle_protocol::{
    block::{Align, Block, Inline},
    event::Source,
    problem::Action,
    strings::Strings,
};
use bulle_widget_core::format::fill;

use crate::{
    dom::{VNode, button, el, same, text},
    icons::{CHECK, COPY, OUT, icon},
};

/// The data of an answer that its blocks refer to.
pub(crate) struct BlockContext<'a> {
    pub strings: &'a Strings,
    pub sources: &'a [Source],
    /// The URLs of the images that the visitor has asked to see.
    pub images: &'a [String],
}

impl BlockContext<'_> {
    fn blocks(&self, blocks: &[Block]) -> Vec<VNode> {
        blocks.iter().map(|block| self.block(block)).collect()
    }

    /// The blocks; those whose mark equals the one that was drawn are kept as they are.
    pub fn changed(&self, blocks: &[Block], marks: &[u32], drawn: &[u32]) -> Vec<VNode> {
        let block = |(at, block)| match (marks.get(at), drawn.get(at)) {
            (Some(mark), Some(drawn)) if mark == drawn => same(),
            _ => self.block(block),
        };
        blocks.iter().enumerate().map(block).collect()
    }

    fn block(&self, block: &Block) -> VNode {
        match block {
            Block::Paragraph { content } => self.fill("p", content),
            // All headings have one level: an answer is not a document, and skipped levels confuse screen reader users.
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

    fn code(&self, language: Option<&str>, code: &str) -> VNode {
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

    fn table(&self, align: &[Align], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) -> VNode {
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

    fn fill(&self, tag: &'static str, content: &[Inline]) -> VNode {
        el(tag, "").children(self.inlines(content))
    }

    fn inlines(&self, content: &[Inline]) -> Vec<VNode> {
        content.iter().map(|inline| self.inline(inline)).collect()
    }

    fn inline(&self, inline: &Inline) -> VNode {
        match inline {
            Inline::Text { text: plain } => text(plain),
            Inline::Strong { content } => self.fill("strong", content),
            Inline::Emphasis { content } => self.fill("em", content),
            Inline::Strike { content } => self.fill("del", content),
            Inline::Code { text } => el("code", "").text(text),
            Inline::Link { url, content } => {
                let content = content.iter().map(|inline| match inline {
                    // An image link would be nested in this link.
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

    /// A button that shows the image. Images are not loaded without a click: a document that makes the model write a URL
    /// could otherwise send the conversation to any host.
    fn image(&self, url: &str, alt: &str) -> VNode {
        let name = image_name(url, alt);
        if !is_web(url) {
            return text(name);
        }
        if self.images.iter().any(|shown| shown == url) {
            let image = el("img", "")
                .attr("src", url)
                .attr("alt", alt)
                .attr("referrerpolicy", "no-referrer");
            return link(url, "", [image], &self.strings.new_window);
        }
        let label = fill(&self.strings.image, "alt", name);
        button("chip", "image").attr("data-v", url).text(&label)
    }

    fn cite(&self, n: u32) -> VNode {
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

/// The text in place of an image.
fn image_name<'a>(url: &'a str, alt: &'a str) -> &'a str {
    if alt.trim().is_empty() { url } else { alt }
}

/// True for a number with its unit, which must not be broken across lines.
fn is_number(cell: &[Inline]) -> bool {
    let [Inline::Text { text }] = cell else {
        return false;
    };
    text.len() <= 12 && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// A link, or its content alone if the scheme of the URL is not allowed. The edge checks URLs too; this is the last
/// check before they are on the page. The link opens a new window if `new_window`, the hint for it, is not empty.
pub(crate) fn link(
    url: &str,
    class: &str,
    content: impl IntoIterator<Item = VNode>,
    new_window: &str,
) -> VNode {
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

/// The edge's action as a link in the style of a button; only for the web.
pub(crate) fn action(action: Option<&Action>, new_window: &str) -> Option<VNode> {
    let Action { label, url } = action?;
    is_web(url).then(|| link(url, "action", [text(label), icon(OUT)], new_window))
}

/// A button that copies, with the check mark that confirms it.
pub(crate) fn copy_button(action: &str, value: &str, name: &str) -> VNode {
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
