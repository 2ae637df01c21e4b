//! Markdown, written so that it is read back as it was meant: the text of an original is never markup.

/// Text for a line of Markdown, its white space made single spaces.
pub(crate) fn inline(text: &str) -> String {
    escape(&flat(text))
}

/// White space made single spaces, none at the ends. Lines that were broken between characters of scripts
/// without spaces are joined without one.
pub(crate) fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = false;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}') {
            // A soft hyphen or a zero width mark is no gap.
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

/// Whether the character is of a script that puts no spaces between words: Han, kana, Thai, Lao, Burmese, Khmer.
pub(crate) fn unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3000..=0x30ff | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff01..=0xff60 | 0x20000..=0x3ffff)
}

/// Backslashes before what Markdown would take for markup.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let marks = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => true,
            // snake_case is no emphasis.
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
            '&' => next.is_ascii_alphabetic() || next == '#',
            '{' => next == '#',
            _ => false,
        };
        if marks {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    guard_start(out)
}

/// What a line begins with may make it a heading, a quotation, a list or a rule.
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
