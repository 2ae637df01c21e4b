//! Deserialisation of the blocks of answers.

use bulle_protocol::block::{Align, Block, Inline};

use super::{all, list, number, small, string};
use crate::json::Value;

pub(super) fn block(mut v: Value) -> Option<Block> {
    let kind = string(&mut v, "type")?;
    Some(match kind.as_str() {
        "paragraph" => Block::Paragraph {
            content: list(&mut v, "content", inline)?,
        },
        "heading" => Block::Heading {
            level: small(&v, "level")?,
            content: list(&mut v, "content", inline)?,
        },
        "list" => Block::List {
            ordered: v.get("ordered")?.as_bool()?,
            start: number(&v, "start")?,
            items: list(&mut v, "items", |item| all(item, block))?,
        },
        "quote" => Block::Quote {
            content: list(&mut v, "content", block)?,
        },
        "code" => Block::Code {
            language: string(&mut v, "language"),
            text: string(&mut v, "text")?,
        },
        "table" => Block::Table {
            align: list(&mut v, "align", |align| {
                Some(match align.as_str()? {
                    "left" => Align::Left,
                    "center" => Align::Center,
                    "right" => Align::Right,
                    _ => Align::None,
                })
            })?,
            head: list(&mut v, "head", inlines)?,
            rows: list(&mut v, "rows", |row| all(row, inlines))?,
        },
        "rule" => Block::Rule,
        // An unknown block keeps its place, because later events count the blocks.
        _ => Block::paragraph(""),
    })
}

fn inlines(v: Value) -> Option<Vec<Inline>> {
    all(v, inline)
}

fn inline(mut v: Value) -> Option<Inline> {
    let kind = string(&mut v, "type")?;
    Some(match kind.as_str() {
        "text" => Inline::Text {
            text: string(&mut v, "text")?,
        },
        "strong" => Inline::Strong {
            content: list(&mut v, "content", inline)?,
        },
        "emphasis" => Inline::Emphasis {
            content: list(&mut v, "content", inline)?,
        },
        "strike" => Inline::Strike {
            content: list(&mut v, "content", inline)?,
        },
        "code" => Inline::Code {
            text: string(&mut v, "text")?,
        },
        "link" => Inline::Link {
            url: string(&mut v, "url")?,
            content: list(&mut v, "content", inline)?,
        },
        "image" => Inline::Image {
            url: string(&mut v, "url")?,
            alt: string(&mut v, "alt")?,
        },
        "cite" => Inline::Cite { n: small(&v, "n")? },
        "break" => Inline::Break,
        // An unknown inline is empty; the text around it stays.
        _ => Inline::text(""),
    })
}
