//! Quotations as Markdown, with their citations.

use super::{choose::Quote, table::Extracted};

/// Paragraphs, lists and tables in pieces; the citation stands at the end of each run of sentences from one passage.
pub fn write(quotes: &[Quote<'_>]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for (i, quote) in quotes.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| quotes.get(i));
        let (n, text, is_item) = match quote {
            Quote::Table { n, cells } => {
                let apart = if before.is_some() { "\n\n" } else { "" };
                pieces.push(format!("{apart}{}", table(cells, *n)));
                continue;
            }
            Quote::Text { n, text, is_item } => (*n, *text, *is_item),
        };
        let same = |other: &&Quote<'_>| matches!(other, Quote::Text { n: m, is_item: item, .. } if *m == n && *item == is_item);
        let mut piece = match before {
            None => String::new(),
            Some(before) if same(&before) && is_item => "\n".to_owned(),
            Some(before) if same(&before) => " ".to_owned(),
            Some(_) => "\n\n".to_owned(),
        };
        if is_item {
            piece.push_str("- ");
        }
        piece.push_str(&escape(text));
        if is_item || !quotes.get(i + 1).is_some_and(|after| same(&after)) {
            piece.push_str(&format!(" [{n}]"));
        }
        pieces.push(piece);
    }
    pieces
}

/// Cells of a table: those of one row in a line, several rows with a cell each as a list, else a table.
fn table(cells: &Extracted<'_>, n: u32) -> String {
    let name = |row: &[&str]| escape(row.first().copied().unwrap_or_default());
    match (cells.rows.as_slice(), cells.heads.len()) {
        ([row], _) => {
            let values = cells
                .heads
                .iter()
                .zip(row)
                .skip(1)
                .filter(|(_, value)| !value.is_empty());
            let values: Vec<String> = values
                .map(|(head, value)| format!("{}: {}", escape(head), escape(value)))
                .collect();
            format!("{} – {} [{n}]", name(row), values.join(", "))
        }
        (rows, 2) => {
            let line = |row: &Vec<&str>| {
                format!(
                    "- {}: {} [{n}]",
                    name(row),
                    escape(row.get(1).copied().unwrap_or_default())
                )
            };
            let head = cells
                .heads
                .get(1)
                .filter(|head| !head.is_empty())
                .map(|head| format!("{}:\n\n", escape(head)));
            format!(
                "{}{}",
                head.unwrap_or_default(),
                rows.iter().map(line).collect::<Vec<_>>().join("\n")
            )
        }
        (rows, _) => {
            let line = |row: &[&str]| {
                let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
                format!("| {} |", cells.join(" | "))
            };
            let last = rows.len().saturating_sub(1);
            let mut lines = vec![
                line(&cells.heads),
                format!("|{}", "---|".repeat(cells.heads.len())),
            ];
            for (at, row) in rows.iter().enumerate() {
                let line = line(row);
                let cited = line
                    .strip_suffix(" |")
                    .map(|line| format!("{line} [{n}] |"));
                lines.push(cited.filter(|_| at == last).unwrap_or(line));
            }
            lines.join("\n")
        }
    }
}

/// Plain text as Markdown that reads the same.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    let digits = out.chars().take_while(char::is_ascii_digit).count();
    let marker = out.chars().nth(digits);
    if (digits > 0 && matches!(marker, Some('.' | ')')))
        || matches!(marker, Some('-' | '+' | '=') if digits == 0)
    {
        out.insert(digits, '\\');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_cannot_inject_markup() {
        for (text, expected) in [
            ("1. un", "1\\. un"),
            ("- a", "\\- a"),
            ("2020 fut", "2020 fut"),
            ("a*b_c[1]<b>", "a\\*b\\_c\\[1\\]\\<b\\>"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn cells_are_a_line_a_list_or_a_table() {
        let cells = |heads: &[&'static str], rows: &[&[&'static str]]| Quote::Table {
            n: 2,
            cells: Extracted {
                heads: heads.to_vec(),
                rows: rows.iter().map(|row| row.to_vec()).collect(),
            },
        };
        let written = |quote| write(&[quote]).concat();
        assert_eq!(
            written(cells(&["Item", "Day"], &[&["E-bike", "€45"]])),
            "E-bike – Day: €45 [2]"
        );
        assert_eq!(
            written(cells(
                &["Item", "Day"],
                &[&["E-bike", "€45"], &["Tandem", "€38"]]
            )),
            "Day:\n\n- E-bike: €45 [2]\n- Tandem: €38 [2]"
        );
        assert_eq!(
            written(cells(
                &["Item", "Day", "Week"],
                &[&["A", "1", "2"], &["B", "3", "|"]]
            )),
            "| Item | Day | Week |\n|---|---|---|\n| A | 1 | 2 |\n| B | 3 | \\| [2] |"
        );
    }
}
