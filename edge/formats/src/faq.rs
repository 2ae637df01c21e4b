//! Pairs of question and answer, as tables and JSON hold them.

use crate::{html, write};

/// [`write::BREAK`] as a text.
const BREAK: &str = "\u{2028}";

/// Writes a pair: the question is a heading.
pub(crate) fn pair(out: &mut String, question: &str, answer: &str) {
    if !write::flat(answer).is_empty() {
        let question = if is_html(question) {
            without_tags(question)
        } else {
            question.to_owned()
        };
        write::heading(out, 2, &write::escape(&question), None);
        text(out, answer);
    }
}

/// Writes text of paragraphs, or of HTML as editors of such tables leave it.
pub(crate) fn text(out: &mut String, value: &str) {
    if is_html(value)
        && let Ok(markdown) = html::fragment(value, "")
    {
        write::block(out, &markdown);
        return;
    }
    // A single line end in a cell or a value was made by its author: such texts are not wrapped.
    for paragraph in value.split("\n\n") {
        write::paragraph(out, &paragraph.replace('\n', BREAK));
    }
}

/// Whether the text holds a line break or the end of an element.
fn is_html(value: &str) -> bool {
    let ends = |rest: &str| {
        let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        name.len() < rest.len() && name.starts_with('>')
    };
    value.to_ascii_lowercase().contains("<br") || value.split("</").skip(1).any(ends)
}

fn without_tags(value: &str) -> String {
    let mut out = String::new();
    for part in value.split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    out
}
