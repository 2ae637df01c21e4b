//! Raw Markdown for clients that parse it themselves. Numbers of passages that do not exist are removed while the text
//! streams, wherever its pieces are cut. Text that may become a citation is held back until that is known; code is not
//! changed.
//!
//! It follows the rules of [`Reply`](crate::reply::Reply), but without the text that is still to come. Where the two
//! could differ (a backtick that is never closed), the text is not changed.

/// Longest inside of a citation, in bytes, as in the parser of replies.
const MAX_INSIDE: usize = 39;

/// Backticks or tildes of a fence, at least.
const FENCE: usize = 3;

/// Spaces that make a line code, at least.
const INDENT: usize = 4;

/// Removes citations of passages that do not exist.
#[derive(Debug, Default)]
pub struct Citations {
    /// How many passages there are; when there is none, no number is a citation.
    passages: usize,
    /// Held text: white space, and what follows it if that may be a citation.
    held: String,
    /// Where in `held` the bracket is, and whether it is closed and opened its line.
    bracket: Option<usize>,
    closed: bool,
    first: bool,
    /// Whether the character before was a backslash.
    escaped: bool,
    /// The line has only spaces so far: their number.
    blank: bool,
    indent: usize,
    /// Whether the line before was blank or code, and whether this one is code, by its indentation.
    after_blank: bool,
    indented: bool,
    /// Backticks or tildes that are being counted, and whether they began their line.
    run: Option<(char, usize, bool)>,
    /// Backticks that opened a code span.
    span: usize,
    fence: Option<Fence>,
}

#[derive(Debug)]
struct Fence {
    mark: char,
    length: usize,
    /// Still on the line that opened it.
    opening: bool,
    /// On a line that closes it.
    closing: bool,
}

impl Citations {
    /// A filter for a text that may cite passages `1..=passages`.
    pub fn new(passages: usize) -> Self {
        Self {
            passages,
            blank: true,
            after_blank: true,
            ..Self::default()
        }
    }

    /// Adds text; gives the part that is decided now.
    pub fn push(&mut self, text: &str) -> String {
        if self.passages == 0 {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            self.take(c, &mut out);
        }
        out
    }

