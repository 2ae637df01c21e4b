//! Web pages: what a reader came for, without what surrounds it.

use crate::{Document, Unreadable};

/// A page of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its text. `url` is the canonical address if the page has one of the same origin, else that it was
    /// fetched from. The body is empty if there is nothing to read.
    pub document: Document,
    /// Addresses of its links: absolute, `http` or `https`, without fragment, each once, in the page's order,
    /// navigation included. Those with `rel=nofollow` are left out.
    pub links: Vec<String>,
    /// Addresses of feeds that the page names.
    pub feeds: Vec<String>,
    /// `link rel=canonical`, absolute, whatever its origin.
    pub canonical: Option<String>,
    /// Where `meta http-equiv=refresh` leads, absolute.
    pub refresh: Option<String>,
    /// Whether `meta name=robots` forbids to index it.
    pub noindex: bool,
    /// Whether `meta name=robots` forbids to follow its links.
    pub nofollow: bool,
}

/// Reads a page that was fetched from an address.
///
/// # Errors
/// Not HTML, or over a limit. A page without text is none: its links may be all that is wanted.
pub fn page(html: &[u8], url: &str, content_type: Option<&str>) -> Result<Page, Unreadable> {
    let _ = (html, url, content_type);
    Err(Unreadable::unsupported("This format is not read yet."))
}
