//! Writes Markdown in which text of the original never becomes markup.

use bulle_edge_text::script::Script;

use crate::raised;

/// A line break of the author (`<br>`, Shift+Enter) in a text that is not written yet. It never becomes a space.
pub(crate) const BREAK: char = '\u{2028}';

/// A text as one line of Markdown, with single spaces.
pub(crate) fn inline(text: &str) -> String {
    let lines = text.split(BREAK).map(|line| escape(&flat(line)));
    broken(lines)
}

/// A block of text, joined from [`escape`]d pieces.
pub(crate) fn line(escaped: &str) -> String {
    broken(escaped.split(BREAK).map(flat))
}

/// Lines that are not empty, with hard breaks between them.
fn broken(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines
        .filter(|line| !line.is_empty())
        .map(|line| guard_start(raised::values(line)))
        .collect();
    lines.join("\\\n")
}

/// Paragraphs of an escaped text, separated by two line breaks.
pub(crate) fn paragraphs(escaped: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![String::new()];
    for line in escaped.split(BREAK) {
        match out.last_mut() {
            Some(last) if !line.trim().is_empty() => {
                if !last.is_empty() {
                    last.push(BREAK);
                }
                last.push_str(line);
            }
            Some(last) if !last.is_empty() => out.push(String::new()),
            _ => {}
        }
    }
    out.retain(|part| !part.trim().is_empty());
    out
}

/// `## Title {#id}`, and an empty line.
pub(crate) fn heading(out: &mut String, level: usize, escaped: &str, id: Option<&str>) {
    let text = raised::values(flat(escaped));
    if text.is_empty() {
        return;
    }
    blank_line(out);
    out.push_str(&"#".repeat(level.clamp(1, 6)));
    out.push(' ');
    // A `#` at the end would be taken for the end of the heading.
    match text.strip_suffix('#') {
        Some(start) => {
            out.push_str(start);
            out.push_str("\\#");
        }
        None => out.push_str(&text),
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%');
    if let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= 200 && id.chars().all(plain)) {
        out.push_str(" {#");
        out.push_str(id);
        out.push('}');
    }
    out.push_str("\n\n");
}

/// A paragraph of text without markup.
pub(crate) fn paragraph(out: &mut String, text: &str) {
    block(out, &inline(text));
}

/// A block that is already Markdown.
pub(crate) fn block(out: &mut String, markdown: &str) {
    if !markdown.trim().is_empty() {
        blank_line(out);
        out.push_str(markdown.trim_end());
        out.push_str("\n\n");
    }
}

/// An item of a list, at a level from 0.
pub(crate) fn item(out: &mut String, level: usize, escaped: &str) {
    let text = line(escaped);
    if !text.is_empty() {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&"  ".repeat(level));
        out.push_str("- ");
        let indent = format!("\n{}", "  ".repeat(level + 1));
        out.push_str(&text.replace('\n', &indent));
        out.push('\n');
    }
}

/// Ends the block before with an empty line.
pub(crate) fn blank_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
    }
}

/// A row of a table of escaped cells.
pub(crate) fn row(out: &mut String, cells: &[String]) {
    out.push('|');
    for cell in cells {
        out.push(' ');
        // A bar in a code span is not escaped yet.
        let mut before = ' ';
        let lines = cell.split(BREAK).map(|line| raised::values(flat(line)));
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        for c in lines.join("<br>").chars() {
            if c == '|' && before != '\\' {
                out.push('\\');
            }
            out.push(c);
            before = c;
        }
        out.push_str(" |");
    }
    out.push('\n');
}

/// A whole table: its head may be empty. Rows are as long as the longest.
pub(crate) fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let wide = rows.iter().map(Vec::len).max().unwrap_or(0).max(head.len());
    if wide == 0 {
        return;
    }
    let padded = |cells: &[String]| {
        let mut cells = cells.to_vec();
        cells.resize(wide, String::new());
        cells
    };
    blank_line(out);
    row(out, &padded(head));
    out.push('|');
    out.push_str(&"---|".repeat(wide));
    out.push('\n');
    for cells in rows {
        row(out, &padded(cells));
    }
    out.push('\n');
}

/// A text as a code block, with a fence that is longer than any in the text.
pub(crate) fn code_block(out: &mut String, text: &str, language: &str) {
    let text = text.trim_matches('\n');
    if text.trim().is_empty() {
        return;
    }
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    blank_line(out);
    out.push_str(&format!("{fence}{language}\n{text}\n{fence}\n\n"));
}

