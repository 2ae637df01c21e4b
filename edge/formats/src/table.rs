//! Tables in text: questions with answers, else rows.
//!
//! A first line `sep=;` sets the separator, as in Excel. Rows of one cell above a table are its title.

use csv::ReaderBuilder;

use crate::{Document, File, Unreadable, charset, faq, faq_names, grid, limits, write};

/// Most rows above a table that are its title.
const MAX_TITLES: usize = 5;

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let text = charset::decode(file.bytes, file.content_type);
    let mut rows = match declared_delimiter(&text) {
        Some((delimiter, rest)) => rows_by(rest, delimiter)?,
        None => rows(&text)?,
    };
    let mut body = String::new();
    if rows.is_empty() {
        return Err(Unreadable::no_text(
            "The table has no rows. Give one that has.",
        ));
    }
    for title in rows.drain(..titles(&rows)).flatten() {
        write::paragraph(&mut body, &title);
    }
    let head = rows.first().cloned().unwrap_or_default();
    let question = head.iter().position(|name| faq_names::is_question(name));
    let answer = head.iter().position(|name| faq_names::is_answer(name));
    if let (Some(question), Some(answer)) = (question, answer) {
        for row in rows.iter().skip(1) {
            let cell = |at: usize| row.get(at).map(String::as_str).unwrap_or_default();
            faq::pair(&mut body, cell(question), cell(answer));
        }
    } else {
        let head = if names_columns(&rows) {
            rows.remove(0)
        } else {
            Vec::new()
        };
        let breaks = write::BREAK.to_string();
        let escaped = |row: &[String]| -> Vec<String> {
            row.iter()
                .map(|cell| write::escape(&cell.replace('\n', &breaks)))
                .collect()
        };
        let cells: Vec<Vec<String>> = rows.iter().map(|row| escaped(row)).collect();
        grid::table(&mut body, &escaped(&head), &cells);
    }
    Ok(Document {
        body,
        ..Document::default()
    })
}

/// The separator that the first line sets (`sep=;`), and the lines below it.
fn declared_delimiter(text: &str) -> Option<(u8, &str)> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (line, rest) = text.split_once('\n')?;
    let line = line.trim_end_matches('\r').trim_matches('"');
    let mark = line
        .get(4..)
        .filter(|_| line.to_ascii_lowercase().starts_with("sep="))?;
    // A program that has saved the file again may have made a row of the line: `sep=;,,`.
    match mark.trim_end_matches(['"', ',']).as_bytes() {
        [] if mark.starts_with(',') => Some((b',', rest)),
        [delimiter] => Some((*delimiter, rest)),
        b"\\t" => Some((b'\t', rest)),
        _ => None,
    }
}

/// Rows at the top that have one cell, where the table below has more.
fn titles(rows: &[Vec<String>]) -> usize {
    let filled = |row: &Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count();
    let count = rows.iter().take_while(|row| filled(row) == 1).count();
    let below = rows.get(count).map_or(0, filled);
    if count <= MAX_TITLES && below > 1 {
        count
    } else {
        0
    }
}

/// The rows that are not empty, with the separator detected.
pub(crate) fn rows(text: &str) -> Result<Vec<Vec<String>>, Unreadable> {
    rows_by(text, delimiter(text))
}

