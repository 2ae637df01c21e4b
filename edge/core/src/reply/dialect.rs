//! What models write as Markdown and CommonMark reads otherwise. A [`JOINT`], which the parser takes for a letter and
//! which is taken out of what it returns, is put where it changes the reading:
//!
//! - **Emphasis beside punctuation in scripts without spaces**: `**营业时间：**周一`, `他说**“你好”**，`, `**서울(Seoul)**은`.
//!   CommonMark has no run of `*` end an emphasis between a punctuation mark and a letter, as between English words that
//!   would be an opening one. Where no spaces are written, it is where every emphasis ends that holds a punctuation mark. The
//!   rule here is that of the proposed amendment "markdown-cjk-friendly": beside a letter or a mark of such a script, a
//!   punctuation mark counts as a letter. Korean is among them, whose particles follow a bracket without a space.
//! - **Bold text that ends with a mark before a letter**, in any script: `**Price:**19 €`. CommonMark takes that run for the
//!   beginning of another emphasis; where one is open, it is its end.
//! - **`<br>` at the beginning of a line**, which would begin a block of raw HTML, up to the next empty line.

use std::borrow::Cow;

use bulle_edge_text::script::Script;

/// Neither white space nor punctuation: a private-use character that no text needs.
pub const JOINT: char = '\u{f8fb}';

/// A text with joints.
pub struct Joined<'t> {
    /// What is to be parsed.
    pub text: Cow<'t, str>,
    /// Where the joints are, in bytes of `text`.
    joints: Vec<usize>,
}

impl<'t> Joined<'t> {
    /// Puts joints into a text that has none.
    pub fn new(text: &'t str) -> Self {
        let mut joined = String::new();
        let mut joints = Vec::new();
        let mut copied = 0;
        let places = beside_runs(text).chain(before_breaks(text));
        let mut places: Vec<usize> = places.collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            joined.push_str(text.get(copied..place).unwrap_or_default());
            joints.push(joined.len());
            joined.push(JOINT);
            copied = place;
        }
        let text = if joints.is_empty() {
            Cow::Borrowed(text)
        } else {
            joined.push_str(text.get(copied..).unwrap_or_default());
            Cow::Owned(joined)
        };
        Self { text, joints }
    }

    /// The byte of the text without joints at which a byte of `text` is.
    pub fn original(&self, at: usize) -> usize {
        let before = self.joints.partition_point(|joint| *joint < at);
        at.saturating_sub(before * JOINT.len_utf8())
    }
}

/// Marks with which bold text ends.
const ENDS: &str = ":.!?;,)]\"”’»%…";

/// The bytes beside runs of `*` and `~` where a punctuation mark is to count as a letter.
fn beside_runs(text: &str) -> impl Iterator<Item = usize> + '_ {
    let is_run = |c: char| c == '*' || c == '~';
    let begins = text.match_indices(is_run).filter_map(move |(at, _)| {
        let before = text.get(..at)?.chars().next_back().unwrap_or(' ');
        (!is_run(before)).then_some((at, before))
    });
    // Whether bold text is open, and where the last run ended.
    let (mut is_open, mut last) = (false, 0);
    let places = begins.filter_map(move |(at, before)| {
        let run = text.get(at..)?;
        is_open &= !text.get(last..at)?.contains("\n\n");
        let end = at + (run.len() - run.trim_start_matches(is_run).len());
        let after = text.get(end..)?.chars().next()?;
        // After a backslash, the run is no markup.
        let is_inside = before != '\\' && !before.is_whitespace() && !after.is_whitespace();
        let ends =
            is_open && run.starts_with("**") && ENDS.contains(before) && after.is_alphanumeric();
        let joins = is_inside && (is_unspaced(before) || is_unspaced(after) || ends);
        is_open ^= run.starts_with("**");
        last = end;
        let place = |c: char, place: usize| (joins && is_mark(c)).then_some(place);
        Some([place(before, at), place(after, end)])
    });
    places.flatten().flatten()
}

/// The bytes before `<br>` tags that begin a line, with nothing before them but what opens a quotation or a list item.
fn before_breaks(text: &str) -> impl Iterator<Item = usize> + '_ {
    let opens = |c: char| c.is_ascii_digit() || " \t>-+*.)".contains(c);
    text.match_indices('<').filter_map(move |(at, _)| {
        let (before, tag) = text.split_at_checked(at)?;
        let line = before.rsplit('\n').next().unwrap_or_default();
        (line.chars().all(opens) && break_tag(tag).is_some()).then_some(at)
    })
}