/// A code span.
pub(crate) fn code(text: &str) -> String {
    let text = flat(text);
    if text.is_empty() {
        return text;
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

/// A link, or only its text when the address cannot be opened by visitors.
pub(crate) fn link(escaped: &str, url: &str) -> String {
    let opens = ["https://", "http://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if !opens || flat(escaped).is_empty() || url.len() > 2_000 {
        return escaped.to_owned();
    }
    let url: String = url
        .chars()
        .flat_map(|c| match c {
            '(' => "%28".chars().collect::<Vec<_>>(),
            ')' => "%29".chars().collect(),
            '<' => "%3C".chars().collect(),
            '>' => "%3E".chars().collect(),
            '\\' => "%5C".chars().collect(),
            '|' => "%7C".chars().collect(),
            c if c.is_whitespace() || c.is_control() => "%20".chars().collect(),
            c => vec![c],
        })
        .collect();
    format!("[{}]({url})", escaped.trim())
}

/// A text on one line, with single spaces. Lines that were broken between characters of scripts without spaces are
/// joined without one.
pub(crate) fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = false;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}') {
            // A soft hyphen or a zero-width mark is not a gap.
            gap |= c.is_whitespace();
            line |= c == '\n';
            continue;
        }
        if gap && !out.is_empty() {
            let joined = line && unspaced(c) && out.chars().next_back().is_some_and(unspaced);
            if !joined {
                out.push(' ');
            }
        }
        (gap, line) = (false, false);
        out.push(c);
    }
    out
}

/// Whether no space is written around the character: a script without spaces, or punctuation of East Asia.
pub(crate) fn unspaced(c: char) -> bool {
    Script::of(c).is_some_and(Script::is_unspaced)
        || matches!(c, '\u{3000}'..='\u{303f}' | '・' | '\u{ff01}'..='\u{ff60}')
}

/// Escapes the characters that Markdown would read as markup within a line.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // The next piece may follow without a space.
        let last = chars.peek().is_none();
        let next = chars.peek().copied().unwrap_or(' ');
        let marks = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '{' => true,
            // The underscores of snake_case are not emphasis.
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '<' => last || next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
            '&' => last || next.is_ascii_alphabetic() || next == '#',
            _ => false,
        };
        if marks {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// Escapes the beginning of a line that would make it a heading, a quotation, a list or a rule.
fn guard_start(line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = line.bytes().skip(digits);
    let ordered = (1..=9).contains(&digits)
        && matches!(rest.next(), Some(b'.' | b')'))
        && matches!(rest.next(), Some(b' ') | None);
    if ordered {
        let (number, rest) = line.split_at_checked(digits).unwrap_or((&line, ""));
        return format!("{number}\\{rest}");
    }
    match line.as_bytes().first() {
        Some(b'#' | b'>' | b'+' | b'-' | b'=' | b':') => format!("\\{line}"),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulldown_cmark::{Event, Options, Parser};

    #[test]
    fn a_break_of_the_author_stays_one() {
        let mut out = String::new();
        paragraph(&mut out, "We open at 9\u{2028}14 people\u{2028}- work");
        item(&mut out, 1, "a\u{2028} b");
        row(&mut out, &["9–12\u{2028}14–18".to_owned()]);
        assert_eq!(
            out,
            "We open at 9\\\n14 people\\\n\\- work\n\n  - a\\\n    b\n| 9–12<br>14–18 |\n"
        );
        let two = paragraphs("a\u{2028}b\u{2028} \u{2028}c\u{2028}");
        assert_eq!(two, ["a\u{2028}b", "c"]);
    }

    fn read_back(markdown: &str) -> String {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_HEADING_ATTRIBUTES;
        let mut out = String::new();
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(text) => out.push_str(&text),
                Event::Start(tag) if tag != pulldown_cmark::Tag::Paragraph => {
                    out.push_str(&format!("!{tag:?}"));
                }
                Event::Html(_) | Event::InlineHtml(_) | Event::Code(_) | Event::Rule => {
                    out.push_str("!markup");
                }
                _ => {}
            }
        }
        out
    }

    #[test]
    fn text_stays_text() {
        for text in [
            "# no heading",
            "1. no list",
            "12) no",
            "- no",
            "+ no",
            "> no",
            "a * b * c",
            "snake_case _x_",
            "`x`",
            "[a](b)",
            "<b>x</b>",
            "<!-- page 3 -->",
            "&amp; &#65;",
            "a | b",
            "~~x~~",
            "\\*",
            "---",
            "===",
            "1986.",
            "***",
            "Title {#id}",
            "a < b & c",
            "100 % d'accord",
            ": x",
            "=> x",
            "![a](b)",
            "http://a.b/c_d_e",
        ] {
            assert_eq!(read_back(&inline(text)), text);
        }
    }

    #[test]
    fn spaces_become_one_and_scripts_without_them_get_none() {
        assert_eq!(flat("  a\n b\t\u{a0}c "), "a b c");
        assert_eq!(flat("日本\n語 の"), "日本語 の");
        assert_eq!(flat("Donau\u{ad}dampf"), "Donaudampf");
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_is_it_is_read_back(text in "[ -~\u{e9}\u{65e5}]{0,40}") {
            let text = flat(&text);
            proptest::prop_assert_eq!(read_back(&inline(&text)), text);
        }
    }
}
