//! The embedded model: answers with what the owner's documents say, and with nothing else. It needs no network and no key, it
//! cannot invent, and it says so when the documents do not answer.
//!
//! A question is parted into the questions it is made of ([`part`]), the passages into sentences, items and rows of tables
//! ([`unit`]). For each part the shortest that is complete is chosen ([`choose`], [`table`]); where the documents say so, the answer
//! begins with yes or no ([`verdict`]). The words that this takes are tables in `edge/text`; in a language that has none of
//! them, sentences are found by the words of the question alone.

mod choose;
mod exact;
mod part;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod unit;
mod verdict;
mod write;

use crate::{
    guard::Question,
    retrieval::Passages,
    settings::BotSettings,
    strings::{self, AnswerTexts},
};
use choose::{Answered, Quote, is_same};
use write::{escape, write};

/// Name of the provider and of its model.
pub const NAME: &str = "extractive";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    /// Markdown in pieces, about one a sentence, with `[n]` for passage `n`.
    pub pieces: Vec<String>,
    /// Topics to ask about, when the documents do not answer.
    pub suggestions: Vec<String>,
    /// False when the documents do not answer.
    pub found: bool,
}

/// What is asked, by whom and of which bot.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The question.
    pub text: &'a str,
    /// The served locale of the visitor.
    pub locale: &'a str,
    /// The bot.
    pub bot: &'a BotSettings,
}

impl<'a> From<&'a Question> for Asked<'a> {
    fn from(question: &'a Question) -> Self {
        Self {
            text: question.text(),
            locale: question.locale(),
            bot: &question.site().bot,
        }
    }
}

/// Answers from the passages.
pub fn answer<'a>(question: impl Into<Asked<'a>>, passages: &Passages) -> Extract {
    let asked = question.into();
    let locale = strings::negotiate(&[passages.language(), asked.locale]);
    let texts = strings::texts(locale).answers;
    if passages.terms().is_empty() {
        return hello(asked, locale, &texts);
    }
    if passages.names_what_is_unknown() {
        return nothing(asked, locale, &texts);
    }
    let units = unit::units(passages);
    let parts = part::parts(asked.text, passages);
    let mut answers: Vec<Answered<'_>> = (parts.iter())
        .filter_map(|part| choose::answer(passages, part, &units))
        .collect();
    if answers.is_empty() {
        return nothing(asked, locale, &texts);
    }
    // What is no exact answer is said only where there is none.
    let sure = answers.iter().any(|answer| answer.sure);
    answers.retain(|answer| answer.sure || !sure);
    let mut pieces = Vec::new();
    if !sure {
        pieces.push(format!("{}\n\n", texts.closest));
    }
    let half = sure && answers.len() < parts.len();
    pieces.extend(said(answers, passages, &texts));
    if half {
        pieces.push(format!("\n\n{}", texts.half));
    }
    Extract {
        pieces,
        suggestions: Vec::new(),
        found: true,
    }
}

/// The answers to the parts of a question, each thing once.
fn said(answers: Vec<Answered<'_>>, passages: &Passages, texts: &AnswerTexts) -> Vec<String> {
    let mut groups: Vec<(Option<bool>, Vec<Quote<'_>>)> = Vec::new();
    for answer in answers {
        let mut new = answer.quotes;
        for (_, quotes) in &mut groups {
            new.retain(|quote| {
                !quotes
                    .iter_mut()
                    .any(|said| takes_in(said, quote, passages.language()))
            });
        }
        match groups.last_mut() {
            Some((None, quotes)) if answer.verdict.is_none() => quotes.extend(new),
            _ if new.is_empty() && answer.verdict.is_none() => {}
            _ => groups.push((answer.verdict, new)),
        }
    }
    let mut pieces = Vec::new();
    for (verdict, quotes) in groups {
        if !pieces.is_empty() {
            pieces.push("\n\n".to_owned());
        }
        if let Some(verdict) = verdict {
            pieces.push(if verdict {
                texts.yes.clone()
            } else {
                texts.no.clone()
            });
            let sentence = matches!(quotes.first(), Some(Quote::Text { is_item: false, .. }));
            let line =
                matches!(quotes.first(), Some(Quote::Table { cells, .. }) if cells.rows.len() == 1);
            match quotes.is_empty() {
                true => {}
                false if sentence || line => pieces.push(" ".to_owned()),
                false => pieces.push("\n\n".to_owned()),
            }
        }
        pieces.extend(write(&quotes));
    }
    pieces
}

/// Whether what was said says the quotation, too; of two rows with the same names, the columns are put together.
fn takes_in<'a>(said: &mut Quote<'a>, new: &Quote<'a>, language: &str) -> bool {
    match (said, new) {
        (Quote::Text { text, .. }, Quote::Text { text: new, .. }) => {
            text == new || is_same(text, new, language)
        }
        (Quote::Table { n, cells }, Quote::Table { n: m, cells: new }) if n == m => {
            cells.take_in(new)
        }
        _ => false,
    }
}

fn hello(asked: Asked<'_>, locale: &str, texts: &AnswerTexts) -> Extract {
    let bot = asked.bot;
    let greeting = bot.greeting.get(locale, &bot.locale);
    let mut pieces = vec![escape(greeting.unwrap_or(&texts.hello))];
    pieces.extend(topics(asked, locale, texts));
    Extract {
        pieces,
        suggestions: suggestions(asked, locale),
        found: true,
    }
}

fn nothing(asked: Asked<'_>, locale: &str, texts: &AnswerTexts) -> Extract {
    let mut pieces = vec![texts.nothing_found.clone()];
    pieces.extend(topics(asked, locale, texts));
    Extract {
        pieces,
        suggestions: suggestions(asked, locale),
        found: false,
    }
}

fn topics(asked: Asked<'_>, locale: &str, texts: &AnswerTexts) -> Vec<String> {
    let bot = asked.bot;
    let Some(topics) = bot
        .topics
        .get(locale, &bot.locale)
        .filter(|t| !t.is_empty())
    else {
        return Vec::new();
    };
    let items: Vec<String> = topics
        .iter()
        .map(|topic| format!("\n- {}", escape(topic)))
        .collect();
    vec![format!("\n\n{}\n{}", texts.topics, items.concat())]
}

fn suggestions(asked: Asked<'_>, locale: &str) -> Vec<String> {
    let bot = asked.bot;
    bot.suggestions
        .get(locale, &bot.locale)
        .cloned()
        .unwrap_or_default()
}
