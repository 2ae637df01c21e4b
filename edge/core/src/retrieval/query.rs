//! From a visitor's words to an FTS5 expression.

use sha2::{Digest, Sha256};

use crate::text::{has_stopwords, have_words_with, is_greeting, is_stopword, stem, words};

/// Most words of a question that are searched for.
const MAX_TERMS: usize = 12;

/// The words that carry the meaning of a question, folded, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<String>);

impl Terms {
    /// The terms of a question in this language (its primary subtag; the stopwords of all languages go when it
    /// has no list).
    pub fn of(question: &str, language: &str) -> Self {
        let language = has_stopwords(language).then_some(language);
        let mut terms: Vec<String> = Vec::new();
        for word in words(question) {
            if !is_stopword(&word, language) && !is_greeting(&word) && !terms.contains(&word) {
                terms.push(word);
            }
        }
        terms.truncate(MAX_TERMS);
        Self(terms)
    }

    /// Without the words of the bot's own name, which every document holds; unless nothing else is asked.
    pub fn without_name(mut self, name: &str) -> Self {
        let name = words(name);
        if self.0.iter().any(|term| !name.contains(term)) {
            self.0.retain(|term| !name.contains(term));
        }
        self
    }

    /// True when the question has no word of its own.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// For each term, whether a word of the text starts with its stem.
    pub fn matches(&self, text: &str) -> Vec<bool> {
        let stems: Vec<&str> = self.0.iter().map(|term| stem(term)).collect();
        have_words_with(text, &stems)
    }

    /// The share of the terms that stand in any of the texts, 0 to 1.
    pub fn coverage(&self, texts: &[&str]) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        let found = self.matches(&texts.join("\n"));
        found.iter().filter(|held| **held).count() as f64 / self.0.len() as f64
    }

    /// The FTS5 expression: the scope and any of the terms, each quoted (so that nothing a visitor writes is
    /// syntax) and matched by its stem.
    pub fn expression(&self, tenant_id: &str, bot_id: &str) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let any: Vec<String> = self
            .0
            .iter()
            .map(|term| {
                let quoted = format!("\"{}\"", stem(term).replace('"', "\"\""));
                if term.chars().count() > 2 {
                    format!("{quoted}*")
                } else {
                    quoted
                }
            })
            .collect();
        Some(format!(
            "scope : {} AND {{title heading body}} : ({})",
            scope(tenant_id, bot_id),
            any.join(" OR ")
        ))
    }
}

/// The word that marks the chunks of a bot in the index, so that a search never reads another tenant's.
pub fn scope(tenant_id: &str, bot_id: &str) -> String {
    let digest = Sha256::digest(format!("{tenant_id}/{bot_id}"));
    let mut word = String::from("s");
    for byte in digest.iter().take(12) {
        word.push_str(&format!("{byte:02x}"));
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_in_a_question_is_only_words() {
        for (question, expected) in [
            (
                "Quelle est ton expérience avec Kubernetes ?",
                "(\"experienc\"* OR \"kubernet\"*)",
            ),
            (
                "C++ NEAR(go, 5) AND \"rust\" - : *",
                "(\"near\"* OR \"go\" OR \"5\" OR \"and\"* OR \"rust\"*)",
            ),
            ("東京 tower", "(\"東\" OR \"京\" OR \"tower\"*)"),
        ] {
            let expression = Terms::of(question, "fr").expression("t", "b").unwrap();
            let expected = format!(
                "scope : {} AND {{title heading body}} : {expected}",
                scope("t", "b")
            );
            assert_eq!(expression, expected, "{question}");
        }
        assert_eq!(Terms::of("Et toi ?", "fr").expression("t", "b"), None);
    }

    #[test]
    fn scopes_differ_by_tenant_and_bot() {
        assert_ne!(scope("a", "b"), scope("a", "c"));
        assert_ne!(scope("a", "b"), scope("b", "b"));
        assert!(scope("a", "b").chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn the_bots_name_is_asked_for_only_when_nothing_else_is() {
        let terms = |question: &str| Terms::of(question, "fr").without_name("Maëlle Kervadec");
        assert_eq!(terms("Quel âge a Maëlle ?"), Terms::of("âge", "fr"));
        assert_eq!(terms("Qui est Maëlle ?"), Terms::of("Maëlle", "fr"));
    }

    #[test]
    fn coverage_counts_terms_by_stem() {
        let terms = Terms::of("clusters Kubernetes en production", "fr");
        assert_eq!(terms.coverage(&["Un cluster Kubernetes"]), 2.0 / 3.0);
        assert_eq!(Terms::default().coverage(&["x"]), 0.0);
    }
}
