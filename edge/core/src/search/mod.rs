//! Prepares text for the index, and questions for a search in it; the same code serves every language.
//!
//! The index gets words that are already folded and cut, so that SQLite only has to find them: its own tokenizers take
//! a Chinese sentence for one word, and cut Hindi words at their vowel signs. Each word starts with the scope, a hash
//! of tenant and bot, so that a search neither finds nor reads rows of another bot.

mod hit;
pub mod indexed;
pub mod rank;

pub use hit::{Candidate, Hit, Section};
pub use indexed::Indexed;

use bulle_edge_text::words::{Word, has_compounds, part_keys, words};
use std::{collections::HashMap, rc::Rc};

use sha2::{Digest, Sha256};

/// The prefix of all words of one bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// The columns of a row of `chunk_fts`, beside its rowid, and `words` of `chunk`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The scope as a word of its own, once in each row.
    pub scope: String,
    /// Words of the title.
    pub title: String,
    /// Words of the path of headings.
    pub heading: String,
    /// Words of the text.
    pub body: String,
    /// What ranking needs, for the chunk's own row: see [`Indexed`].
    pub words: String,
}

impl Scope {
    /// The scope of a bot.
    pub fn of(tenant_id: &str, bot_id: &str) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let digest = Sha256::digest(format!("{tenant_id}/{bot_id}"));
        // 60 bits. Two bots with the same scope would disturb each other's ranking only; rows are also joined by tenant
        // and bot.
        let word = digest
            .iter()
            .take(12)
            .filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
        Self(word.map(|letter| char::from(*letter)).collect())
    }

    /// A word of this bot, as the index stores it.
    pub fn word(&self, key: &str) -> String {
        format!("{}{key}", self.0)
    }
}

/// The words of a chunk for the index.
pub fn index_columns(
    scope: &Scope,
    title: &str,
    heading: &str,
    text: &str,
    language: &str,
) -> Columns {
    let compounds = has_compounds(language);
    let column = |words: &[Word]| {
        let mut out = String::new();
        let mut push = |key: &str| {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&scope.0);
            out.push_str(key);
        };
        for word in words {
            push(&word.key);
            if compounds {
                part_keys(word).iter().for_each(|key| push(key));
            }
        }
        out
    };
    let (heading, body) = (words(heading), words(text));
    Columns {
        scope: scope.0.clone(),
        title: column(&words(title)),
        heading: column(&heading),
        body: column(&body),
        words: Indexed::of_words(Rc::default(), heading, body, text, language).stored(language),
    }
}

/// What is stored of a chunk beside its words in the index.
pub fn stored_words(heading: &str, text: &str, language: &str) -> String {
    Indexed::of(Rc::default(), heading, text, language).stored(language)
}

/// A query for the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The bot whose chunks are searched.
    pub scope: Scope,
    /// Any of these words, as [`Word::key`](bulle_edge_text::words::Word::key) has them.
    pub keys: Vec<String>,
}

/// The result of the index.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Candidate>,
    /// The nearest chunks of the vector index, nearest first.
    pub near: Vec<Hit>,
    /// The number of the bot's chunks with each key; a key in no chunk is absent.
    pub chunks: HashMap<String, u32>,
    /// Number of the bot's chunks.
    pub all: u32,
}

impl Found {
    /// Whether any of the bot's chunks has the key.
    pub fn holds(&self, key: &str) -> bool {
        self.chunks.get(key).is_some_and(|chunks| *chunks > 0)
    }
}

/// Most chunks that a search reads for its words, see `search.sql`.
pub const MAX_ROWS: u32 = 20_000;

/// Number of chunks whose texts come with the search; of the others only what ranking needs. See `search.sql`.
const MAX_TEXTS: u32 = 12;

/// Most keys whose entries a search gives: a statement takes 100 parameters. A longer question is ranked from the texts.
const MAX_ENTRIES: usize = 90;

/// Most keys in one call of a function, which takes 32 arguments.
const KEYS_OF_CALL: usize = 30;

/// The statement of `search.sql` with the expressions for the entries of these many keys, its parameters from `?7` on.
fn with_entries(sql: &str, keys: usize) -> String {
    let numbers: Vec<usize> = (7..7 + keys).collect();
    let call = |numbers: &[usize]| {
        let all = |each: fn(&usize) -> String| numbers.iter().map(each).collect::<String>();
        let paths = all(|number| format!(", '$.\"' || ?{number} || '\"'"));
        let long = "(found.words ->> '$.\"~\"')";
        let within = all(|number| format!(", instr(found.words ->> '$.\"~\"', ?{number})"));
        format!(
            "json_extract(found.words, '$.\"#\"'{paths}), CASE WHEN max(0{within}) > 0 THEN {long} END"
        )
    };
    let calls: Vec<String> = numbers.chunks(KEYS_OF_CALL).map(call).collect();
    sql.replace("/* entries */", &calls.join(", "))
}

impl Query {
    /// `search.sql` for this query, the keys that are its parameters from `?7` on, and how many of `limit` chunks come with
    /// their texts, `?6`.
    pub fn statement(&self, sql: &str, limit: u32) -> (String, &[String], u32) {
        if self.keys.len() > MAX_ENTRIES {
            return (sql.to_owned(), &[], limit);
        }
        let sql = with_entries(sql, self.keys.len());
        (sql, &self.keys, MAX_TEXTS.min(limit))
    }

