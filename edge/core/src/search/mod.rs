//! Text made ready for the index, and questions for a search in it, by the same code in every language.
//!
//! The index gets words that are already folded and cut, so that SQLite only has to find them: its own tokenizers take
//! a Chinese sentence for one word, and cut Hindi words at their vowel signs. Each word carries the scope, a word made
//! from tenant and bot: a search can meet no other bot's rows, and reads none.

pub mod fold;
pub mod rank;
pub mod stem;
pub mod stop;
pub mod words;

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use words::words;

/// The words of one bot begin with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// The columns of a row of `chunk_fts`, beside its rowid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The bot's own word, once for each row.
    pub scope: String,
    /// Words of the title.
    pub title: String,
    /// Words of the path of headings.
    pub heading: String,
    /// Words of the text.
    pub body: String,
}

impl Scope {
    /// The scope of a bot.
    pub fn of(tenant_id: &str, bot_id: &str) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let digest = Sha256::digest(format!("{tenant_id}/{bot_id}"));
        // 60 bits. Two bots of one scope would blur each other's ranking; rows are also joined by tenant and bot.
        let word = digest.iter().take(12).filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
        Self(word.map(|letter| char::from(*letter)).collect())
    }

    /// A word of this bot, as the index has it.
    pub fn word(&self, key: &str) -> String {
        format!("{}{key}", self.0)
    }
}

/// What a chunk puts into the index.
pub fn index_columns(scope: &Scope, title: &str, heading: &str, text: &str, language: &str) -> Columns {
    let _ = language;
    let column = |text: &str| {
        let mut out = String::new();
        for word in words(text) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&scope.word(&word.key));
        }
        out
    };
    Columns { scope: scope.0.clone(), title: column(title), heading: column(heading), body: column(text) }
}

/// A search as the index is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Whose chunks.
    pub scope: Scope,
    /// Any of these words, as [`Word::key`](words::Word::key) has them.
    pub keys: Vec<String>,
}

/// What the index has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Best first.
    pub hits: Vec<crate::retrieval::Hit>,
    /// In how many of the bot's chunks each key stands; none when it is not there.
    pub chunks: HashMap<String, u32>,
    /// Number of the bot's chunks.
    pub all: u32,
}

/// Chunks that a search may look at for the words that it looks for, see `search.sql`.
pub const MAX_ROWS: u32 = 20_000;

impl Query {
    /// The words as the index has them.
    pub fn words(&self) -> Vec<String> {
        self.keys.iter().map(|key| self.scope.word(key)).collect()
    }

    /// What was found, from the chunks and from the counts of the words, that of the scope's own among them.
    pub fn found(
        &self,
        hits: Vec<crate::retrieval::Hit>,
        counts: impl IntoIterator<Item = (String, u32)>,
    ) -> Found {
        let mut found = Found { hits, ..Found::default() };
        for (word, chunks) in counts {
            match word.strip_prefix(&self.scope.0) {
                Some("") => found.all = chunks,
                Some(key) => {
                    found.chunks.insert(key.to_owned(), chunks);
                }
                None => {}
            }
        }
        found
    }
}
