//! The words of a question that carry its meaning.

use crate::{
    search::{
        Query, Scope,
        fold::fold,
        rank::likeness,
        stop,
        words::{Word, words},
    },
    text::is_greeting,
};

/// Most words of a question that are searched for; a piece of a text without spaces is one.
const MAX_TERMS: usize = 32;

/// From this likeness on two forms are one word.
const SAME: f64 = 0.6;

/// The words that carry the meaning of a question, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<Word>);

impl Terms {
    /// The terms of a question in this language (its primary subtag; the stopwords of all languages go when it
    /// has no list).
    pub fn of(question: &str, language: &str) -> Self {
        let language = stop::has_words(language).then_some(language);
        let mut terms: Vec<Word> = Vec::new();
        for word in words(&stop::cut(&fold(question))) {
            let empty = !word.gram && stop::is_stopword(&word.form, language);
            if !empty && !is_greeting(&word.form) && !terms.contains(&word) {
                terms.push(word);
            }
        }
        terms.truncate(MAX_TERMS);
        Self(terms)
    }

    /// Without the words of the bot's own name, which every document holds; unless nothing else is asked.
    pub fn without_name(mut self, name: &str) -> Self {
        let name = words(name);
        let is_name = |term: &Word| name.iter().any(|word| word.form == term.form);
        if !self.0.iter().all(is_name) {
            self.0.retain(|term| !is_name(term));
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

    /// The terms.
    pub fn words(&self) -> &[Word] {
        &self.0
    }

    /// For each term, whether a form of it stands in the text.
    pub fn matches(&self, text: &str) -> Vec<bool> {
        let words = words(text);
        let held = |term: &Word| words.iter().any(|word| likeness(term, word) >= SAME);
        self.0.iter().map(held).collect()
    }

    /// The share of the terms that stand in any of the texts, 0 to 1.
    pub fn coverage(&self, texts: &[&str]) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        let found = self.matches(&texts.join("\n"));
        found.iter().filter(|held| **held).count() as f64 / self.0.len() as f64
    }

    /// What the index is asked for.
    pub fn query(&self, tenant_id: &str, bot_id: &str) -> Query {
        let mut keys: Vec<String> = Vec::new();
        for word in &self.0 {
            if !keys.contains(&word.key) {
                keys.push(word.key.clone());
            }
        }
        Query { scope: Scope::of(tenant_id, bot_id), keys }
    }
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
