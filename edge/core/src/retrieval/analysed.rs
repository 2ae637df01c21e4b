//! The question as the stages after the guard use it: cut into words once, with its language and its terms.

use std::rc::Rc;

use bulle_edge_text::{
    language,
    stop::is_greeting,
    words::{Word, words},
};

use super::query::Terms;
use crate::guard::Question;

/// A question with its analysis, which search, topics and suggestions share.
#[derive(Clone, Debug)]
pub struct Analysed<'q> {
    question: &'q Question,
    language: String,
    words: Rc<[Word]>,
    terms: Terms,
}

impl<'q> Analysed<'q> {
    /// Analyses a question.
    pub fn of(question: &'q Question) -> Self {
        let words: Rc<[Word]> = words(question.text()).into();
        let language = language::guess_of(question.text(), &words, question.locale()).to_owned();
        Self {
            terms: terms(question, question.text(), &language),
            question,
            language,
            words,
        }
    }

    /// The question.
    pub fn question(&self) -> &'q Question {
        self.question
    }

    /// Its language, a primary subtag.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// All of its words, in order.
    pub fn words(&self) -> &Rc<[Word]> {
        &self.words
    }

    /// The words that carry its meaning, without the bot's name.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The terms of the visitor's earlier message, where the question has none of its own ("since when?") and is not a
    /// greeting.
    pub(super) fn terms_of_previous(&self, previous: &str) -> Option<Terms> {
        let greets = || self.words.iter().any(|word| is_greeting(&word.form));
        (self.terms.is_empty() && !greets()).then(|| terms(self.question, previous, &self.language))
    }
}

fn terms(question: &Question, said: &str, language: &str) -> Terms {
    Terms::of(said, language).without_name(&question.site().bot.name)
}
