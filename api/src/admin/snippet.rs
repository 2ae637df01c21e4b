//! Snippets that put a bubble onto pages, for HTML and for frameworks.

use serde::{Deserialize, Serialize};

/// Code that puts the bubble into a site, one snippet for each framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snippets {
    /// The snippets, the simplest first.
    pub items: Vec<Snippet>,
}

/// A file, or a part of one, with the site's key and the edge's address in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snippet {
    /// Framework or use of the snippet, such as "React".
    pub name: String,
    /// A name for the file.
    pub file: String,
    /// The language it is written in, as highlighters call it.
    pub language: String,
    /// The text.
    pub content: String,
}
