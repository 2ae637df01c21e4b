//! Suggested questions when the model wrote none: about the sections of passages that were found and not cited, then the
//! owner's own suggestions.

use bulle_protocol::event::Suggestions;

use crate::{
    knowledge::heading,
    retrieval::{Analysed, Passages, query::Terms},
    search::Hit,
};
use bulle_edge_text::{
    language,
    words::{Word, words},
};

/// Questions about the sections of passages that were found and not cited, in the language of the question, then the owner's
/// suggestions: at most three, none of which repeats the question or an `earlier` one.
pub fn suggest(
    asked: &Analysed<'_>,
    passages: &Passages,
    cites: &[u32],
    earlier: &[&str],
) -> Vec<String> {
    let bot = &asked.question().site().bot;
    let spoken = asked.language();
    let mut taken: Vec<Vec<Word>> = earlier.iter().map(|text| words(text)).collect();
    taken.push(asked.words().to_vec());
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
        let section = hit.heading.rsplit(" › ").next().unwrap_or_default();
        let used = is_cited(passage.n) || used.contains(&hit.heading.as_str());
        let terms = Terms::of(section, spoken);
        let holds_all = |text: &[Word]| terms.held_by(text).into_iter().all(|held| held);
        // A heading that repeats the title names no section; one that repeats the question would suggest the same
        // question.
        let known = holds_all(&words(&hit.title)) || holds_all(asked.words());
        if !used && !known && speaks(hit, spoken) {
            let question = heading::question(&bot.name, &hit.title, &hit.heading, spoken);
            offer(&question.unwrap_or_default(), &mut out);
        }
    }
    for text in [spoken, asked.question().locale(), bot.locale.as_str()]
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

/// Whether the passage is in the language: by its document's tag, else by its words; true when neither decides it.
fn speaks(hit: &Hit, language: &str) -> bool {
    if hit.language.is_empty() {
        return language::detect(&hit.text).is_none_or(|found| found.tag == language);
    }
    hit.speaks(language)
}

#[cfg(test)]
mod tests;
