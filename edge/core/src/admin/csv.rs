//! A report as a table for spreadsheets: CSV after RFC 4180.

use bulle_api::usage::UsageKey;
use serde_json::Value;

/// Media type of the table.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";

/// The columns that hold numbers, by their names in the row's JSON.
const NUMBERS: [&str; 15] = [
    "answers",
    "calls",
    "failed",
    "passed_over",
    "input_tokens",
    "output_tokens",
    "estimated_calls",
    "microusd",
    "unpriced_calls",
    "first_token_ms/mean",
    "first_token_ms/p50",
    "first_token_ms/p95",
    "total_ms/mean",
    "total_ms/p50",
    "total_ms/p95",
];

/// A report grouped by these keys as CSV, from the JSON of its rows. The first line names the columns; an unknown value
/// is an empty cell.
pub fn table(by: &[UsageKey], rows: &[Value]) -> String {
    let mut paths: Vec<&str> = by.iter().map(|key| key.as_str()).collect();
    paths.extend(NUMBERS);
    let mut out = paths.join(",").replace('/', "_");
    for row in rows {
        let mut before = "\r\n";
        for path in &paths {
            out.push_str(before);
            before = ",";
            match row.pointer(&format!("/{path}")) {
                Some(Value::String(text)) => out.push_str(&cell(text)),
                Some(Value::Number(number)) => out.push_str(&number.to_string()),
                _ => {}
            }
        }
    }
    out.push_str("\r\n");
    out
}

/// Text for a cell. Spreadsheets run text that begins like a formula, and vendors choose the names of models: an
/// apostrophe before such a text keeps it text.
fn cell(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let guard = if text.starts_with(formula) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n', ';', '\t', '\'']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Whether a client with this `Accept` header prefers CSV to JSON.
pub fn wanted(accept: Option<&str>) -> bool {
    let accept = accept.unwrap_or_default();
    let csv = weight(accept, ["text/csv", "text/*", "*/*"]);
    csv > 0 && csv > weight(accept, ["application/json", "application/*", "*/*"])
}

/// The thousandths of the quality that the most specific of these ranges has (RFC 9110, section 12.5.1).
fn weight(accept: &str, ranges: [&str; 3]) -> u32 {
    let find = |range: &&str| {
        accept.split(',').find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let same = parts.next()?.eq_ignore_ascii_case(range);
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            same.then(|| (quality.unwrap_or(1.0) * 1_000.0) as u32)
        })
    };
    ranges.iter().find_map(find).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_api::usage::{Durations, UsageRow};

    #[test]
    fn a_table_has_a_line_for_names_and_one_for_each_row() {
        let row = |model: &str| {
            let row = UsageRow {
                day: Some("2026-11-21".into()),
                model: Some(model.into()),
                calls: 3,
                microusd: 750,
                total_ms: Some(Durations {
                    mean: 1,
                    p50: 2,
                    p95: 3,
                }),
                ..UsageRow::default()
            };
            serde_json::to_value(row).unwrap()
        };
        let rows = [row("gpt-4o-mini"), row("a \"good\", one")];
        let table = table(&[UsageKey::Model, UsageKey::Day], &rows);
        assert_eq!(
            table,
            "model,day,answers,calls,failed,passed_over,input_tokens,output_tokens,estimated_calls,microusd,\
             unpriced_calls,first_token_ms_mean,first_token_ms_p50,first_token_ms_p95,total_ms_mean,total_ms_p50,\
             total_ms_p95\r\n\
             gpt-4o-mini,2026-11-21,0,3,0,0,0,0,0,750,0,,,,1,2,3\r\n\
             \"a \"\"good\"\", one\",2026-11-21,0,3,0,0,0,0,0,750,0,,,,1,2,3\r\n"
        );
        assert!(super::table(&[], &[]).starts_with("answers,calls,"));
    }

    #[test]
    fn every_number_of_a_row_has_a_column() {
        let durations = Some(Durations {
            mean: 0,
            p50: 0,
            p95: 0,
        });
        let row = UsageRow {
            first_token_ms: durations,
            total_ms: durations,
            ..UsageRow::default()
        };
        let json = serde_json::to_value(row).unwrap();
        let mut paths = Vec::new();
        for (name, value) in json.as_object().unwrap() {
            match value.as_object() {
                None => paths.push(name.clone()),
                Some(parts) => paths.extend(parts.keys().map(|part| format!("{name}/{part}"))),
            }
        }
        paths.sort_unstable();
        let mut numbers = NUMBERS;
        numbers.sort_unstable();
        assert_eq!(paths, numbers);
    }

    #[test]
    fn nothing_in_a_cell_is_a_formula_or_ends_it() {
        for (text, expected) in [
            ("", ""),
            ("llama3.2:latest", "llama3.2:latest"),
            ("models/gemini-2.5", "models/gemini-2.5"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "\"'＝1\""),
            ("a,=1", "\"a,=1\""),
            ("a;=1", "\"a;=1\""),
            ("a\n=1", "\"a\n=1\""),
            ("'=1", "\"'=1\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn whoever_wants_a_table_gets_one() {
        for (accept, expected) in [
            (None, false),
            (Some(""), false),
            (Some("*/*"), false),
            (Some("application/json"), false),
            (Some("text/csv"), true),
            (Some("Text/CSV; header=present"), true),
            (Some("text/csv, */*;q=0.1"), true),
            (Some("text/*"), true),
            (Some("application/json;q=0.5,text/csv"), true),
            (Some("application/json, text/csv;q=0.9"), false),
            (Some("application/json, text/csv"), false),
            (Some("text/csv;q=0"), false),
            (Some("text/csv;q=0, */*"), false),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), false),
        ] {
            assert_eq!(wanted(accept), expected, "{accept:?}");
        }
    }
}
