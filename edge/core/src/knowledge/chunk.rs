//! Documents cut into chunks by their structure.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use bulle_edge_text::{Document, sentences, slug};

/// Longest chunk, in tokens as [`size`] counts them.
pub const MAX_CHUNK_TOKENS: usize = 350;

/// Most characters of a heading; one that is longer is text, too.
const MAX_HEADING_CHARS: usize = 200;

/// Estimated size of a text in tokens, rather too large: a token is four letters of Latin, two of another alphabet, one
/// character of Chinese. An error of a third is good enough for cutting. The estimate for prices is
/// [`bulle_edge_text::tokens()`]; with it a Russian document would be cut into chunks twice as long.
pub fn size(text: &str) -> usize {
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

/// A part of a document that is indexed and quoted as a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Path of headings, `A › B`.
    pub heading: String,
    /// Fragment of the section's heading, which is its `{#id}` or made from its words, or `page=12` in a file of pages;
    /// empty before the first of either.
    pub anchor: String,
    /// One unit a line: a paragraph, a list item (`- `), a table row (`- `), a line of code.
    pub text: String,
}

/// The chunks of a document, in order. A section longer than [`MAX_CHUNK_TOKENS`] is cut between its units, a unit that
/// is still longer between its sentences. Chunks do not overlap. In a file of pages, a line `<!-- page 12 -->` gives
/// the page of the following text: the anchor of its chunks is that page, and no chunk spans two pages.
pub fn chunks(document: &Document) -> Vec<Chunk> {
    let mut cutter = Cutter::default();
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_HEADING_ATTRIBUTES;
    for (event, range) in Parser::new_ext(&document.body, options).into_offset_iter() {
        cutter.event(event, document.body.get(range).unwrap_or_default());
    }
    cutter.end_section();
    cutter.chunks
}

#[derive(Default)]
struct Cutter {
    chunks: Vec<Chunk>,
    path: Vec<Heading>,
    /// Of the heading that is being read: its id, and text in braces that is not an id.
    attributes: (Option<String>, String),
    /// Units of the section, and the page on which each begins.
    units: Vec<(String, Option<u32>)>,
    line: String,
    in_code: bool,
    page: Option<u32>,
    in_item: usize,
    head: Vec<String>,
    cells: Vec<String>,
}

struct Heading {
    level: HeadingLevel,
    title: String,
    anchor: String,
}

