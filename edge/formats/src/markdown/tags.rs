//! The tags of HTML in Markdown, as far as they decide whether what follows is read.

/// A tag.
pub(super) struct Tag {
    /// In lower case.
    pub(super) name: String,
    /// `</name>`.
    pub(super) closes: bool,
    /// `<name/>`, which ends the element in JSX and nothing in HTML.
    pub(super) ends_itself: bool,
    /// Where it begins and ends in the text.
    start: usize,
    end: usize,
}

/// Elements that take all that follows for their own, and are not read, until they end.
const SWALLOWING: &[&str] = &[
    "title",
    "textarea",
    "style",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "script",
    "plaintext",
    "noscript",
    "select",
    "svg",
    "math",
    "template",
    "object",
    "canvas",
    "audio",
    "video",
    "dialog",
    "button",
    "head",
    "datalist",
    "map",
];

/// Elements without an end, or whose end may be left out.
const WITHOUT_END: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "rt",
    "rp",
];

pub(super) fn needs_no_end(name: &str) -> bool {
    WITHOUT_END.contains(&name)
}

/// The tags of a text, in order.
pub(super) fn tags(html: &str) -> Vec<Tag> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = html.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let rest = html.get(start + 1..).unwrap_or_default();
        if rest.starts_with("!--") {
            at = rest.find("-->").map_or(html.len(), |end| start + 1 + end);
            continue;
        }
        let closes = rest.starts_with('/');
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.')))
            .unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            at = start + 1;
            continue;
        }
        let Some(end) = end_of_tag(rest) else {
            return out;
        };
        let inside = rest.get(..end).unwrap_or_default();
        let after = start + 1 + usize::from(closes) + end + 1;
        out.push(Tag {
            name: name.to_ascii_lowercase(),
            closes,
            ends_itself: inside.ends_with('/'),
            start,
            end: after,
        });
        at = after;
    }
    out
}

/// Where the `>` of a tag stands; one within quotes is none.
fn end_of_tag(rest: &str) -> Option<usize> {
    let mut quote = None;
    rest.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        None
    })
}

/// Names of swallowing elements that blocks begin more often than they end.
pub(super) fn unclosed(html: &str) -> Vec<&'static str> {
    let tags = tags(html);
    let count = |name: &str, closes: bool| {
        let same = |tag: &&Tag| tag.name == name && tag.closes == closes && !tag.ends_itself;
        tags.iter().filter(same).count()
    };
    let more = |name: &&&'static str| count(name, false) > count(name, true);
    SWALLOWING.iter().filter(more).copied().collect()
}

/// The HTML in which nothing takes what follows for its own: an element that JSX ended is ended, one that is never ended
/// is not begun.
pub(super) fn safe(html: &str, unclosed: &[&str]) -> String {
    let mut out = String::with_capacity(html.len());
    let mut done = 0;
    for tag in tags(html) {
        let swallows = SWALLOWING.contains(&tag.name.as_str());
        if tag.closes || !swallows {
            continue;
        }
        let whole = html.get(tag.start..tag.end).unwrap_or_default();
        out.push_str(html.get(done..tag.start).unwrap_or_default());
        if tag.ends_itself {
            out.push_str(&format!("{whole}</{}>", tag.name));
        } else if !unclosed.contains(&tag.name.as_str()) {
            out.push_str(whole);
        }
        done = tag.end;
    }
    out.push_str(html.get(done..).unwrap_or_default());
    out
}
