//! Files that visitors attach, as material for answers.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// A file that a visitor has attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its text, as Markdown.
    pub text: String,
}
