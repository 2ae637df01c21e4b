//! Suggestions of what to ask next when the model wrote none: passages that were found and not cited, then the owner's own
//! suggestions.

use bulle_protocol::event::Suggestions;

use crate::{
    guard::Question,
    retrieval::{Passages, query::Terms},
    search::Hit,
};
use bulle_edge_text::{
    language,
    words::{Word, words},
};

/// Headings of passages that were found and not cited, in the language of the question, then the owner's
/// suggestions: at most three, none of which repeats the question or one that was `asked` before.
pub fn suggest(
    question: &Question,
    passages: &Passages,
    cites: &[u32],
    asked: &[&str],
) -> Vec<String> {
    let bot = &question.site().bot;
    let spoken = passages.language();
    let mut taken: Vec<Vec<Word>> = asked.iter().map(|text| words(text)).collect();
    taken.push(words(question.text()));
    let mut out = Vec::new();
    let mut offer = |text: &str, out: &mut Vec<String>| {
        let said = words(text);
        let fits = !said.is_empty() && text.chars().count() <= Suggestions::MAX_CHARS;
        if fits && out.len() < Suggestions::MAX && !taken.contains(&said) {
            taken.push(said);
            out.push(text.to_owned());
        }
    };
    let is_cited = |n: u32| cites.contains(&n);
    let used: Vec<&str> = (passages.items().iter())
        .filter(|passage| is_cited(passage.n))
        .map(|passage| passage.hit.heading.as_str())
        .collect();
    for passage in passages.items() {
        let hit = &passage.hit;
        let heading = hit.heading.rsplit(" › ").next().unwrap_or_default();
        let used = is_cited(passage.n) || used.contains(&hit.heading.as_str());
        let in_title = within(heading, &hit.title, spoken);
        let asks_it = within(heading, question.text(), spoken);
        if !used && !in_title && !asks_it && speaks(hit, spoken) {
            offer(heading, &mut out);
        }
    }
    for text in [spoken, question.locale(), bot.locale.as_str()]
        .iter()
        .find_map(|tag| bot.suggestions.0.get(*tag))
        .or(bot.suggestions.get(spoken, &bot.locale))
        .into_iter()
        .flatten()
    {
        offer(text, &mut out);
    }
    out
}

/// Whether the text has all words of the heading. A heading that repeats the title names no section, and one that repeats
/// the question is answered already.
fn within(heading: &str, text: &str, language: &str) -> bool {
    Terms::of(heading, language)
        .matches(text)
        .into_iter()
        .all(|held| held)
}

/// Whether the passage is in the language, by its document's tag, else by its words; true when neither tells.
fn speaks(hit: &Hit, language: &str) -> bool {
    if hit.language.is_empty() {
        return language::detect(&hit.text).is_none_or(|found| found.tag == language);
    }
    hit.speaks(language)
}

#[cfg(test)]
mod tests;