    /// The words as the index stores them.
    pub fn words(&self) -> Vec<String> {
        self.keys.iter().map(|key| self.scope.word(key)).collect()
    }

    /// The result, from the chunks and the counts of the words; the count of the scope's own word is the number of
    /// chunks.
    pub fn found(
        &self,
        hits: Vec<Candidate>,
        counts: impl IntoIterator<Item = (String, u32)>,
    ) -> Found {
        let mut found = Found {
            hits,
            ..Found::default()
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::query::Terms;
    use proptest::prelude::*;

    fn body(text: &str, language: &str) -> String {
        let scope = Scope::of("t", "b");
        let columns = index_columns(&scope, "", "", text, language);
        columns.body.replace(&scope.0, "")
    }

    #[test]
    fn scopes_differ_by_tenant_and_bot_and_are_words() {
        assert_ne!(Scope::of("a", "b"), Scope::of("a", "c"));
        assert_ne!(Scope::of("a", "b"), Scope::of("b", "b"));
        let word = Scope::of("a", "b").word("");
        assert!(word.len() == 12 && word.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn every_script_is_cut_into_what_people_search_for() {
        for (text, language, expected) in [
            ("L’Élève d'été, C# !", "fr", "l elev d ete c＃"),
            ("Mitgliedsbeiträge", "de", "mitgl"),
            ("架構師", "zh", "架構 構師 架 構 師"),
            ("東京タワー", "ja", "東京 東 京 タワ ワー"),
            ("한국어를", "ko", "한국 국어 어를"),
            ("ที่นี่", "th", "ที่นี่"),
            ("किताबें हैं", "hi", "किताब हैं"),
            ("والمكتبات", "ar", "مكتب"),
            ("музеями", "ru", "муз"),
            ("Ὀδυσσεύς", "el", "οδυσσ"),
            ("😀 … —", "en", ""),
        ] {
            let found = body(text, language);
            assert!(
                found.starts_with(expected) && (language == "de" || found == expected),
                "{text}: {found}"
            );
        }
    }

    #[test]
    fn a_part_of_a_compound_finds_it_in_german_and_not_in_english() {
        for (language, expected) in [("de", true), ("sv", true), ("", true), ("en", false)] {
            let keys = body("Mitgliedsbeitrag", language);
            assert_eq!(
                keys.split(' ').any(|key| key == "beitr"),
                expected,
                "{language}"
            );
        }
    }

    #[test]
    fn other_forms_of_a_word_are_found() {
        for (question, language, text) in [
            ("rezervasyonu", "tr", "rezervasyon"),
            ("dog", "en", "Dogs"),
            ("Kursgebühren", "de", "Kursgebühr"),
            ("στον Πυθαγόρα", "el", "Πυθαγόρας"),
            ("в музеях", "ru", "музей"),
            ("inscrições", "pt", "inscrição"),
            ("İSTANBUL", "tr", "istanbul"),
            ("المكتبة", "ar", "للمكتبات"),
            ("साइकिल", "hi", "साइकिलें"),
            ("nguoi", "vi", "người"),
        ] {
            let terms = Terms::of(question, language);
            assert!(terms.coverage(&[text]) > 0.4, "{question}: {terms:?}");
        }
    }

    #[test]
    fn what_has_no_spaces_and_no_end_is_cut() {
        for text in ["x".repeat(100_000), "字".repeat(30_000), "ก".repeat(30_000)] {
            let found = body(&text, "");
            assert!(found.split(' ').all(|key| key.chars().count() <= 40));
        }
    }

    #[test]
    fn the_counts_of_other_bots_are_no_counts() {
        let query = Terms::of("pain", "fr").query("t", "b");
        let mine = |key| query.scope.word(key);
        let other = Scope::of("t", "c").word("pain");
        let found = query.found(Vec::new(), [(mine(""), 7), (mine("pain"), 2), (other, 9)]);
        assert_eq!(
            (found.all, found.chunks.get("pain"), found.chunks.len()),
            (7, Some(&2), 1)
        );
    }

    proptest! {
        #[test]
        fn whatever_is_written_becomes_words_that_sqlite_takes_whole(text in ".{0,80}", language in "(de|en|zh|)") {
            for key in body(&text, &language).split(' ') {
                prop_assert!(key.chars().all(|c| !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit()), "{key}");
            }
        }

        #[test]
        fn what_stands_in_a_text_is_found_in_it(text in "[a-zé]{3,12}( [а-я]{3,9}| [ァ-ヲ]{2,5}| [一-龠]{2,5}| [ก-ซ]{2,6}){0,4}") {
            let terms = Terms::of(&text, "xx");
            let keys = body(&text, "xx");
            let asked = terms.query("t", "b").keys;
            for Word { key, .. } in terms.words() {
                prop_assert!(asked.contains(key));
                prop_assert!(keys.split(' ').any(|other| other == key), "{key} in {keys}");
            }
        }
    }
}
