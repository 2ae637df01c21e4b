//! Typed rich text. The edge parses the model's Markdown into these types; the page renders them with DOM calls and
//! gets no HTML, so that script injection is impossible.

use serde::{Deserialize, Serialize};

/// A block of an answer. Order matters: an answer is a list of blocks, addressed by index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(no_recursion))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// Running text.
    Paragraph {
        /// The text.
        content: Vec<Inline>,
    },
    /// A section title inside an answer.
    Heading {
        /// 1 to 6.
        level: u8,
        /// The title.
        content: Vec<Inline>,
    },
    /// A bulleted or numbered list.
    List {
        /// Numbered when true.
        ordered: bool,
        /// First number of an ordered list; 1 otherwise.
        start: u64,
        /// Each item is itself a list of blocks.
        items: Vec<Vec<Block>>,
    },
    /// A quotation.
    Quote {
        /// What is quoted.
        content: Vec<Block>,
    },
    /// Preformatted text.
    Code {
        /// The language named after the opening fence, if any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        language: Option<String>,
        /// The text, line breaks included.
        text: String,
    },
    /// A table with one header row.
    Table {
        /// One entry a column.
        align: Vec<Align>,
        /// Header cells.
        head: Vec<Vec<Inline>>,
        /// Body rows, each a list of cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A thematic break.
    Rule,
}

/// Horizontal alignment of a table column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// The reader's default for the writing direction.
    None,
    /// Towards the start of the line in left-to-right text.
    Left,
    /// Centred.
    Center,
    /// Towards the end of the line in left-to-right text.
    Right,
}

/// A run of text inside a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(no_recursion))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Inline {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// Strong importance.
    Strong {
        /// What is strong.
        content: Vec<Inline>,
    },
    /// Stress emphasis.
    Emphasis {
        /// What is emphasised.
        content: Vec<Inline>,
    },
    /// Struck-out text.
    Strike {
        /// The text that is struck out.
        content: Vec<Inline>,
    },
    /// A fragment of code.
    Code {
        /// The fragment.
        text: String,
    },
    /// A link. The edge lets only `http`, `https`, `mailto` and `tel` through.
    Link {
        /// Absolute URL.
        url: String,
        /// What the visitor clicks.
        content: Vec<Inline>,
    },
    /// A picture. Only `https` and `http` URLs.
    Image {
        /// Absolute URL.
        url: String,
        /// Alternative text, possibly empty.
        alt: String,
    },
    /// A reference to source number `n` of the answer (1-based).
    Cite {
        /// The `n` of one of the answer's [`Source`](crate::event::Source)s.
        n: u32,
    },
    /// A line break inside a block.
    Break,
}

impl Inline {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The string that an [`append`](crate::event::ServerEvent::Append) grows: the text of the very last leaf.
    fn last_text(&mut self) -> Option<&mut String> {
        match self {
            Self::Text { text } | Self::Code { text } => Some(text),
            Self::Strong { content }
            | Self::Emphasis { content }
            | Self::Strike { content }
            | Self::Link { content, .. } => content.last_mut()?.last_text(),
            Self::Image { .. } | Self::Cite { .. } | Self::Break => None,
        }
    }

    fn write_text(&self, out: &mut String) {
        match self {
            Self::Text { text } | Self::Code { text } => out.push_str(text),
            Self::Strong { content }
            | Self::Emphasis { content }
            | Self::Strike { content }
            | Self::Link { content, .. } => inline_text(content, out),
            Self::Image { alt, .. } => out.push_str(alt),
            Self::Cite { n } => {
                out.push('[');
                out.push_str(&n.to_string());
                out.push(']');
            }
            Self::Break => out.push('\n'),
        }
    }
}

impl Block {
    /// A paragraph of plain text.
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph {
            content: vec![Inline::text(text)],
        }
    }

    /// The string that an [`append`](crate::event::ServerEvent::Append) event grows: the last text leaf of the block,
    /// or `None` when the block does not end in text. Both ends use this one definition.
    pub fn last_text(&mut self) -> Option<&mut String> {
        match self {
            Self::Paragraph { content } | Self::Heading { content, .. } => {
                content.last_mut()?.last_text()
            }
            Self::List { items, .. } => items.last_mut()?.last_mut()?.last_text(),
            Self::Quote { content } => content.last_mut()?.last_text(),
            Self::Code { text, .. } => Some(text),
            Self::Table { rows, .. } => rows.last_mut()?.last_mut()?.last_mut()?.last_text(),
            Self::Rule => None,
        }
    }

    fn write_text(&self, out: &mut String) {
        match self {
            Self::Paragraph { content } | Self::Heading { content, .. } => {
                inline_text(content, out);
            }
            Self::List {
                ordered,
                start,
                items,
            } => {
                for (item, number) in items.iter().zip(*start..) {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    if *ordered {
                        out.push_str(&number.to_string());
                        out.push_str(". ");
                    } else {
                        out.push_str("- ");
                    }
                    out.push_str(&blocks_to_text(item));
                }
            }
            Self::Quote { content } => out.push_str(&blocks_to_text(content)),
            Self::Code { text, .. } => out.push_str(text.trim_end_matches('\n')),
            Self::Table { head, rows, .. } => {
                for row in std::iter::once(head).chain(rows) {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    for (i, cell) in row.iter().enumerate() {
                        if i > 0 {
                            out.push_str(" | ");
                        }
                        inline_text(cell, out);
                    }
                }
            }
            Self::Rule => out.push_str("---"),
        }
    }
}

fn inline_text(content: &[Inline], out: &mut String) {
    for inline in content {
        inline.write_text(out);
    }
}

/// The blocks as plain text, a blank line between blocks: for copying, search, notifications and for
/// the model's view of earlier turns. Citations stay as `[n]`.
pub fn blocks_to_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        let mut text = String::new();
        block.write_text(&mut text);
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_grows_the_last_leaf_however_deep() {
        let mut block = Block::List {
            ordered: false,
            start: 1,
            items: vec![vec![Block::Quote {
                content: vec![Block::Paragraph {
                    content: vec![Inline::Strong {
                        content: vec![Inline::text("deep")],
                    }],
                }],
            }]],
        };
        block.last_text().unwrap().push_str("er");
        assert_eq!(blocks_to_text(&[block]), "- deeper");
    }

    #[test]
    fn a_block_that_ends_in_a_citation_has_no_last_text() {
        let mut block = Block::Paragraph {
            content: vec![Inline::text("a"), Inline::Cite { n: 1 }],
        };
        assert_eq!(block.last_text(), None);
    }

    #[test]
    fn text_of_lists_and_tables_stays_readable() {
        let blocks = [
            Block::List {
                ordered: true,
                start: 3,
                items: vec![vec![Block::paragraph("a")], vec![Block::paragraph("b")]],
            },
            Block::Table {
                align: vec![Align::None, Align::Right],
                head: vec![vec![Inline::text("x")], vec![Inline::text("y")]],
                rows: vec![vec![vec![Inline::text("1")], vec![Inline::Cite { n: 2 }]]],
            },
        ];
        assert_eq!(blocks_to_text(&blocks), "3. a\n4. b\n\nx | y\n1 | [2]");
    }
}
