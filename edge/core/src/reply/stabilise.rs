//! The part of a text in progress that can be shown.

use super::dialect::without_half_break;

/// Longest unfinished link or citation that is held back, in characters.
const MAX_HELD: usize = 400;

/// The text without an end that could still turn into something else, and with open emphasis closed: so that
/// the page never shows `**bo`, `[see](htt` or a list marker without its item.
pub fn stabilise(text: &str) -> String {
    if in_fence(text) {
        return hold(text, |line| {
            line.trim_start().chars().all(|c| c == '`' || c == '~')
        })
        .to_owned();
    }
    let text = hold(text, |line| {
        let line = line.trim();
        let marker = |c| "0123456789.)#>*+-=_~`|: \t".contains(c);
        // With half a row, the whole table would be sent again with every word.
        line.starts_with('|') || (line.len() < 12 && line.chars().all(marker))
    });
    let text = without_half_break(hold_link(text));
    let text = text.trim_end_matches(['*', '_', '~', '`']);
    close(text)
}

/// Cuts the last line when it is not empty and `ambiguous` is true for it.
fn hold(text: &str, ambiguous: impl Fn(&str) -> bool) -> &str {
    let start = text.rfind('\n').map_or(0, |at| at + 1);
    let (before, line) = text.split_at_checked(start).unwrap_or((text, ""));
    if !line.is_empty() && ambiguous(line) {
        before
    } else {
        text
    }
}

/// Cuts at a bracket that has not closed yet, or whose parenthesis has not.
fn hold_link(text: &str) -> &str {
    let Some(at) = text.rfind('[') else {
        return text;
    };
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    if rest.len() > MAX_HELD || rest.contains('\n') {
        return text;
    }
    let open = match rest.split_once(']') {
        None => true,
        Some((_, after)) => after.is_empty() || (after.starts_with('(') && !after.contains(')')),
    };
    if open {
        before.strip_suffix('!').unwrap_or(before)
    } else {
        text
    }
}

/// Closes strong emphasis and code that the last paragraph leaves open.
fn close(text: &str) -> String {
    let paragraph = text.rsplit("\n\n").next().unwrap_or_default();
    let mut out = text.to_owned();
    if paragraph.matches('`').count() % 2 == 1 {
        out.push('`');
    } else if paragraph.matches("**").count() % 2 == 1 {
        let kept = out.trim_end().len();
        out.truncate(kept);
        out.push_str("**");
    }
    out
}

/// Whether the text ends inside a fenced code block.
pub fn in_fence(text: &str) -> bool {
    let fences = text.lines().filter(|line| {
        let line = line.trim_start();
        line.starts_with("```") || line.starts_with("~~~")
    });
    fences.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::stabilise;

    #[test]
    fn unfinished_ends() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a **bo", "a **bo**"),
            ("a **bold** b", "a **bold** b"),
            ("a *", "a "),
            ("a `co", "a `co`"),
            ("a [1", "a "),
            ("a [1]", "a "),
            ("a [1] ", "a [1] "),
            ("a [b](http://x", "a "),
            ("a [b](http://x)", "a [b](http://x)"),
            ("a ![b", "a "),
            ("a\n\n2", "a\n\n"),
            ("a\n\n2. b", "a\n\n2. b"),
            ("a\n-", "a\n"),
            ("| a |\n|--", "| a |\n"),
            ("| a |\n|---|\n| one tw", "| a |\n|---|\n"),
            ("```\nlet a = [1", "```\nlet a = [1"),
            ("```\na\n``", "```\na\n"),
            ("a `x` [note] b", "a `x` [note] b"),
            ("9–12<br", "9–12"),
            ("**营业时间：", "**营业时间：**"),
        ] {
            assert_eq!(stabilise(text), shown, "{text:?}");
        }
    }
}
