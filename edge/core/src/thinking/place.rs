//! What the place of a mark says: whether it begins or ends thinking, or a sentence or code mentions it.

use super::marks::{Mark, mark_at, marks, starts};

/// First words, in lower case, that are typical of thinking. An answer that begins with them is held back until its end,
/// unless the model is known to mark its thinking.
#[rustfmt::skip]
const ALOUD: [&str; 42] = [
    "okay", "ok,", "alright", "hmm", "well,", "so,", "so the", "now,", "wait", "let me", "let's", "first,",
    "the user", "the visitor", "the customer", "the question", "the person", "user ", "user:", "visitor ",
    "they ask", "they want", "we need", "we have to", "we are asked", "i need to", "i should", "i have to",
    "i must", "thinking", "thought", "looking at", "l'utilisateur", "der nutzer", "el usuario", "好的", "嗯", "用户",
    "analysiswe", "analysisthe", "analysisuser", "analysisneed",
];

/// What ends the thinking that has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Until {
    /// An end mark, of any name.
    #[default]
    Mark,
    /// `</details>`.
    Details,
    /// The end of a block of code: "```thinking".
    Fence,
}

/// White space, or a character that shows nothing.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')
}

/// The mark with which an answer begins, perhaps in a quotation, and what ends the thinking that it begins.
pub(super) fn first_mark(rest: &str) -> Option<(Until, Mark)> {
    if let Some(info) = rest.strip_prefix("```") {
        let begins = ["think", "thinking", "thought", "thoughts", "reasoning"]
            .into_iter()
            .find_map(|name| match info.strip_prefix(name) {
                Some(behind) if behind.starts_with('\n') => Some(Mark::Begin(3 + name.len())),
                Some("") => Some(Mark::Perhaps),
                _ => name.starts_with(info).then_some(Mark::Perhaps),
            });
        return begins.map(|mark| (Until::Fence, mark));
    }
    if !rest.is_empty() && "```".starts_with(rest) {
        return Some((Until::Fence, Mark::Perhaps));
    }
    let quoted = rest.trim_start_matches(['>', ' ']);
    let before = rest.len() - quoted.len();
    if before > 0 && quoted.is_empty() {
        return Some((Until::Mark, Mark::Perhaps));
    }
    let mark = mark_at(quoted)?;
    Some(match mark {
        Mark::Begin(len) => (Until::Mark, Mark::Begin(before + len)),
        Mark::Details(len) => (Until::Details, Mark::Details(before + len)),
        // In a quotation, nothing else is expected.
        _ if before > 0 && mark != Mark::Perhaps => return None,
        mark => (Until::Mark, mark),
    })
}

/// The end of the first place of a mark, in any case.
pub(super) fn end_of(text: &str, mark: &str) -> Option<usize> {
    let mut places = text.char_indices().map(|(at, _)| at);
    let at = places.find(|at| text.get(*at..).is_some_and(|rest| starts(rest, mark)))?;
    Some(at + mark.len())
}

/// Whether a begin mark in the middle of an answer begins thinking; `None` when more text is needed to tell. It does at the
/// beginning of a line, unless a sentence goes on behind it, and right behind a sentence, without a space. A sentence that
/// mentions the mark has neither.
pub(super) fn begins(before: &str, behind: &str, ended: bool) -> Option<bool> {
    if in_code(before) {
        return Some(false);
    }
    if line_before(before) != Some("") {
        let attached = before.ends_with(SENTENCE_ENDS);
        return Some(attached && follows(behind, ended)? != Follows::Other);
    }
    let line = match behind.split_once('\n') {
        Some((line, _)) => line,
        None if ended => behind,
        None => return None,
    };
    let attached = line.starts_with(char::is_alphanumeric);
    let ends = marks(line).any(|(_, mark)| matches!(mark, Mark::End(_)));
    Some(line.trim().is_empty() || attached || ends)
}

/// What ends a sentence.
const SENTENCE_ENDS: [char; 8] = ['.', '!', '?', '…', '。', '！', '？', '．'];

/// What follows a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// The text, or its line, ends.
    LineEnd,
    /// A letter or a digit, without white space.
    Word,
    /// Something else.
    Other,
}

impl Follows {
    fn is_line_end(self) -> bool {
        self == Self::LineEnd
    }
}

/// What follows; `None` when more text is needed to tell.
pub(super) fn follows(behind: &str, ended: bool) -> Option<Follows> {
    let rest = behind.trim_start_matches([' ', '\t', '\r']);
    match rest.chars().next() {
        None => ended.then_some(Follows::LineEnd),
        Some('\n') => Some(Follows::LineEnd),
        Some(c) if rest.len() == behind.len() && c.is_alphanumeric() => Some(Follows::Word),
        Some(_) => Some(Follows::Other),
    }
}

/// Whether an end mark behind this text ends thinking without a begin mark. An answer that mentions the mark has it in
/// code, in quotation marks, or between the words of a sentence.
pub(super) fn is_end(before: &str, follows: Follows) -> bool {
    if in_code(before) {
        return false;
    }
    let own_line = line_before(before) == Some("");
    if own_line && follows.is_line_end() {
        return true;
    }
    // A sentence that mentions the end mark mentions the begin mark before it. At the beginning of a line, that is no mention.
    let mentions = |(at, mark): (usize, Mark)| {
        let line = before.get(..at).and_then(line_before);
        matches!(mark, Mark::Begin(_)) && line != Some("")
    };
    if marks(before).any(mentions) {
        return false;
    }
    let said = before.trim_end();
    let ends_sentence = said.ends_with(SENTENCE_ENDS);
    let attached = said.len() == before.len() && said.ends_with(char::is_alphanumeric);
    own_line || follows != Follows::Other || ends_sentence || attached
}

/// The last line of a text, trimmed; `None` when its indent makes it code.
pub(super) fn line_before(text: &str) -> Option<&str> {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let is_indented = line.starts_with('\t') || line.starts_with("    ");
    (!is_indented).then_some(line.trim())
}

/// Whether what follows this Markdown stands in a block or a span of code.
pub(super) fn in_code(text: &str) -> bool {
    let mut fence: Option<&str> = None;
    let mut ticks = 0_usize;
    for line in text.split('\n') {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (Some(_), _) => continue,
            (None, None) if start.is_empty() => ticks = 0,
            (None, None) => ticks += line.matches('`').count(),
        }
    }
    fence.is_some() || ticks % 2 == 1
}

/// Whether an answer begins with words typical of thinking; `None` when more text is needed to tell.
pub(super) fn aloud(text: &str, ended: bool) -> Option<bool> {
    let begins = |text: &str| ALOUD.iter().any(|words| starts(text, words));
    if begins(text) {
        return Some(true);
    }
    let undecided = ALOUD.iter().any(|words| starts(words, text));
    (ended || !undecided).then_some(false)
}
