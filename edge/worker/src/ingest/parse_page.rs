//! Reading the page of a site: its text, its links, its canonical address.

use bulle_edge_core::sources::{FailureCode, FetchError, content};
use bulle_edge_formats::{File, Unreadable, UnreadableCode, page, read};
use bulle_edge_text::Document;

use super::fetch_page::{Fetched, is_page};

/// A page that was read.
pub struct ParsedPage {
    /// Its text; `None` when it has none.
    pub document: Option<Document>,
    /// Whether the page forbids indexing it.
    pub noindex: bool,
    /// The addresses that it links to; empty when the page forbids following them.
    pub links: Vec<String>,
    /// The address that it names as its canonical one.
    pub canonical: Option<String>,
}

/// Reads what was fetched: a page with its links, or a file of another kind.
///
/// # Errors
/// The content cannot be read.
pub fn parse_page(fetched: &Fetched) -> Result<ParsedPage, FetchError> {
    let bytes = fetched.bytes.as_deref().unwrap_or_default();
    let content_type = fetched.content_type.as_deref();
    let rules = fetched.rules;
    if is_page(content_type) {
        let page = page(bytes, fetched.url.as_str(), content_type).map_err(|e| unreadable(&e))?;
        let noindex = rules.noindex || page.rules.noindex;
        let nofollow = rules.nofollow || page.rules.nofollow;
        return Ok(ParsedPage {
            document: Some(page.document).filter(|document| !document.body.trim().is_empty()),
            noindex,
            links: if nofollow { Vec::new() } else { page.links },
            canonical: page.canonical,
        });
    }
    if rules.noindex {
        return Ok(ParsedPage {
            document: None,
            noindex: true,
            links: Vec::new(),
            canonical: None,
        });
    }
    let name = fetched.url.path().rsplit('/').next().unwrap_or_default();
    let documents = read(&File {
        name,
        content_type,
        url: fetched.url.as_str(),
        bytes,
    })
    .map_err(|e| unreadable(&e))?;
    Ok(ParsedPage {
        document: content::merge(documents, name),
        noindex: false,
        links: Vec::new(),
        canonical: None,
    })
}

/// The error of a source for the error of a format.
pub fn unreadable(error: &Unreadable) -> FetchError {
    let code = match error.code {
        UnreadableCode::Encrypted => FailureCode::Encrypted,
        UnreadableCode::NoText => FailureCode::NoText,
        UnreadableCode::Corrupt => FailureCode::Corrupt,
        UnreadableCode::TooLarge => FailureCode::TooLarge,
        UnreadableCode::Unsupported => FailureCode::Unsupported,
        UnreadableCode::Mislabelled => FailureCode::Mislabelled,
        UnreadableCode::UseTheCommandLine => FailureCode::UseTheCommandLine,
    };
    FetchError::permanent(code, error.detail.clone())
}
