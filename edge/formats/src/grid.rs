//! Tables of all formats: finds the header row and writes the table.
//!
//! Most exports of word processors and site editors, and all PDFs, do not mark the header row. [`names_columns`] recognises it by
//! the rows below: they have values where the header has words. A table of two columns without a header is written as a list of
//! pairs, `- Monday: 9–12`.

use crate::{faq_names, raised, write};

/// Most characters of the name of a column.
const MAX_NAME: usize = 60;

/// Most characters of such names when the rows below have no values.
const SHORT_NAME: usize = 30;

/// Whether the first row names the columns.
pub(crate) fn names_columns(rows: &[Vec<String>]) -> bool {
    let Some((head, body)) = rows.split_first() else {
        return false;
    };
    let wide = rows.iter().map(Vec::len).max().unwrap_or(0);
    if body.is_empty() || wide < 2 || head.len() < wide {
        return false;
    }
    let names = head.iter().skip(1);
    let named = names.clone().all(|cell| is_name(cell)) && !is_value(head.first());
    let distinct = names
        .clone()
        .enumerate()
        .all(|(at, cell)| head.iter().skip(at + 2).all(|other| other != cell));
    if !named || !distinct {
        return false;
    }
    if head.first().is_some_and(String::is_empty) || is_faq(head) {
        return true;
    }
    let mostly = |at: usize, wanted: fn(&str) -> bool| {
        let cells = body.iter().filter_map(|row| row.get(at));
        let cells: Vec<&String> = cells.filter(|cell| !cell.is_empty()).collect();
        let count = cells.iter().filter(|cell| wanted(cell)).count();
        !cells.is_empty() && count * 5 >= cells.len() * 3
    };
    let differs = head.iter().enumerate().any(|(at, name)| {
        let money = !raised::is_money(name) && mostly(at, raised::is_money);
        money || (!has_digit(name) && mostly(at, |cell| is_value(Some(&cell.to_owned()))))
    });
    let short = |cell: &String| cell.chars().count() <= SHORT_NAME && !has_digit(cell);
    differs || (wide > 2 && body.len() > 1 && head.iter().all(short))
}

fn is_faq(head: &[String]) -> bool {
    head.iter().any(|name| faq_names::is_question(name))
        && head.iter().any(|name| faq_names::is_answer(name))
}

fn is_name(cell: &str) -> bool {
    !cell.is_empty()
        && cell.chars().count() <= MAX_NAME
        && !raised::is_money(cell)
        && (cell.chars().any(char::is_alphabetic) || is_year(cell))
        && !cell.ends_with(['.', '!', ';'])
}

fn is_year(cell: &str) -> bool {
    cell.parse::<u32>()
        .is_ok_and(|year| (1900..2100).contains(&year))
}

fn has_digit(cell: &str) -> bool {
    cell.chars().any(char::is_numeric)
}

/// Whether the cell holds a value: a number, or a sign for yes or no.
fn is_value(cell: Option<&String>) -> bool {
    const SIGNS: &[&str] = &[
        "✓", "✔", "✗", "✘", "✕", "x", "–", "—", "-", "yes", "no", "oui", "non", "ja", "nein", "sí",
        "si", "sì", "nee", "nej", "tak", "nie",
    ];
    cell.is_some_and(|cell| has_digit(cell) || SIGNS.contains(&cell.to_lowercase().as_str()))
}

/// Words in the name of a column of prices.
const PRICES: [&str; 10] = [
    "price", "prices", "preis", "preise", "prix", "precio", "prezzo", "prijs", "cena", "preço",
];

/// The rows with the decimals of prices that only the name of their column makes prices: `18⁰⁰` below `Price`.
fn priced(head: &[String], rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut rows = rows.to_vec();
    for (at, name) in head.iter().enumerate() {
        let lower = name.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphabetic());
        if raised::is_money(name) || words.any(|word| PRICES.contains(&word)) {
            let cells = rows.iter_mut().filter_map(|row| row.get_mut(at));
            cells.for_each(|cell| *cell = raised::price(cell));
        }
    }
    rows
}

/// Writes a table of escaped cells; the head may be empty.
pub(crate) fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let rows = &priced(head, rows);
    let wide = rows.iter().map(Vec::len).max().unwrap_or(0).max(head.len());
    if head.is_empty() && wide <= 2 {
        write::blank_line(out);
        for row in rows {
            pair(out, row);
        }
        write::blank_line(out);
        return;
    }
    // A row with one text across all columns divides the table; both parts have the same header.
    let mut part: Vec<Vec<String>> = Vec::new();
    for row in rows {
        match spanning(row, wide) {
            Some(text) if wide > 2 => {
                if !part.is_empty() {
                    write::table(out, head, &std::mem::take(&mut part));
                }
                write::block(out, &write::line(text));
            }
            _ => part.push(row.clone()),
        }
    }
    if !part.is_empty() || rows.is_empty() {
        write::table(out, head, &part);
    }
}

