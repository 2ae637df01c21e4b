//! What a page of a site says.

use bulle_edge_core::sources::Trouble;
use bulle_edge_formats::{File, page, read};
use bulle_edge_text::Document;

use super::{document::unreadable, fetch::Fetched};

/// What a page said.
pub(super) struct Said {
    /// Its text; nothing when it is not wanted.
    pub document: Option<Document>,
    /// Where it leads.
    pub links: Vec<String>,
    /// What it wants to be called.
    pub canonical: Option<String>,
}

/// What a page says.
pub(super) fn hear(fetched: &Fetched) -> Result<Said, Trouble> {
    let bytes = fetched.bytes.as_deref().unwrap_or_default();
    let kind = fetched.content_type.as_deref();
    let is_page = kind.is_none_or(|kind| kind.to_ascii_lowercase().contains("html"));
    if is_page {
        let page = page(bytes, fetched.url.as_str(), kind).map_err(|e| unreadable(&e))?;
        let wanted = !page.noindex && !page.document.body.trim().is_empty();
        return Ok(Said {
            document: wanted.then_some(page.document),
            links: if page.nofollow {
                Vec::new()
            } else {
                page.links
            },
            canonical: page.canonical.filter(|_| !page.noindex),
        });
    }
    let name = fetched.url.path().rsplit('/').next().unwrap_or_default();
    let documents = read(&File {
        name,
        content_type: kind,
        url: fetched.url.as_str(),
        bytes,
    });
    let documents = documents.map_err(|e| unreadable(&e))?;
    Ok(Said {
        document: bulle_edge_core::sources::content::merge(documents, name),
        links: Vec::new(),
        canonical: None,
    })
}