    /// Ends the text; gives the part that was held back.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        self.settle(None, &mut out);
        out.push_str(&std::mem::take(&mut self.held));
        out
    }

    fn take(&mut self, c: char, out: &mut String) {
        if let Some((mark, count, first)) = self.run {
            if c == mark {
                self.run = Some((mark, count + 1, first));
                out.push(c);
                return;
            }
            self.run = None;
            self.end_run(mark, count, first);
        }
        if self.bracket.is_some() {
            let inside = self.held.len() - self.bracket.unwrap_or_default();
            if !self.closed
                && (c.is_ascii_digit() || " ,;]".contains(c))
                && inside <= MAX_INSIDE + 1
            {
                self.held.push(c);
                self.closed = c == ']';
                return;
            }
            self.settle(Some(c), out);
        }
        if c == '\n' {
            self.end_line();
            self.release(c, out);
            return;
        }
        if c == ' ' || c == '\t' {
            if self.blank {
                self.indent += if c == ' ' { 1 } else { INDENT };
            }
            self.escaped = false;
            match self.is_code() {
                true => self.release(c, out),
                false => self.held.push(c),
            }
            return;
        }
        let first = std::mem::replace(&mut self.blank, false);
        if first {
            self.indented = self.after_blank && self.indent >= INDENT && self.span == 0;
        }
        let escaped = std::mem::take(&mut self.escaped);
        if let Some(fence) = &mut self.fence {
            fence.closing = false;
        }
        match c {
            '`' if !escaped && !self.indented => self.run = Some((c, 1, first)),
            '~' if first && !self.indented => self.run = Some((c, 1, first)),
            '\\' if !self.is_code() => self.escaped = !escaped,
            '[' if !escaped && !self.is_code() => {
                self.bracket = Some(self.held.len());
                self.first = first;
                self.held.push(c);
                return;
            }
            _ => {}
        }
        self.release(c, out);
    }

    /// Gives the held text followed by this text.
    fn release(&mut self, c: char, out: &mut String) {
        out.push_str(&self.held);
        self.held.clear();
        out.push(c);
    }

    fn is_code(&self) -> bool {
        self.fence.is_some() || self.span > 0 || self.indented
    }

    fn end_line(&mut self) {
        if let Some(fence) = &mut self.fence {
            fence.opening = false;
            if fence.closing {
                self.fence = None;
            }
        } else if self.blank && self.span < FENCE {
            // A span ends with its paragraph, whether it was closed or not.
            self.span = 0;
        }
        self.after_blank = self.blank || self.indented;
        self.indented = false;
        self.escaped = false;
        self.blank = true;
        self.indent = 0;
    }

    /// Handles a run of this many backticks or tildes. `first` is true when it begins its line.
    fn end_run(&mut self, mark: char, count: usize, first: bool) {
        let first = first && self.indent < INDENT;
        if let Some(fence) = &mut self.fence {
            if !(fence.opening && mark == '`' && fence.mark == '`') {
                fence.closing = first && mark == fence.mark && count >= fence.length;
                return;
            }
            // There are more of them later in the line, which a fence's first line cannot have: it was a code span.
            self.span = fence.length;
            self.fence = None;
        }
        if self.span >= FENCE && count == self.span {
            self.span = 0;
        } else if first && count >= FENCE {
            self.span = 0;
            self.fence = Some(Fence {
                mark,
                length: count,
                opening: true,
                closing: false,
            });
        } else if mark == '`' && self.span == 0 {
            self.span = count;
        } else if count == self.span {
            self.span = 0;
        }
    }

    /// Decides whether the bracket is a citation, now that the next character is known.
    fn settle(&mut self, next: Option<char>, out: &mut String) {
        let Some(at) = self.bracket.take() else {
            return;
        };
        let closed = std::mem::take(&mut self.closed);
        // A link, or the definition of one.
        let link = next == Some('(') || (self.first && next == Some(':'));
        let held = std::mem::take(&mut self.held);
        let (before, bracket) = held.split_at_checked(at).unwrap_or((&held, ""));
        let inside = bracket.trim_start_matches('[').trim_end_matches(']');
        let numbers: Option<Vec<usize>> = inside
            .split([',', ';'])
            .map(|n| n.trim().parse().ok().filter(|n| *n < 1_000))
            .collect();
        let Some(numbers) = numbers.filter(|_| closed && !link) else {
            out.push_str(&held);
            return;
        };
        let all = numbers.len();
        let good = numbers
            .into_iter()
            .filter(|n| (1..=self.passages).contains(n));
        let good: Vec<String> = good.map(|n| n.to_string()).collect();
        if good.len() == all {
            out.push_str(&held);
        } else if !good.is_empty() {
            out.push_str(&format!("{before}[{}]", good.join(", ")));
        } else if self.first {
            // White space before it is at the beginning of a line, where it may be an indentation.
            out.push_str(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;
    use proptest::prelude::*;

    fn whole(text: &str) -> String {
        let mut citations = Citations::new(2);
        let mut out = citations.push(text);
        out.push_str(&citations.finish());
        out
    }

    #[test]
    fn what_points_nowhere_is_dropped_and_nothing_else() {
        for (text, expected) in [
            ("Oui [1].", "Oui [1]."),
            ("Oui [9].", "Oui."),
            ("Oui [9] et [2][3].", "Oui et [2]."),
            ("Oui [1, 9; 2] non", "Oui [1, 2] non"),
            ("[9] Oui", " Oui"),
            ("- [9] Oui [0]", "- Oui"),
            ("[2024], [x], [], [ ], [1", "[2024], [x], [], [ ], [1"),
            ("[9", "[9"),
            ("[9](https://a.test) ![9](b)", "[9](https://a.test) ![9](b)"),
            ("[9]: https://a.test", "[9]: https://a.test"),
            ("Voici [9]: tout", "Voici: tout"),
            ("\\[9] \\\\[9]", "\\[9] \\\\"),
            ("`a[9]` b [9]", "`a[9]` b"),
            ("``a`[9]`` [9]", "``a`[9]``"),
            ("\\`[9]`", "\\``"),
            ("a ` b\n\nc [9]", "a ` b\n\nc"),
            ("```js\na[9] = 1\n```\nb [9]", "```js\na[9] = 1\n```\nb"),
            (
                "~~~\na[9]\n```\na[9]\n~~~~ \nb [9]",
                "~~~\na[9]\n```\na[9]\n~~~~ \nb",
            ),
            ("```a[9]``` b [9]", "```a[9]``` b"),
            (
                "1. x\n   ```\n   a[9]\n\n   b[9]\n   ```\ny [9]",
                "1. x\n   ```\n   a[9]\n\n   b[9]\n   ```\ny",
            ),
            (
                "- ```\n  a[9]\n\n  b[9]\n  ```\n\ny [9]",
                "- ```\n  a[9]\n\n  b[9]\n  ```\n\ny",
            ),
            (
                "a\n\n    b[9]\n    c[9]\n\nd [9]",
                "a\n\n    b[9]\n    c[9]\n\nd",
            ),
            ("a\n    b [9]", "a\n    b"),
            ("a  \nb", "a  \nb"),
            ("| a [9] | b |", "| a | b |"),
        ] {
            assert_eq!(whole(text), expected, "{text:?}");
        }
        let mut none = Citations::new(0);
        assert_eq!(none.push("a [9]"), "a [9]");
    }

    #[test]
    fn only_what_may_be_a_citation_is_held_back() {
        let mut citations = Citations::new(2);
        let pieces =
            ["Oui [", "9", "] non", " [1", "]", " a [", "b"].map(|piece| citations.push(piece));
        assert_eq!(pieces, ["Oui", "", " non", "", "", " [1] a", " [b"]);
        assert_eq!(citations.finish(), "");
    }

    /// Texts made of the characters that have a meaning here.
    fn texts() -> impl Strategy<Value = String> {
        let parts = [
            "[1]", "[9]", "[2, 9]", "[", "]", "(", ":", "`", "``", "```", "~~~", "\\", "\n",
            "\n\n", "    ", " ", "mot", "- ", "é", "9", "| a |",
        ];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..30)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn the_cuts_do_not_matter(text in texts(), cut in 0..60_usize) {
            let mut citations = Citations::new(2);
            let mut out = String::new();
            let chars: Vec<char> = text.chars().collect();
            for piece in chars.chunks(cut % 7 + 1) {
                out.push_str(&citations.push(&piece.iter().collect::<String>()));
            }
            out.push_str(&citations.finish());
            prop_assert_eq!(out, whole(&text));
        }

        #[test]
        fn what_is_cited_stays_cited(words in prop::collection::vec(
            prop::sample::select(vec!["mot ", "[1] ", "[9] ", "`a[9]` ", "[2, 9] ", "**b** ", "\n\n", "- c\n"]), 1..20)) {
            let text = words.concat();
            let cites = |text: &str| {
                let mut reply = Reply::new(2);
                reply.push(text);
                reply.finish();
                reply.cites().to_vec()
            };
            prop_assert_eq!(cites(&text), cites(&whole(&text)));
        }
    }
}
