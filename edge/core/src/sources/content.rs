//! The content of a source on its way into the index: one document, its text in parts, its chunks in batches.

use bulle_api::admin::source::FaqEntry;
use bulle_edge_text::{Document, prefix};

use crate::{
    digest::sha256_hex,
    knowledge::{Chunk, chunk::chunks},
    search::{Columns, Scope, index_columns},
};

/// Bytes of a part of a text. A row of the database holds 2 MB.
const PART_BYTES: usize = 400_000;

/// Most chunks of one batch.
const BATCH_CHUNKS: usize = 100;

/// Bytes of chunks and their words after which a batch ends: a value of the database holds 2 MB. The words of the index
/// take four times the bytes of a French text, and twelve times those of a Chinese one.
const BATCH_BYTES: usize = 1_000_000;

/// A chunk with its words for the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'p> {
    /// Number of the chunk within its document, from 0.
    pub position: usize,
    /// The text that is quoted.
    pub chunk: &'p Chunk,
    /// The words that are found.
    pub columns: Columns,
}

/// A document ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Its title in answers, its language, and the page that answers link to.
    pub document: Document,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
    /// SHA-256 of the bytes that it was read from.
    pub checksum: String,
    /// The number of those bytes.
    pub bytes: u64,
    /// Identifies this content, to compare it with content that is staged already.
    pub fingerprint: String,
}

impl Prepared {
    /// Makes the content of a document that was read from these bytes.
    pub fn new(document: Document, checksum: String, bytes: u64) -> Self {
        let chunks = chunks(&document);
        let parts = [
            &document.title,
            &document.language,
            &document.url,
            &document.body,
        ];
        let parts = parts.into_iter().flat_map(|part| [part.as_bytes(), b"\0"]);
        Self {
            fingerprint: sha256_hex(parts),
            document,
            chunks,
            checksum,
            bytes,
        }
    }

    /// The batch that begins with this chunk. Empty when all chunks are written.
    pub fn batch(&self, from: usize, scope: &Scope) -> Vec<Entry<'_>> {
        let Document {
            title, language, ..
        } = &self.document;
        let mut batch = Vec::new();
        let mut bytes = 0;
        for (position, chunk) in self.chunks.iter().enumerate().skip(from) {
            if batch.len() >= BATCH_CHUNKS || bytes >= BATCH_BYTES {
                break;
            }
            let columns = index_columns(scope, title, &chunk.heading, &chunk.text, language);
            bytes += chunk.text.len() + chunk.heading.len();
            bytes += columns.title.len() + columns.heading.len() + columns.body.len();
            bytes += columns.words.len();
            batch.push(Entry {
                position,
                chunk,
                columns,
            });
        }
        batch
    }
}

/// Joins the documents of a file into one: their titles become its headings. `None` when there is none.
pub fn merge(mut documents: Vec<Document>, title: &str) -> Option<Document> {
    if documents.len() <= 1 {
        return documents.pop();
    }
    let first = documents.first()?;
    let (language, url) = (first.language.clone(), first.url.clone());
    let same = |wanted: &str, of: fn(&Document) -> &String| {
        let all = documents.iter().all(|document| of(document) == wanted);
        if all {
            wanted.to_owned()
        } else {
            String::new()
        }
    };
    let mut merged = Document {
        title: title.to_owned(),
        language: same(&language, |document| &document.language),
        url: same(&url, |document| &document.url),
        body: String::new(),
    };
    for document in &documents {
        if !document.body.trim_start().starts_with("# ") {
            merged.body.push_str(&format!("# {}\n\n", document.title));
        }
        merged.body.push_str(document.body.trim());
        merged.body.push_str("\n\n");
    }
    Some(merged)
}

/// Questions and answers as Markdown, with a section for each question.
pub fn faq(entries: &[FaqEntry]) -> String {
    let sections = entries.iter().map(|entry| {
        let question = entry
            .question
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        format!("## {question}\n\n{}\n", entry.answer.trim())
    });
    sections.collect::<Vec<_>>().join("\n")
}