impl Cutter {
    fn event(&mut self, event: Event<'_>, source: &str) {
        match event {
            Event::Start(Tag::Heading { id, classes, .. }) => {
                self.end_unit();
                self.end_section();
                let braces = match (&id, classes.as_slice()) {
                    (None, []) => in_braces(source),
                    _ => "",
                };
                self.attributes = (id.map(CowStr::into_string), braces.to_owned());
            }
            Event::End(TagEnd::Heading(level)) => self.end_heading(level),
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

    fn end_heading(&mut self, level: HeadingLevel) {
        let (id, braces) = std::mem::take(&mut self.attributes);
        let mut line = std::mem::take(&mut self.line).trim().to_owned();
        if !line.ends_with('}') && !braces.is_empty() {
            line = format!("{line} {braces}");
        }
        let title: String = line.chars().take(MAX_HEADING_CHARS).collect();
        self.path.retain(|above| above.level < level);
        self.path.push(Heading {
            level,
            anchor: id.unwrap_or_else(|| slug(&title)),
            title,
        });
        if line.chars().nth(MAX_HEADING_CHARS).is_some() {
            self.line = line;
            self.end_unit();
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
        let path: Vec<&str> = self.path.iter().map(|part| part.title.as_str()).collect();
        let heading = path.join(" › ");
        let section = self.path.last().map_or("", |part| part.anchor.as_str());
        let section = section.to_owned();
        let at =
            |page: Option<u32>| page.map_or_else(|| section.clone(), |page| format!("page={page}"));
        let (mut text, mut taken, mut anchor) = (String::new(), 0, String::new());
        for (unit, page) in std::mem::take(&mut self.units) {
            for piece in pieces(&unit) {
                let more = size(&piece) + 1;
                let full = taken + more > MAX_CHUNK_TOKENS || at(page) != anchor;
                if !text.is_empty() && full {
                    self.push(&heading, &anchor, &mut text);
                }
                if text.is_empty() {
                    (taken, anchor) = (0, at(page));
                } else {
                    text.push('\n');
                }
                text.push_str(&piece);
                taken += more;
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

/// Text in braces that the parser took for an attribute: `{n}` of `## The sets {n}`; empty when there is none.
fn in_braces(heading: &str) -> &str {
    let line = heading.trim_end_matches(['#', '=', '-', ' ', '\n']);
    line.rfind('{')
        .filter(|_| line.ends_with('}'))
        .and_then(|at| line.get(at..))
        .unwrap_or_default()
}

/// The page that a comment `<!-- page 12 -->` names.
fn page(html: &str) -> Option<u32> {
    let inside = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    inside.trim().strip_prefix("page ")?.trim().parse().ok()
}

/// The unit, or runs of its sentences when the unit alone is longer than a chunk. A sentence that is too long is cut
/// between words, and a word that is too long between characters.
fn pieces(unit: &str) -> Vec<String> {
    const MAX: usize = MAX_CHUNK_TOKENS - 1;
    if size(unit) <= MAX {
        return vec![unit.to_owned()];
    }
    let mut out: Vec<String> = Vec::new();
    let mut taken = 0;
    let mut add = |part: &str, out: &mut Vec<String>| {
        let more = size(part) + 1;
        match out.last_mut() {
            Some(last) if taken + more <= MAX => {
                last.push(' ');
                last.push_str(part);
                taken += more;
            }
            _ => {
                out.push(part.to_owned());
                taken = more;
            }
        }
    };
    for sentence in sentences(unit) {
        if size(sentence) <= MAX {
            add(sentence, &mut out);
            continue;
        }
        for word in sentence.split_whitespace() {
            let mut rest = word;
            while size(rest) > MAX {
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
        insta::assert_debug_snapshot!(chunks(&document));
    }

    #[test]
    fn long_sections_are_cut_and_nothing_is_lost() {
        let sentence = "Une phrase assez courte pour tenir. ";
        let body = format!("# T\n\n{}\n\n{}", sentence.repeat(200), "x".repeat(5_000));
        let chunks = chunks(&Document::parse(&body));
        assert!(chunks.len() > 5);
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let all: String = chunks.iter().map(|chunk| bare(&chunk.text)).collect();
        assert_eq!(all, bare(&body.replace("# T", "")));
        for chunk in chunks {
            assert!(
                size(&chunk.text) <= MAX_CHUNK_TOKENS,
                "{}",
                chunk.text.len()
            );
            assert_eq!(chunk.anchor, "t");
        }
    }

    #[test]
    fn scripts_without_spaces_are_cut_between_sentences() {
        let body = "我们学习中文。".repeat(200);
        let chunks = chunks(&Document::parse(&body));
        assert!(chunks.len() > 3);
        for chunk in &chunks {
            assert!(size(&chunk.text) <= MAX_CHUNK_TOKENS);
            assert!(chunk.text.ends_with('。'), "{}", chunk.text);
        }
    }

    fn headings(body: &str) -> Vec<(String, String)> {
        let chunks = chunks(&Document::parse(body));
        let pairs = chunks
            .into_iter()
            .map(|chunk| (chunk.heading, chunk.anchor));
        pairs.collect()
    }

    #[test]
    fn a_heading_that_has_an_id_keeps_it() {
        for (heading, title, anchor) in [
            ("## Prix & horaires {#prix}", "Prix & horaires", "prix"),
            ("## 料金 {#料金}", "料金", "料金"),
            ("# The *end* {#the_end.2:b .wide}", "The end", "the_end.2:b"),
            ("## Mind {.note}", "Mind", "mind"),
            ("## No id", "No id", "no-id"),
            (
                "## The sets {1, 2, n}",
                "The sets {1, 2, n}",
                "the-sets-1-2-n",
            ),
            ("## With x {a=b}", "With x {a=b}", "with-x-a-b"),
            ("## Braces \\{#x\\}", "Braces {#x}", "braces-x"),
            ("## The set {n} ##", "The set {n}", "the-set-n"),
            ("The set {n}\n====", "The set {n}", "the-set-n"),
        ] {
            let expected = (title.to_owned(), anchor.to_owned());
            assert_eq!(headings(&format!("{heading}\n\ntext\n")), [expected]);
        }
        let inner = "# A {#a}\n\none\n\n## B\n\ntwo\n\n# C {#c}\n\n<!-- page 3 -->\n\nthree\n";
        let seen = headings(inner);
        let seen: Vec<_> = seen.iter().map(|(h, a)| (h.as_str(), a.as_str())).collect();
        assert_eq!(seen, [("A", "a"), ("A › B", "b"), ("C", "page=3")]);
    }

    #[test]
    fn a_heading_without_end_is_text() {
        let long = "word ".repeat(500);
        let chunks = chunks(&Document::parse(&format!("# {long}\n\nbody\n")));
        assert!(chunks.iter().all(|chunk| chunk.heading.len() <= 200));
        let text: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        assert_eq!(text.join(" ").matches("word").count(), 500);
        assert!(text.join(" ").ends_with("body"));
    }

    #[test]
    fn pages_are_anchors_and_code_keeps_its_lines() {
        let body = "# A\n\nbefore\n\n<!-- page 2 -->\n\n## B\n\ntwo\n\n<!-- page x -->\n\n```sh\nif a\n  b\n\nfi\n```\n\n\
            <!-- page 3 -->\n\nmore\n";
        let chunks = chunks(&Document::parse(body));
        let seen: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk.anchor.as_str(), chunk.text.as_str()))
            .collect();
        let code = "two\nif a\n  b\nfi";
        assert_eq!(
            seen,
            [("a", "before"), ("page=2", code), ("page=3", "more")]
        );
    }

    #[test]
    fn an_empty_document_has_no_chunks() {
        assert!(chunks(&Document::parse("")).is_empty());
    }
}
