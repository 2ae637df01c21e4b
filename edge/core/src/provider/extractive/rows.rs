//! Rows of tables in the answers of the embedded model: the rows and the cells that the question asks for. A row of a chunk is
//! `Item: E-bike; Half day: €29; Day: €45`, and its name is the first value.

use crate::retrieval::query::Terms;
use bulle_edge_text::{
    fold::fold,
    words::{Word, words},
};

/// Fewest cells of a row that is shortened.
const MIN_CELLS: usize = 3;

/// Whether an item of a list is a row with named cells.
pub(super) fn is_row(item: &str) -> bool {
    item.contains("; ") && item.split("; ").all(|cell| cell.contains(": "))
}

/// Whether the question says the name of the row.
pub(super) fn is_named(question: &str, row: &str) -> bool {
    let first = row.split("; ").next().unwrap_or_default();
    let name = first.split_once(": ").map(|(_, name)| fold(name));
    let Some(name) = name.filter(|name| is_row(row) && name.chars().count() > 1) else {
        return false;
    };
    let question = fold(question);
    question.match_indices(&name).any(|(at, _)| {
        let before = question.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// The row with its first cell and the cells whose columns the question names in full: `Item: E-bike; Day: €45`. The whole row when the question names no column.
pub(super) fn cells_asked_for(terms: &Terms, row: &str) -> String {
    let cells: Vec<(&str, Vec<Word>)> = row
        .split("; ")
        .filter_map(|cell| Some((cell, words(cell.split_once(": ")?.0))))
        .collect();
    let Some((first, others)) = cells.split_first() else {
        return row.to_owned();
    };
    let asked = |name: &[Word]| {
        let in_question = |word: &Word| terms.words().iter().any(|term| terms.is_form(term, word));
        !name.is_empty() && name.iter().all(in_question)
    };
    let named: Vec<_> = others.iter().filter(|(_, name)| asked(name)).collect();
    if cells.len() < MIN_CELLS || cells.len() != row.split("; ").count() || named.is_empty() {
        return row.to_owned();
    }
    // "Half day" is asked for, and not "Day", where the question says both words.
    let is_part = |name: &Vec<Word>| {
        let larger = |other: &[Word]| {
            other.len() > name.len() && name.iter().all(|word| other.contains(word))
        };
        named.iter().any(|(_, other)| larger(other))
    };
    let kept = named.iter().filter(|(_, name)| !is_part(name));
    let kept = kept.map(|(cell, _)| *cell);
    std::iter::once(first.0)
        .chain(kept)
        .collect::<Vec<_>>()
        .join("; ")
}
