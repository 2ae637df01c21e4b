//! Documents cut into chunks by their structure.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::text::{sentences, slug};

/// Longest chunk, in characters: about 350 tokens.
pub const MAX_CHUNK_CHARS: usize = 1_400;

/// A document with its front matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// `title:`, or the first heading.
    pub title: String,
    /// `lang:` (BCP 47), possibly empty.
    pub language: String,
    /// `url:`, the page that shows the document.
    pub url: String,
    /// Markdown.
    pub body: String,
}

/// A piece of a document that is indexed and quoted as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Path of headings, `A › B`.
    pub heading: String,
    /// Fragment of the section's heading; empty before the first.
    pub anchor: String,
    /// One unit a line: a paragraph, a list item (`- `), a table row.
    pub text: String,
}

impl Document {
    /// Reads Markdown that may begin with front matter: `key: value` lines between two `---`.
    pub fn parse(markdown: &str) -> Self {
        let text = markdown
            .trim_start_matches('\u{feff}')
            .replace("\r\n", "\n");
        let mut document = Self::default();
        let front = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"));
        if let Some((front, body)) = front {
            for (key, value) in front.lines().filter_map(|line| line.split_once(':')) {
                let value = value.trim().trim_matches('"').to_owned();
                match key.trim() {
                    "title" => document.title = value,
                    "lang" => document.language = value,
                    "url" => document.url = value,
                    _ => {}
                }
            }
            document.body = body.to_owned();
        } else {
            document.body = text;
        }
        if document.title.is_empty() {
            document.title = document
                .body
                .lines()
                .find_map(|line| line.strip_prefix("# "))
                .unwrap_or("Document")
                .trim()
                .to_owned();
        }
        document
    }

    /// The chunks, in order. A section longer than [`MAX_CHUNK_CHARS`] is cut between its units, a unit that
    /// is longer still between its sentences.
    pub fn chunks(&self) -> Vec<Chunk> {
        let mut cutter = Cutter::default();
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        for event in Parser::new_ext(&self.body, options) {
            cutter.event(event);
        }
        cutter.end_section();
        cutter.chunks
    }
}

#[derive(Default)]
struct Cutter {
    chunks: Vec<Chunk>,
    path: Vec<(HeadingLevel, String)>,
    units: Vec<String>,
    line: String,
    in_item: usize,
    head: Vec<String>,
    cells: Vec<String>,
}

impl Cutter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                self.end_unit();
                self.end_section();
            }
            Event::End(TagEnd::Heading(level)) => {
                let title = std::mem::take(&mut self.line).trim().to_owned();
                self.path.retain(|(above, _)| *above < level);
                self.path.push((level, title));
            }
            Event::Start(Tag::Item) => {
                self.end_unit();
                self.in_item += 1;
            }
            Event::End(TagEnd::Item) => {
                self.end_unit();
                self.in_item = self.in_item.saturating_sub(1);
            }
            Event::End(TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::HtmlBlock) => {
                self.end_unit();
            }
            Event::End(TagEnd::TableCell) => {
                self.cells
                    .push(std::mem::take(&mut self.line).trim().to_owned());
            }
            Event::End(TagEnd::TableHead) => self.head = std::mem::take(&mut self.cells),
            Event::End(TagEnd::TableRow) => self.end_row(),
            Event::Text(text) | Event::Code(text) => self.line.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.line.push(' '),
            _ => {}
        }
    }

    /// A table row reads as a sentence: `Poste : SRE ; Ville : Rennes`.
    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        let named: Vec<String> = cells
            .iter()
            .zip(self.head.iter().map(Some).chain(std::iter::repeat(None)))
            .filter(|(cell, _)| !cell.is_empty())
            .map(|(cell, head)| match head.filter(|head| !head.is_empty()) {
                Some(head) => format!("{head}: {cell}"),
                None => cell.clone(),
            })
            .collect();
        if !named.is_empty() {
            self.units.push(format!("- {}", named.join("; ")));
        }
    }

    fn end_unit(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return;
        }
        self.units.push(if self.in_item > 0 {
            format!("- {line}")
        } else {
            line
        });
    }

    fn end_section(&mut self) {
        self.end_unit();
        let path: Vec<&str> = self.path.iter().map(|(_, title)| title.as_str()).collect();
        let heading = path.join(" › ");
        let anchor = path.last().map(|title| slug(title)).unwrap_or_default();
        let mut text = String::new();
        for unit in std::mem::take(&mut self.units) {
            for piece in pieces(&unit) {
                if !text.is_empty()
                    && text.chars().count() + piece.chars().count() > MAX_CHUNK_CHARS
                {
                    self.push(&heading, &anchor, &mut text);
                }
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&piece);
            }
        }
        self.push(&heading, &anchor, &mut text);
    }

    fn push(&mut self, heading: &str, anchor: &str, text: &mut String) {
        if !text.is_empty() {
            self.chunks.push(Chunk {
                heading: heading.to_owned(),
                anchor: anchor.to_owned(),
                text: std::mem::take(text),
            });
        }
    }
}

/// The unit, or when it alone is longer than a chunk, runs of its sentences; a sentence without end is cut by
/// characters.
fn pieces(unit: &str) -> Vec<String> {
    if unit.chars().count() <= MAX_CHUNK_CHARS {
        return vec![unit.to_owned()];
    }
    let mut out: Vec<String> = Vec::new();
    for sentence in sentences(unit) {
        let chars: Vec<char> = sentence.chars().collect();
        for part in chars.chunks(MAX_CHUNK_CHARS) {
            match out.last_mut() {
                Some(last) if last.chars().count() + part.len() < MAX_CHUNK_CHARS => {
                    last.push(' ');
                    last.extend(part);
                }
                _ => out.push(part.iter().collect()),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "---\ntitle: \"Mon CV\"\nlang: fr\nurl: /cv.html\n---\nAvant.\n\n# Emplois\n\n## Acme\n\nJ'ai \
        *dirigé* une équipe\nde cinq.\n\n- Kubernetes\n- `Rust`\n  - async\n\n| Ville | Année |\n|---|---|\n| Rennes | 2020 |\n\
        \n# Études\n\nBac.\n";

    #[test]
    fn structure_becomes_chunks() {
        let document = Document::parse(DOCUMENT);
        assert_eq!(
            (document.title.as_str(), document.language.as_str()),
            ("Mon CV", "fr")
        );
        insta::assert_debug_snapshot!(document.chunks());
    }

    #[test]
    fn without_front_matter_the_first_heading_is_the_title() {
        assert_eq!(Document::parse("text\n# Titre\n").title, "Titre");
        assert_eq!(Document::parse("").title, "Document");
        assert!(Document::parse("").chunks().is_empty());
    }

    #[test]
    fn long_sections_are_cut_and_nothing_is_lost() {
        let sentence = "Une phrase assez courte pour tenir. ";
        let body = format!("# T\n\n{}\n\n{}", sentence.repeat(200), "x".repeat(5_000));
        let chunks = Document::parse(&body).chunks();
        assert!(chunks.len() > 5);
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let all: String = chunks.iter().map(|chunk| bare(&chunk.text)).collect();
        assert_eq!(all, bare(&body.replace("# T", "")));
        for chunk in chunks {
            assert!(
                chunk.text.chars().count() <= MAX_CHUNK_CHARS,
                "{}",
                chunk.text.len()
            );
            assert_eq!(chunk.anchor, "t");
        }
    }
}