/// The rows, with a known separator.
pub(crate) fn rows_by(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>, Unreadable> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let (mut cells, mut widest) = (0, 0);
    for record in reader.records() {
        let record = record.map_err(|_| {
            Unreadable::corrupt(
                "The table is broken. Open it in a spreadsheet and export it as CSV in UTF-8.",
            )
        })?;
        let row: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if row.iter().all(String::is_empty) {
            continue;
        }
        // Short rows are padded to the widest one when the table is written.
        widest = row.len().max(widest);
        cells += row.len();
        if cells.max(widest * rows.len()) > limits::MAX_CELLS {
            return Err(Unreadable::too_large(format!(
                "The table has more than {} cells. Divide it into several files.",
                limits::MAX_CELLS
            )));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The separator of the cells: the character that divides the first lines into the most even rows.
fn delimiter(text: &str) -> u8 {
    let head = bulle_edge_text::prefix(text, 8_192);
    let score = |delimiter: &u8| {
        let rows = rows_by(head, *delimiter).unwrap_or_default();
        let first = rows.first().map_or(0, Vec::len);
        let even = rows
            .iter()
            .take(20)
            .filter(|row| row.len() == first)
            .count();
        if first < 2 {
            0
        } else {
            even * 100 / rows.len().clamp(1, 20) + first.min(20)
        }
    };
    [b'|', b'\t', b';', b',']
        .into_iter()
        .max_by_key(score)
        .unwrap_or(b',')
}

/// Whether the first row has the names of columns: all cells differ, and none is a number. Most CSV files have such a row.
fn names_columns(rows: &[Vec<String>]) -> bool {
    let [head, ..] = rows else { return false };
    if grid::names_columns(rows) {
        return true;
    }
    let mut sorted: Vec<&String> = head.iter().collect();
    sorted.sort();
    sorted.dedup();
    rows.len() > 1
        && sorted.len() == head.len()
        && head
            .iter()
            .all(|cell| cell.chars().count() <= 80 && cell.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        let file = File {
            name: "a.csv",
            content_type: None,
            url: "",
            bytes: text.as_bytes(),
        };
        read(&file).unwrap().body
    }

    #[test]
    fn questions_and_answers_in_any_language() {
        insta::assert_snapshot!(
            [
                "Question,Answer,Tag\nDo you deliver?,\"Yes, daily.\n\nIn <Rennes>.\",x\nEmpty?,,y\n",
                "Réponse;Question\n<p>Oui, <a href='https://a.example/'>ici</a>.</p>;Livrez-vous # 1 ?\n",
                "質問\t回答\n何時に開きますか\t七時です\n",
                "السؤال,الجواب\nمتى تفتحون؟,في السابعة\n",
                "คำถาม,คำตอบ\nเปิดกี่โมง,เจ็ดโมง\n",
            ]
            .map(body)
            .join("----\n")
        );
    }

    #[test]
    fn other_tables_stay_tables() {
        insta::assert_snapshot!(
            [
                "Produkt;Preis\nBrot;\"2,40 €\"\nKuchen | Torte;18 €\n\n;\n",
                "Brot,2\nKuchen,18\n",
                "商品\t値段\nパン\t三百円\n",
            ]
            .map(body)
            .join("----\n")
        );
    }

    #[test]
    fn the_line_that_names_the_delimiter_is_no_row() {
        let faq = "## Dogs?\n\nOn a lead, always.\n\n";
        for first in [
            "sep=;",
            "\u{feff}sep=;",
            "SEP=;",
            "\"sep=;\"",
            "sep=;\r",
            "sep=;,,",
            "\"sep=;\",,",
        ] {
            assert_eq!(
                body(&format!(
                    "{first}\nQuestion;Answer\nDogs?;On a lead, always.\n"
                )),
                faq
            );
        }
        assert_eq!(
            body("sep=,\nQuestion,Answer\nDogs?,\"On a lead, always.\"\n"),
            faq
        );
        assert_eq!(
            body("sep=\\t\nQuestion\tAnswer\nDogs?\tOn a lead, always.\n"),
            faq
        );
        assert_eq!(
            body("sep=;\nA;B;C\n1;2;3\n"),
            "| A | B | C |\n|---|---|---|\n| 1 | 2 | 3 |\n\n"
        );
    }

    #[test]
    fn titles_years_and_lines_in_cells() {
        insta::assert_snapshot!(
            [
                "Prices 2026;;\n;;\nBike;Half day;Day\nCity;14 €;22 €\n",
                "Product,2024,2025\nBread,\"2.10 €\",\"2.40 €\"\n",
                "Day,Hours\nMonday,\"9–12\n14–18\"\n",
                "Question;Answer\nWhen?;\"We open at 9\n14 people work here.\"\n",
                "Monday;9–12\nTuesday;14–18\n",
            ]
            .map(body)
            .join("----\n")
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "([a-z\"',;\t|é日]{0,5}[\n,;]?){0,40}") {
            let file = File { name: "", content_type: None, url: "", bytes: text.as_bytes() };
            let _ = read(&file);
        }
    }
}
