//! Documents cut into chunks by their structure.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::document::Document;
use crate::text::{sentences, slug};

/// Longest chunk, in tokens as [`tokens`] counts them.
pub const MAX_CHUNK_TOKENS: usize = 350;

/// Tokens of a text, roughly: a token is four letters of Latin, two of another alphabet, one character of Chinese.
/// It may be wrong by a third; that is enough to cut by.
pub fn tokens(text: &str) -> usize {
    let quarters: usize = text.chars().map(quarters).sum();
    quarters.div_ceil(4)
}

/// Quarters of a token that a character counts for.
fn quarters(c: char) -> usize {
    match u32::from(c) {
        0..=0x24f => 1,
        0x2e80..=0xd7af | 0xf900..=0xfaff | 0x1f000.. => 4,
        _ => 2,
    }
}

/// A piece of a document that is indexed and quoted as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Path of headings, `A › B`.
    pub heading: String,
    /// Fragment of the section's heading, or `page=12` in a file of pages; empty before the first of either.
    pub anchor: String,
    /// One unit a line: a paragraph, a list item (`- `), a table row (`- `), a line of code.
    pub text: String,
}

impl Document {
    /// The chunks, in order. A section longer than [`MAX_CHUNK_TOKENS`] is cut between its units, a unit that is
    /// longer still between its sentences. Chunks do not overlap. Where a line `<!-- page 12 -->` says on which page
    /// of a file the text stands, their anchor is that page.
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
    /// With the page on which each begins.
    units: Vec<(String, Option<u32>)>,
    line: String,
    in_code: bool,
    page: Option<u32>,
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
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
                self.end_unit();
                self.in_code = true;
            }
            Event::End(TagEnd::CodeBlock) => {
                self.in_code = false;
                self.end_code();
            }
            Event::Html(html) => self.page = page(&html).or(self.page),
            Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock) => self.end_unit(),
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
            self.units
                .push((format!("- {}", named.join("; ")), self.page));
        }
    }

    fn end_unit(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return;
        }
        let unit = if self.in_item > 0 {
            format!("- {line}")
        } else {
            line
        };
        self.units.push((unit, self.page));
    }

    /// Code keeps its lines and their indentation.
    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.line);
        let lines = code
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        self.units
            .extend(lines.map(|line| (line.to_owned(), self.page)));
    }

    fn end_section(&mut self) {
        self.end_unit();
        let path: Vec<&str> = self.path.iter().map(|(_, title)| title.as_str()).collect();
        let heading = path.join(" › ");
        let section = path.last().map(|title| slug(title)).unwrap_or_default();
        let at =
            |page: Option<u32>| page.map_or_else(|| section.clone(), |page| format!("page={page}"));
        let (mut text, mut size, mut anchor) = (String::new(), 0, String::new());
        for (unit, page) in std::mem::take(&mut self.units) {
            for piece in pieces(&unit) {
                let more = tokens(&piece) + 1;
                if !text.is_empty() && size + more > MAX_CHUNK_TOKENS {
                    self.push(&heading, &anchor, &mut text);
                }
                if text.is_empty() {
                    (size, anchor) = (0, at(page));
                } else {
                    text.push('\n');
                }
                text.push_str(&piece);
                size += more;
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

/// The page that a comment `<!-- page 12 -->` names.
fn page(html: &str) -> Option<u32> {
    let inside = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    inside.trim().strip_prefix("page ")?.trim().parse().ok()
}

/// The unit, or when it alone is longer than a chunk, runs of its sentences; a sentence without end is cut between
/// words, a word without end anywhere.
fn pieces(unit: &str) -> Vec<String> {
    const MAX: usize = MAX_CHUNK_TOKENS - 1;
    if tokens(unit) <= MAX {
        return vec![unit.to_owned()];
    }
    let mut out: Vec<String> = Vec::new();
    let mut size = 0;
    let mut add = |part: &str, out: &mut Vec<String>| {
        let more = tokens(part) + 1;
        match out.last_mut() {
            Some(last) if size + more <= MAX => {
                last.push(' ');
                last.push_str(part);
                size += more;
            }
            _ => {
                out.push(part.to_owned());
                size = more;
            }
        }
    };
    for sentence in sentences(unit) {
        if tokens(sentence) <= MAX {
            add(sentence, &mut out);
            continue;
        }
        for word in sentence.split_whitespace() {
            let mut rest = word;
            while tokens(rest) > MAX {
                let mut spent = 0;
                let cut = rest.char_indices().find(|(_, c)| {
                    spent += quarters(*c);
                    spent > MAX * 4
                });
                let Some((head, tail)) = cut.and_then(|(at, _)| rest.split_at_checked(at)) else {
                    break;
                };
                add(head, &mut out);
                rest = tail;
            }
            add(rest, &mut out);
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
                tokens(&chunk.text) <= MAX_CHUNK_TOKENS,
                "{}",
                chunk.text.len()
            );
            assert_eq!(chunk.anchor, "t");
        }
    }

    #[test]
    fn scripts_without_spaces_are_cut_between_sentences() {
        let body = "我们学习中文。".repeat(200);
        let chunks = Document::parse(&body).chunks();
        assert!(chunks.len() > 3);
        for chunk in &chunks {
            assert!(tokens(&chunk.text) <= MAX_CHUNK_TOKENS);
            assert!(chunk.text.ends_with('。'), "{}", chunk.text);
        }
    }

    #[test]
    fn pages_are_anchors_and_code_keeps_its_lines() {
        let body = "# A\n\nbefore\n\n<!-- page 2 -->\n\n## B\n\ntwo\n\n<!-- page x -->\n\n```sh\nif a\n  b\n\nfi\n```\n";
        let chunks = Document::parse(body).chunks();
        let seen: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk.anchor.as_str(), chunk.text.as_str()))
            .collect();
        assert_eq!(seen, [("a", "before"), ("page=2", "two\nif a\n  b\nfi")]);
    }
}
