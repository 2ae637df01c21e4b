//! What the browser keeps between two pages, under `bulle:{site}`.

use bulle_protocol::Id;
use serde::Serialize;

use crate::{json, wire};

/// The visitor's token and conversation. Written from the first message on, never before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// For `resume`.
    pub token: String,
    /// The open conversation; absent after the visitor asked for a new one.
    pub conversation: Option<Id>,
}

impl Stored {
    /// Reads what an earlier page has written; anything unreadable counts as nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut v = json::parse(text)?;
        Some(Self {
            conversation: wire::id(&v, "conversation"),
            token: wire::string(&mut v, "token")?,
        })
    }

    /// The text to keep.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_shrugs_at_the_rest() {
        let stored = Stored {
            token: "t".into(),
            conversation: Some(Id::from_parts(1, 1)),
        };
        assert_eq!(Stored::parse(&stored.to_json()), Some(stored));
        assert_eq!(Stored::parse("{}"), None);
        assert_eq!(Stored::parse("nonsense"), None);
        assert_eq!(
            Stored::parse("{\"token\":\"t\"}").map(|s| s.conversation),
            Some(None)
        );
    }
}