/// The length of the `<br>` tag with which a text begins, however it is written: `<br>`, `<BR/>`, `</br>`, `<br class="x">`.
fn break_tag(text: &str) -> Option<usize> {
    let name = text.strip_prefix('<')?;
    let name = name.strip_prefix('/').unwrap_or(name);
    let (name, after) = name.split_at_checked(2)?;
    let is_tag = name.eq_ignore_ascii_case("br") && after.starts_with(['>', '/', ' ', '\t', '\n']);
    let end = text.find('>').filter(|_| is_tag)?;
    // Of another tag.
    let inside = text.get(1..end)?;
    (!inside.contains('<')).then_some(end + 1)
}

/// What stands before the first `<br>` tag of raw HTML, and after it.
pub fn at_break(html: &str) -> Option<(&str, &str)> {
    html.match_indices('<').find_map(|(at, _)| {
        let (before, tag) = html.split_at_checked(at)?;
        Some((before, tag.get(break_tag(tag)?..)?))
    })
}

/// A text without a `<br>` tag at its end that is still being written.
pub fn without_half_break(text: &str) -> &str {
    let Some((before, tag)) = text.rfind('<').and_then(|at| text.split_at_checked(at)) else {
        return text;
    };
    let tag = tag.trim_end_matches([' ', '/']);
    let is_half = ["<br", "</br", "<"].iter().any(|whole| {
        whole
            .get(..tag.len())
            .is_some_and(|half| half.eq_ignore_ascii_case(tag))
    });
    if is_half { before } else { text }
}

/// A mark: no letter, no digit, no white space.
fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// A letter or a mark of a script whose words are joined without spaces.
fn is_unspaced(c: char) -> bool {
    is_wide_mark(c) || Script::of(c).is_some_and(Script::joins_words)
}

/// A punctuation mark that only Chinese, Japanese and Korean write.
pub fn is_wide_mark(c: char) -> bool {
    let is_in_block = matches!(c,
        '\u{3000}'..='\u{303f}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff01}'..='\u{ff0f}'
        | '\u{ff1a}'..='\u{ff20}'
        | '\u{ff3b}'..='\u{ff40}'
        | '\u{ff5b}'..='\u{ff65}'
    );
    // `々` and `〇` are letters.
    is_in_block && Script::of(c).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joints_are_beside_runs_and_before_breaks() {
        for (text, joined) in [
            ("**营业时间：**周一", "**营业时间：|**周一"),
            ("他说**“你好”**，", "他说**|“你好”|**|，"),
            ("**서울(Seoul)**은", "**서울(Seoul)|**은"),
            ("**เวลา:**จันทร์", "**เวลา:|**จันทร์"),
            ("~~原价：~~现价", "~~原价：|~~现价"),
            ("**重要** 周一", "**重要** 周一"),
            ("**Note:** a (*b*), f(**c)", "**Note:** a (*b*), f(**c)"),
            ("：\\**周", "：\\**周"),
            ("**Price:**19 € and (**b**)", "**Price:|**19 € and (**b**)"),
            ("f(**a), g(**b)", "f(**a), g(**b)"),
            ("**Price: 19\n\nNote:**b**", "**Price: 19\n\nNote:**b**"),
            ("a<br>b\n<br>c\n> <BR />d", "a<br>b\n|<br>c\n> |<BR />d"),
            ("<bread> <b> <", "<bread> <b> <"),
        ] {
            let found = Joined::new(text);
            assert_eq!(found.text.replace(JOINT, "|"), joined);
            for (at, c) in found.text.char_indices().filter(|(_, c)| *c != JOINT) {
                let rest = text.get(found.original(at)..);
                assert!(
                    rest.is_some_and(|rest| rest.starts_with(c)),
                    "{text} at {at}"
                );
            }
        }
    }

    #[test]
    fn breaks_are_found_however_they_are_written() {
        for tag in [
            "<br>",
            "<br/>",
            "<br />",
            "<BR>",
            "</br>",
            "<br\n/>",
            "<br class=\"x\">",
        ] {
            assert_eq!(at_break(&format!("a{tag}b")), Some(("a", "b")), "{tag}");
        }
        for other in ["<bra>", "<b>", "<br", "br>", "< br>", "<br <i>"] {
            assert_eq!(at_break(other), None, "{other}");
        }
        for (text, shown) in [
            ("a<", "a"),
            ("a<b", "a"),
            ("a<BR /", "a"),
            ("a</b", "a"),
            ("a<br>", "a<br>"),
            ("a <bo", "a <bo"),
            ("a < b", "a < b"),
        ] {
            assert_eq!(without_half_break(text), shown);
        }
    }
}
