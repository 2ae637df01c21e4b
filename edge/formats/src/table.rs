//! Tables in text: questions with answers, else rows.

use csv::ReaderBuilder;

use crate::{Document, File, Unreadable, charset, faq, limits, write};

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let text = charset::decode(file.bytes, file.content_type);
    let mut rows = rows(&text)?;
    let mut body = String::new();
    if rows.is_empty() {
        return Err(Unreadable::no_text(
            "The table has no rows. Give one that has.",
        ));
    }
    let head = rows.first().cloned().unwrap_or_default();
    let question = head.iter().position(|name| faq::is_question(name));
    let answer = head.iter().position(|name| faq::is_answer(name));
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
        let escaped = |row: &[String]| -> Vec<String> {
            row.iter().map(|cell| write::escape(cell)).collect()
        };
        let cells: Vec<Vec<String>> = rows.iter().map(|row| escaped(row)).collect();
        write::table(&mut body, &escaped(&head), &cells);
    }
    Ok(Document {
        body,
        ..Document::default()
    })
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
    let head = write::head(text, 8_192);
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

/// Whether the first row has the names of columns: all cells differ, and none is a number.
fn names_columns(rows: &[Vec<String>]) -> bool {
    let [head, ..] = rows else { return false };
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

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "([a-z\"',;\t|é日]{0,5}[\n,;]?){0,40}") {
            let file = File { name: "", content_type: None, url: "", bytes: text.as_bytes() };
            let _ = read(&file);
        }
    }
}
