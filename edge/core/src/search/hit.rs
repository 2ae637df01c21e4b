//! The hits of the index.

/// A chunk as the index returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its row.
    pub id: i64,
    /// Title of the document.
    pub title: String,
    /// Path of headings, `A › B`; empty before the first heading.
    pub heading: String,
    /// One unit a line: a paragraph, a list item (`- `), a table row.
    pub text: String,
    /// Address of the section.
    pub url: Option<String>,
    /// Language of the document (BCP 47), possibly empty.
    pub language: String,
    /// BM25, higher is better.
    pub score: f64,
}

/// A section of a document, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Title of the document.
    pub title: String,
    /// Path of headings, `A › B`; empty before the first heading.
    pub heading: String,
    /// Language of the document (BCP 47), possibly empty.
    pub language: String,
}

impl Hit {
    /// Whether the document is in the language, in any region.
    pub fn speaks(&self, language: &str) -> bool {
        let primary = self.language.split('-').next().unwrap_or_default();
        primary.eq_ignore_ascii_case(language)
    }
}
