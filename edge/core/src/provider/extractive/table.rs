//! Tables: a question is answered with the rows and the columns that it asks for.

use bulle_edge_text::{kind::FactKind, stop, words::words};

use super::{
    part::Part,
    row::Row,
    unit::{Finder, Scored, Unit},
};
use crate::retrieval::Passages;

/// From this share of the best match on a row or a column is meant, too.
const ALSO: f64 = 0.95;

/// Most rows that are shown.
const MAX_ROWS: usize = 8;

/// What of a table answers: a row is its name with the cells that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted<'a> {
    /// The headings, that of the names first.
    pub heads: Vec<&'a str>,
    /// Names with their cells.
    pub rows: Vec<Vec<&'a str>>,
}

impl<'a> Extracted<'a> {
    /// Takes the columns of another in that has the same rows; false when it has not.
    pub fn take_in(&mut self, other: &Self) -> bool {
        let names = |rows: &[Vec<&'a str>]| -> Vec<&'a str> {
            rows.iter().filter_map(|row| row.first().copied()).collect()
        };
        if names(&self.rows) != names(&other.rows) {
            return false;
        }
        for (at, head) in other.heads.iter().enumerate().skip(1) {
            if self.heads.contains(head) {
                continue;
            }
            self.heads.push(head);
            for (row, more) in self.rows.iter_mut().zip(&other.rows) {
                row.push(more.get(at).copied().unwrap_or_default());
            }
        }
        true
    }
}

/// The rows of the table around a row, and their columns, that the part of the question asks for.
pub fn extract<'a>(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    units: &[Unit<'a>],
    around: &Unit<'a>,
) -> Option<Extracted<'a>> {
    let row = around.row.as_ref()?;
    let beside = units
        .iter()
        .filter(|unit| unit.passage.n == around.passage.n);
    let rows: Vec<&Row<'a>> = beside
        .filter_map(|unit| unit.row.as_ref())
        .filter(|other| other.is_beside(row))
        .collect();
    let language = passages.language();
    let matched: Vec<f64> = rows
        .iter()
        .map(|row| row_match(passages, finder, row, language))
        .collect();
    // Where rows are named, these and no others.
    let named: Vec<&Row<'a>> = rows
        .iter()
        .copied()
        .filter(|row| share(finder, row.name(), language) >= 1.0)
        .take(MAX_ROWS)
        .collect();
    let chosen = if named.len() > 1 {
        named.iter().collect()
    } else {
        best(&rows, &matched, MAX_ROWS)
    };
    let mut heads: Vec<&'a str> = Vec::new();
    for cell in chosen.iter().flat_map(|row| row.cells.iter().skip(1)) {
        if !heads.contains(&cell.head) {
            heads.push(cell.head);
        }
    }
    let by_name: Vec<f64> = heads
        .iter()
        .map(|head| head_match(passages, part, finder, head, language))
        .collect();
    let mut columns: Vec<&'a str> = best(&heads, &by_name, heads.len())
        .into_iter()
        .copied()
        .collect();
    let fact = |head: &&&'a str| {
        let cells = chosen
            .iter()
            .flat_map(|row| &row.cells)
            .filter(|cell| cell.head == **head);
        let holds = |kind: FactKind, value: &str| kind.is_in(value, language);
        let mut cells = cells.peekable();
        cells.peek().is_some()
            && part
                .kind
                .is_some_and(|kind| cells.all(|cell| holds(kind, cell.value)))
    };
    // Nothing names a column: those with the fact that is asked for.
    let with_fact: Vec<&'a str> = heads.iter().filter(|head| fact(head)).copied().collect();
    if !with_fact.is_empty() && by_name.iter().all(|found| *found <= 0.0) {
        columns = with_fact;
    }
    let name = row.cells.first().map_or("", |cell| cell.head);
    let rows = chosen.iter().map(|row| {
        let value = |head: &&'a str| {
            let found = row.cells.iter().skip(1).find(|cell| cell.head == *head);
            found.map_or("", |cell| cell.value)
        };
        std::iter::once(row.name())
            .chain(columns.iter().map(value))
            .collect()
    });
    Some(Extracted {
        rows: rows.collect(),
        heads: std::iter::once(name)
            .chain(columns.iter().copied())
            .collect(),
    })
}