/// The text in parts that fit into a row, cut between characters.
pub fn parts(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let part = prefix(rest, PART_BYTES);
        parts.push(part);
        rest = rest.get(part.len()..).unwrap_or_default();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(title: &str, body: &str) -> Document {
        Document {
            title: title.into(),
            language: "en".into(),
            url: String::new(),
            body: body.into(),
        }
    }

    #[test]
    fn documents_of_one_file_become_one() {
        assert_eq!(merge(Vec::new(), "T"), None);
        let one = document("A", "a");
        assert_eq!(merge(vec![one.clone()], "T"), Some(one));
        let mut other = document("B", "# Bee\n\nb");
        other.language = "fr".into();
        let merged = merge(vec![document("A", "a"), other], "T").unwrap();
        assert_eq!(merged.title, "T");
        assert_eq!(merged.language, "");
        assert_eq!(merged.body, "# A\n\na\n\n# Bee\n\nb\n\n");
        let headings: Vec<String> = chunks(&merged).into_iter().map(|c| c.heading).collect();
        assert_eq!(headings, ["A", "Bee"]);
    }

    #[test]
    fn a_question_is_one_heading() {
        let entries = [FaqEntry {
            question: "How\nmuch?\n# no heading".into(),
            answer: " 5 € ".into(),
        }];
        assert_eq!(faq(&entries), "## How much? # no heading\n\n5 €\n");
    }

    #[test]
    fn texts_are_cut_between_characters_and_nothing_is_lost() {
        assert!(parts("").is_empty());
        let text = "é€𝄞".repeat(200_000);
        let cut = parts(&text);
        assert!(cut.len() > 4 && cut.iter().all(|part| part.len() <= PART_BYTES));
        assert_eq!(cut.concat(), text);
    }

    #[test]
    fn batches_cover_all_chunks_in_order() {
        let body: String = (0..450)
            .map(|n| format!("# H{n}\n\n{}\n\n", "word ".repeat(200)))
            .collect();
        let prepared = Prepared::new(document("T", &body), String::new(), 0);
        let scope = Scope::of("t", "b");
        let mut seen = 0;
        loop {
            let batch = prepared.batch(seen, &scope);
            let Some(first) = batch.first() else {
                break;
            };
            assert_eq!(
                (first.position, first.chunk),
                (seen, &prepared.chunks[seen])
            );
            assert!(first.columns.body.starts_with(&scope.word("word")));
            assert!(batch.len() <= BATCH_CHUNKS);
            seen += batch.len();
        }
        assert_eq!(seen, prepared.chunks.len());
        assert!(prepared.batch(seen + 9, &scope).is_empty());
    }

    #[test]
    fn a_batch_fits_a_value_of_the_database_whatever_its_script_is() {
        let long = "Donaudampfschifffahrtsgesellschaftskapit";
        let heading = "字".repeat(100_000);
        for text in [
            "我们学习中文。".repeat(40_000),
            format!("{long} ").repeat(8_000),
            format!("# {heading}\n\n{}", format!("{long} ").repeat(3_000)),
        ] {
            let mut document = document("T", &text);
            document.language = String::new();
            let prepared = Prepared::new(document, String::new(), 0);
            let mut seen = 0;
            while seen < prepared.chunks.len() {
                let batch = prepared.batch(seen, &Scope::of("t", "b"));
                let bytes: usize = batch
                    .iter()
                    .map(|entry| {
                        let Columns {
                            heading,
                            body,
                            words,
                            ..
                        } = &entry.columns;
                        entry.chunk.text.len()
                            + entry.chunk.heading.len()
                            + heading.len()
                            + body.len()
                            + words.len()
                    })
                    .sum();
                assert!(!batch.is_empty() && bytes < 1_100_000, "{bytes}");
                seen += batch.len();
            }
        }
    }

    #[test]
    fn the_fingerprint_is_of_all_that_is_written() {
        let of = |d: Document| Prepared::new(d, String::new(), 0).fingerprint;
        let base = of(document("A", "a"));
        assert_eq!(base, of(document("A", "a")));
        assert_ne!(base, of(document("B", "a")));
        assert_ne!(base, of(document("A", "b")));
        assert_ne!(of(document("Aa", "")), of(document("A", "a")));
    }
}
