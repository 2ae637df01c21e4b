//! The words of a question that carry its meaning.

use crate::{
    search::{
        Query, Scope,
        fold::fold,
        kind::Kind,
        rank::likeness,
        stop,
        words::{Word, has_compounds, part_keys, words},
    },
    text::is_greeting,
};

/// Most words of a question that are searched for; a piece of a text without spaces is one.
const MAX_TERMS: usize = 32;

/// From this likeness on two forms are one word.
const SAME: f64 = 0.6;

/// The words that carry the meaning of a question, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    words: Vec<Word>,
    /// Single characters of Chinese, which help to find and to rank.
    letters: Vec<Word>,
    compounds: bool,
    kind: Option<Kind>,
}

impl Terms {
    /// The terms of a question in this language (its primary subtag; the stopwords of all languages go when it
    /// has no list).
    pub fn of(question: &str, language: &str) -> Self {
        let compounds = !language.is_empty() && has_compounds(language);
        let kind = Kind::of(question, language);
        let language = stop::has_words(language).then_some(language);
        let mut terms: Vec<Word> = Vec::new();
        for word in words(&stop::cut(&fold(question))) {
            let empty = !word.gram && stop::is_stopword(&word.form, language);
            if !empty && !is_greeting(&word.form) && !terms.contains(&word) {
                terms.push(word);
            }
        }
        let (mut letters, mut words) = terms.into_iter().partition::<Vec<_>, _>(Word::is_letter);
        if words.is_empty() {
            std::mem::swap(&mut letters, &mut words);
        }
        words.truncate(MAX_TERMS);
        letters.truncate(MAX_TERMS);
        Self {
            words,
            letters,
            compounds,
            kind,
        }
    }

    /// Without the words of the bot's own name, which every document holds; unless nothing else is asked.
    pub fn without_name(mut self, name: &str) -> Self {
        let name = words(name);
        let is_name = |term: &Word| name.iter().any(|word| word.form == term.form);
        if !self.words.iter().all(is_name) {
            self.words.retain(|term| !is_name(term));
        }
        self
    }

    /// True when the question has no word of its own.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The terms.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Single characters of the question that count beside its terms.
    pub fn letters(&self) -> &[Word] {
        &self.letters
    }

    /// Whether their language writes compounds as one word.
    pub fn compounds(&self) -> bool {
        self.compounds
    }

    /// What kind of fact is asked for.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// For each term, whether a form of it stands in the text.
    pub fn matches(&self, text: &str) -> Vec<bool> {
        let words = words(text);
        let held = |term: &Word| {
            words
                .iter()
                .any(|word| likeness(term, word, self.compounds) >= SAME)
        };
        self.words.iter().map(held).collect()
    }

    /// The share of the terms that stand in any of the texts, 0 to 1.
    pub fn coverage(&self, texts: &[&str]) -> f64 {
        if self.words.is_empty() {
            return 0.0;
        }
        let found = self.matches(&texts.join("\n"));
        found.iter().filter(|held| **held).count() as f64 / self.words.len() as f64
    }

    /// What the index is asked for.
    pub fn query(&self, tenant_id: &str, bot_id: &str) -> Query {
        let mut keys: Vec<String> = Vec::new();
        for word in self.words.iter().chain(&self.letters) {
            let parts = if self.compounds {
                part_keys(word)
            } else {
                Vec::new()
            };
            for key in std::iter::once(word.key.clone()).chain(parts) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        Query {
            scope: Scope::of(tenant_id, bot_id),
            keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_question_is_only_words() {
        for (question, language, expected) in [
            (
                "Quelle est ton expérience avec Kubernetes ?",
                "fr",
                &["experience", "kubernetes"][..],
            ),
            (
                "C++ NEAR(go, 5) AND \"rust\" - : *",
                "fr",
                &["c＋＋", "near", "go", "5", "and", "rust"],
            ),
            ("東京タワーはどこですか。", "ja", &["東京", "タワ", "ワー"]),
            ("ร้านเปิดกี่โมง", "th", &["ร้า", "าน", "นเ", "เป", "ปิ", "ิด"]),
            ("किताब कहाँ है?", "hi", &["किताब"]),
            ("😀 🎉", "en", &[]),
            ("", "", &[]),
        ] {
            let terms = Terms::of(question, language);
            let forms: Vec<_> = terms.words().iter().map(|word| &*word.form).collect();
            if language == "th" {
                assert!(forms.len() >= 3, "{forms:?}");
                continue;
            }
            assert_eq!(forms, expected, "{question}");
        }
    }

    #[test]
    fn a_long_question_is_cut() {
        let terms = Terms::of(&"x".repeat(100_000), "en");
        assert_eq!((terms.len(), terms.words()[0].form.len()), (1, 40));
        let many: String = (0..500).map(|n| format!("word{n} ")).collect();
        assert_eq!(Terms::of(&many, "en").len(), MAX_TERMS);
        let joined: String = (0x4e00..0x5e00).filter_map(char::from_u32).collect();
        assert!(Terms::of(&joined, "zh").query("t", "b").keys.len() <= 2 * MAX_TERMS);
    }

    #[test]
    fn the_bots_name_is_asked_for_only_when_nothing_else_is() {
        let asked = |question: &str| {
            let terms = Terms::of(question, "fr").without_name("Maëlle Kervadec");
            let forms = terms.words().iter().map(|word| word.form.clone());
            forms.collect::<Vec<_>>()
        };
        assert_eq!(asked("Quel âge a Maëlle ?"), ["age"]);
        assert_eq!(asked("Qui est Maëlle ?"), ["maelle"]);
    }

    #[test]
    fn coverage_counts_terms_by_stem() {
        let terms = Terms::of("clusters Kubernetes en production", "fr");
        assert_eq!(terms.coverage(&["Un cluster Kubernetes"]), 2.0 / 3.0);
        assert_eq!(Terms::default().coverage(&["x"]), 0.0);
    }
}