/// How much of what is asked a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All.
    Whole,
    /// A row, and not all that is asked of it.
    Row,
    /// None of its rows is meant, and not all that is asked is in it.
    None,
}

/// How much of what is asked the table around a row holds, with its heading.
pub fn fit(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    units: &[Unit<'_>],
    around: &Scored<'_, '_>,
) -> Fit {
    let language = passages.language();
    let n = around.unit.passage.n;
    let rows = units
        .iter()
        .filter(|unit| unit.passage.n == n && unit.row.is_some());
    let texts: Vec<&str> = rows.clone().map(|unit| unit.text).collect();
    let held = finder.strengths(&texts.join("\n"));
    let asking = FactKind::of(part.text, language).map_or_else(Vec::new, |asked| words(asked.with));
    let misses = (passages.terms().words().iter().zip(&part.weights))
        .zip(held.iter().zip(&around.above))
        .any(|((term, weight), (held, above))| {
            let asks = asking.iter().any(|word| word.form == term.form);
            *weight >= 1.0 && *held <= 0.0 && *above <= 0.0 && !asks
        });
    let mut rows = rows.filter_map(|unit| unit.row.as_ref());
    match (
        misses,
        rows.any(|row| row_match(passages, finder, row, language) > 0.0),
    ) {
        (false, _) => Fit::Whole,
        (true, true) => Fit::Row,
        (true, false) => Fit::None,
    }
}

/// The best of the items, those nearly as good among them; all when none is any good.
fn best<'i, T>(items: &'i [T], matched: &[f64], most: usize) -> Vec<&'i T> {
    let top = matched.iter().copied().fold(0.0, f64::max);
    let good = items
        .iter()
        .zip(matched)
        .filter(|(_, found)| top <= 0.0 || **found >= top * ALSO);
    good.map(|(item, _)| item).take(most).collect()
}

/// How much of the question a row holds, in its name and in its cells; of two alike, the one whose name says no more.
fn row_match(passages: &Passages, finder: &Finder<'_>, row: &Row<'_>, language: &str) -> f64 {
    let name = finder.strengths(row.name());
    let cells: Vec<&str> = row.cells.iter().skip(1).map(|cell| cell.value).collect();
    let cells = finder.exact(&cells.join("; "));
    let held: Vec<f64> = name
        .iter()
        .zip(&cells)
        .map(|(name, cell)| name.max(*cell))
        .collect();
    if held.iter().all(|held| *held <= 0.0) && !finder.covers(row.name(), language) {
        return 0.0;
    }
    let calendar = if finder.covers(row.name(), language) {
        1.0
    } else {
        0.0
    };
    passages.share(&held) + calendar + 0.2 * share(finder, row.name(), language)
}

fn head_match(
    passages: &Passages,
    part: &Part<'_>,
    finder: &Finder<'_>,
    head: &str,
    language: &str,
) -> f64 {
    let found = finder.strengths(head);
    // The words of a day or of a time weigh here, though a sentence that answers need not have them.
    let held: Vec<f64> = found
        .iter()
        .zip(&part.weights)
        .map(|(found, weight)| {
            if *weight == 0.0 {
                *found
            } else {
                found * weight
            }
        })
        .collect();
    passages.share(&held) * (0.5 + share(finder, head, language))
}

/// The share of the words of a text that stand in the question.
fn share(finder: &Finder<'_>, text: &str, language: &str) -> f64 {
    let words = words(text);
    let words = words
        .iter()
        .filter(|word| !stop::is_stopword(&word.form, Some(language)));
    let asked: Vec<bool> = words.map(|word| finder.is_asked(word)).collect();
    asked.iter().filter(|asked| **asked).count() as f64 / asked.len().max(1) as f64
}
