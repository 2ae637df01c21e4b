//! Sitemaps and their indexes.

use crate::Unreadable;

/// An address of a sitemap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapEntry {
    /// As it is written, without white space around it.
    pub url: String,
    /// When it was last changed, as it is written (W3C date).
    pub lastmod: Option<String>,
}

/// What a sitemap lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages.
    pub pages: Vec<SitemapEntry>,
    /// Further sitemaps.
    pub sitemaps: Vec<SitemapEntry>,
}

/// Reads a sitemap, an index of sitemaps or a text with an address a line, each possibly packed by gzip.
///
/// # Errors
/// Not a sitemap, broken, or over a limit.
pub fn sitemap(bytes: &[u8]) -> Result<Sitemap, Unreadable> {
    let _ = bytes;
    Err(Unreadable::unsupported("This format is not read yet."))
}
