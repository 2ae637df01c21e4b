//! RSS 2.0, RSS 1.0, Atom and JSON feed.

use crate::{Document, Unreadable};

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// What the feed calls it; its address when it has no name.
    pub id: String,
    /// When it was last changed, as it is written; empty when it is not said.
    pub updated: String,
    /// Its text. The address is absolute.
    pub document: Document,
}

/// The entries, in the feed's order, at most [`crate::limits::MAX_FEED_ENTRIES`].
///
/// # Errors
/// Not a feed, broken, or over a limit.
pub fn feed(bytes: &[u8], url: &str) -> Result<Vec<FeedEntry>, Unreadable> {
    let _ = (bytes, url);
    Err(Unreadable::unsupported("This format is not read yet."))
}