/// The text of a row that is one text: it spans all columns, or stands alone in the first.
fn spanning(row: &[String], wide: usize) -> Option<&String> {
    let (first, rest) = row.split_first()?;
    let one = rest.iter().all(String::is_empty)
        || (row.len() == wide && rest.iter().all(|cell| cell == first));
    (one && !first.is_empty()).then_some(first)
}

/// `- name: value`.
fn pair(out: &mut String, row: &[String]) {
    let cells: Vec<&str> = row
        .iter()
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty())
        .collect();
    let line = match cells.as_slice() {
        [name, value] if name.ends_with([':', '?', '：', '？']) => format!("{name} {value}"),
        cells => cells.join(": "),
    };
    write::item(out, 0, &line);
}

/// Rows of names as one, column by column: `Summer Day` of `Summer` above `Day`.
pub(crate) fn heads(rows: Vec<Vec<String>>) -> Vec<String> {
    let mut head: Vec<String> = Vec::new();
    for (at, cell) in rows.into_iter().flat_map(|row| row.into_iter().enumerate()) {
        match head.get_mut(at) {
            Some(above) if above.is_empty() => *above = cell,
            Some(above) if *above != cell && !cell.is_empty() => {
                *above = format!("{above} {cell}");
            }
            Some(_) => {}
            None => head.push(cell),
        }
    }
    head
}

/// Writes rows of which the first may name the columns.
pub(crate) fn guessed(out: &mut String, rows: &[Vec<String>]) {
    match rows.split_first().filter(|_| names_columns(rows)) {
        Some((head, rows)) => table(out, head, rows),
        None => table(out, &[], rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let cells = |line: &str| {
            line.split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        text.split(" / ").map(cells).collect()
    }

    #[test]
    fn the_row_that_names_the_columns_is_told_by_what_stands_below() {
        for named in [
            "Item | Half day | Day / City bike | €14 | €22 / E-bike | €29 | €45",
            "Product | Price / Bread | 2 €",
            " | Basic | Pro / Storage | ten gigabytes | endless",
            "Bike | 4 hours | 1 day / City | €14 | €22",
            "Name | Town | Trade / Ada | Rennes | baker / Bo | Lyon | smith",
            "Product | 2024 | 2025 / Bread | 2,10 € | 2,40 €",
            "Question | Answer / Dogs? | On a lead.",
            "Plan | Wifi / Basic | no / Pro | yes",
        ] {
            assert!(names_columns(&rows(named)), "{named}");
        }
        for unnamed in [
            "Monday | 9–12 / Tuesday | 14–18",
            "Monday | 9–12 | 14–18 / Tuesday | 9–12 | 14–17",
            "Name | Ada / Town | Rennes",
            "Bread | 2 € / Cake | 18 €",
            "one",
            "a | b",
        ] {
            assert!(!names_columns(&rows(unnamed)), "{unnamed}");
        }
    }

    #[test]
    fn a_column_of_prices_has_no_times() {
        let mut out = String::new();
        let told =
            "Item | Price | Opens / Bread | 2⁴⁰ | 9⁰⁰ / Cake | 18⁰⁰ | 18⁰⁰ / Tart | 18:50 | 9:30";
        guessed(&mut out, &rows(told));
        assert_eq!(
            out,
            "| Item | Price | Opens |\n|---|---|---|\n| Bread | 2,40 | 9:00 |\n| Cake | 18,00 | 18:00 |\n| Tart | 18,50 | 9:30 |\n\n"
        );
    }

    #[test]
    fn pairs_are_a_list_and_a_text_across_parts_a_table() {
        let mut out = String::new();
        guessed(&mut out, &rows("Monday | 9–12 / Dogs? | On a lead."));
        assert_eq!(out, "- Monday: 9–12\n- Dogs? On a lead.\n\n");
        let mut out = String::new();
        let price = "Item | Day | Week / Summer | Summer | Summer / Bike | 22 € | 95 €";
        guessed(&mut out, &rows(price));
        assert_eq!(
            out,
            "Summer\n\n| Item | Day | Week |\n|---|---|---|\n| Bike | 22 € | 95 € |\n\n"
        );
    }
}
