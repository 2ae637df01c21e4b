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

/// A chunk that may become a passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The chunk. Unless it is whole, heading, text and address are missing.
    pub hit: Hit,
    /// Whether nothing is missing.
    pub whole: bool,
    /// What was stored for ranking, as JSON for [`Indexed::read`](super::Indexed::read). `None` when nothing was: then the
    /// chunk is whole.
    pub words: Option<String>,
}

impl Candidate {
    /// Takes heading, text and address from the same chunk, which is whole.
    pub fn fill(&mut self, whole: Hit) {
        let score = self.hit.score;
        self.hit = Hit { score, ..whole };
        self.whole = true;
    }
}

impl From<Hit> for Candidate {
    fn from(hit: Hit) -> Self {
        Self {
            hit,
            whole: true,
            words: None,
        }
    }
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
