//! The suggestion line: the last line of a model's answer, with questions that the visitor may ask next. It is removed
//! from the text while the text streams, so that a visitor never sees any part of it.

use bulle_protocol::{block::blocks_to_text, event::Suggestions};

use super::{markdown, stabilise};
use bulle_edge_text::{
    prefix,
    words::{Word, words},
};

/// The mark that begins the line.
const OPEN: &str = "<next>";

/// The mark that ends the line.
const CLOSE: &str = "</next>";

/// The rule in the model's instructions that asks for the suggestion line.
pub const INSTRUCTION: &str = "End your answer with one last line <next>question | question | question</next>: up to \
     three short questions, in the visitor's language and words, that they may ask next and that the passages answer. \
     Leave the line out when there are none. Never mention it.";

/// Bytes after [`OPEN`] within which [`CLOSE`] must come; otherwise only the first lines after it are removed.
const MAX_LINE: usize = 1_000;

/// Characters of white space, and of backticks, that are held back because the line may follow.
const MAX_RUN: usize = 8;

/// Longest name of a code block's language that is held back likewise, in characters.
const MAX_INFO: usize = 10;

/// Removes the suggestion line from a text that comes in pieces. The result does not depend on where the text is cut.
///
/// A text without the line passes through unchanged. Text that could be the beginning of the line is held back: an
/// opening angle bracket with the following text as long as it fits the mark, and the white space and backticks before
/// it.
#[derive(Debug, Default)]
pub struct SuggestionLine {
    /// Held text, not decided yet.
    held: String,
    /// The visible text so far.
    shown: String,
    /// Contents of the lines that were taken out.
    taken: Vec<String>,
    state: State,
}

/// The position of the held text.
#[derive(Debug, Default)]
enum State {
    /// In the visible text.
    #[default]
    Text,
    /// After an opening mark.
    Inside(Gap),
    /// After a line that was removed; the following white space is dropped unless more text follows.
    Behind(Gap),
}

/// The text before a line that was removed.
#[derive(Debug, Default)]
struct Gap {
    /// White space, shown when text follows.
    before: String,
    /// Backticks that opened a block or span around the line: the same number is removed after it.
    ticks: usize,
}

/// A mark in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Open,
    Close,
    /// The text ends within a possible mark.
    Perhaps,
}

impl SuggestionLine {
    /// A text without content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes text of the model; gives the text that has become visible.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let from = self.shown.len();
        while self.step(false) {}
        self.since(from)
    }

    /// Ends the text. Gives the rest of the visible text, and the suggestions without the question itself.
    pub fn finish(mut self, question: &[Word]) -> (String, Vec<String>) {
        let from = self.shown.len();
        while self.step(true) {}
        let rest = self.since(from);
        (rest, suggestions(&self.taken, question))
    }

    fn since(&self, from: usize) -> String {
        self.shown.get(from..).unwrap_or_default().to_owned()
    }

    /// Decides the next part of the held text; false when more text is needed.
    fn step(&mut self, ended: bool) -> bool {
        if self.held.is_empty() {
            return false;
        }
        match std::mem::take(&mut self.state) {
            State::Text => self.text(ended),
            State::Inside(gap) => self.inside(gap, ended),
            State::Behind(gap) => self.behind(gap, ended),
        }
    }

    fn text(&mut self, ended: bool) -> bool {
        let Some((at, mark)) = find(&self.held) else {
            let kept = if ended {
                self.held.len()
            } else {
                lead(&self.held)
            };
            self.show(kept);
            return ended;
        };
        let before = self.held.get(..at).unwrap_or_default();
        let start = lead(before);
        if mark == Mark::Perhaps {
            // Half a mark at the very end was cut off; a single angle bracket is text.
            let half = self.held.len() - at > 1;
            self.show(if ended && half { at } else { start });
            if ended && half {
                self.held.clear();
            } else if ended {
                self.show(self.held.len());
            }
            return false;
        }
        self.show(start);
        let before = self.cut(at - start);
        let ticks = before.chars().filter(|c| *c == '`').count();
        let gap = if ticks == 0 {
            Gap { before, ticks }
        } else if self.opens(&before, ticks) {
            let kept = before.split('`').next().unwrap_or_default().to_owned();
            Gap {
                before: kept,
                ticks,
            }
        } else {
            // The backticks close those that were opened before the line.
            let closed = before.trim_end().len();
            self.shown
                .push_str(before.get(..closed).unwrap_or_default());
            Gap {
                before: before.get(closed..).unwrap_or_default().to_owned(),
                ticks: 0,
            }
        };
        self.state = if mark == Mark::Open {
            self.cut(OPEN.len());
            State::Inside(gap)
        } else {
            self.cut(CLOSE.len());
            State::Behind(gap)
        };
        true
    }

    /// Whether the backticks at the end of the visible text open a block or span.
    fn opens(&self, before: &str, ticks: usize) -> bool {
        let line = before.contains('\n') || self.shown.is_empty() || self.shown.ends_with('\n');
        if ticks >= 3 && line {
            return !stabilise::in_fence(&self.shown);
        }
        let paragraph = self.shown.rsplit("\n\n").next().unwrap_or_default();
        paragraph.matches('`').count().is_multiple_of(2)
    }

    fn inside(&mut self, gap: Gap, ended: bool) -> bool {
        let end = position(&self.held, CLOSE).filter(|at| *at <= MAX_LINE);
        if let Some(at) = end {
            let content = self.cut(at);
            self.cut(CLOSE.len());
            self.taken.push(content);
            self.state = State::Behind(gap);
            return true;
        }
        let long = self.held.len() > MAX_LINE + CLOSE.len();
        if !long && !ended {
            self.state = State::Inside(gap);
            return false;
        }
        // A line that was never closed: it ends at the first blank line, or at the end if the text is short.
        let known = prefix(&self.held, MAX_LINE).len();
        let content = self.held.get(..known).unwrap_or_default();
        let start = content.len() - content.trim_start().len();
        let blank = content.get(start..).and_then(|rest| rest.find("\n\n"));
        let end = match blank {
            Some(at) => start + at,
            // The text mentions such a mark, and does not end with a suggestion line.
            None if long => 0,
            None => self.held.len(),
        };
        let mut content = self.cut(end);
        if let Some((at, Mark::Perhaps)) = find(&content) {
            content.truncate(at);
        }
        self.taken.push(unfinished(&content));
        self.state = State::Behind(gap);
        true
    }

    fn behind(&mut self, mut gap: Gap, ended: bool) -> bool {
        let space = self.held.len() - self.held.trim_start().len();
        let rest = self.held.get(space..).unwrap_or_default();
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let more = rest.len() == ticks && !ended;
        if more && (ticks == 0 || ticks < gap.ticks) {
            self.state = State::Behind(gap);
            return false;
        }
        if gap.ticks > 0 && ticks >= gap.ticks {
            self.cut(space + gap.ticks);
            gap.ticks = 0;
            self.state = State::Behind(gap);
            return true;
        }
        if rest.is_empty() {
            self.held.clear();
            return false;
        }
        match find(rest) {
            Some((0, Mark::Perhaps)) if !ended => {
                self.state = State::Behind(gap);
                return false;
            }
            Some((0, Mark::Perhaps)) if rest.len() > 1 => {
                self.held.clear();
                return false;
            }
            Some((0, mark @ (Mark::Open | Mark::Close))) => {
                let len = if mark == Mark::Open {
                    OPEN.len()
                } else {
                    CLOSE.len()
                };
                self.cut(space + len);
                self.state = if mark == Mark::Open {
                    State::Inside(gap)
                } else {
                    State::Behind(gap)
                };
                return true;
            }
            _ => {}
        }
        // When text follows, it is separated by the wider of both spaces.
        let after = self.cut(space);
        let lines = |space: &str| space.matches('\n').count();
        let wider = if lines(&after) > lines(&gap.before) || gap.before.is_empty() {
            after
        } else {
            gap.before
        };
        self.shown.push_str(&wider);
        if find(&self.shown).is_some() {
            // The texts on both sides must not form a mark together.
            self.shown.push(' ');
        }
        self.state = State::Text;
        true
    }

    /// Shows that many bytes of the held text.
    fn show(&mut self, bytes: usize) {
        let text = self.cut(bytes);
        self.shown.push_str(&text);
    }

    /// Removes that many bytes from the held text.
    fn cut(&mut self, bytes: usize) -> String {
        let rest = self.held.split_off(prefix(&self.held, bytes).len());
        std::mem::replace(&mut self.held, rest)
    }
}

/// The position of a mark, in upper or lower case.
fn position(text: &str, mark: &str) -> Option<usize> {
    let (text, mark) = (text.as_bytes(), mark.as_bytes());
    text.windows(mark.len())
        .position(|window| window.eq_ignore_ascii_case(mark))
}

/// The first mark of a text, or what may be the beginning of one at its end.
fn find(text: &str) -> Option<(usize, Mark)> {
    text.match_indices('<').find_map(|(at, _)| {
        let rest = text.as_bytes().get(at..)?;
        let is = |mark: &str| {
            let len = rest.len().min(mark.len());
            let (rest, mark) = (rest.get(..len)?, mark.as_bytes().get(..len)?);
            rest.eq_ignore_ascii_case(mark).then_some(len)
        };
        for (mark, text) in [(Mark::Open, OPEN), (Mark::Close, CLOSE)] {
            if let Some(len) = is(text) {
                return Some((
                    at,
                    if len == text.len() {
                        mark
                    } else {
                        Mark::Perhaps
                    },
                ));
            }
        }
        None
    })
}

/// The beginning of the part before a mark that belongs to it: white space, backticks with the name of a language,
/// white space.
fn lead(text: &str) -> usize {
    let run = |text: &str, part: fn(char) -> bool, most: usize| -> (usize, bool) {
        let found = text.chars().rev().take_while(|c| part(*c)).count();
        let bytes = text.chars().rev().take(found.min(most)).map(char::len_utf8);
        (text.len() - bytes.sum::<usize>(), found > most)
    };
    let before = |at: usize| text.get(..at).unwrap_or_default();
    let (space, long) = run(text, char::is_whitespace, MAX_RUN);
    if long {
        return space;
    }
    let (info, long) = run(before(space), |c| c.is_ascii_alphabetic(), MAX_INFO);
    let named = !long && before(info).ends_with("```");
    let ticks_end = if named { info } else { space };
    let (ticks, long) = run(before(ticks_end), |c| c == '`', MAX_RUN);
    if long || ticks == ticks_end {
        return ticks;
    }
    run(before(ticks), char::is_whitespace, MAX_RUN).0
}

/// The content of a line that was never closed, without an incomplete last question.
fn unfinished(content: &str) -> String {
    let whole = content.trim_end_matches(|c: char| c.is_whitespace() || c == '`' || c == '|');
    if whole.ends_with(['?', '？', '؟', ';'])
        || whole.len() < content.trim_end_matches('`').trim_end().len()
    {
        return whole.to_owned();
    }
    let end = whole.rfind(['|', '\n']).unwrap_or(0);
    whole.get(..end).unwrap_or_default().to_owned()
}

/// Clean questions, each once, as many as are shown.
fn suggestions(taken: &[String], question: &[Word]) -> Vec<String> {
    let mut seen = vec![question.to_vec()];
    let mut out = Vec::new();
    let taken: Vec<String> = taken.iter().map(|content| apart(content)).collect();
    let pieces = (taken.iter()).flat_map(|content| content.split(['|', '｜', '\n']));
    for text in pieces {
        let text = clean(text);
        let said = words(&text);
        let fits = text.chars().count() <= Suggestions::MAX_CHARS && !said.is_empty();
        if fits && !seen.contains(&said) && out.len() < Suggestions::MAX {
            seen.push(said);
            out.push(text);
        }
    }
    out
}

/// A second opening mark inside the line separates two questions.
fn apart(content: &str) -> String {
    let mut out = content.to_owned();
    while let Some(at) = position(&out, OPEN) {
        out.replace_range(at..at + OPEN.len(), "|");
    }
    out
}

/// A question as plain text: without markup, numbers of passages, list markers and quotation marks around it.
fn clean(text: &str) -> String {
    let mut plain = without(text, '<', '>');
    loop {
        let rest = plain.trim_start_matches(|c: char| c.is_whitespace() || "-•–#>".contains(c));
        let rest = rest.strip_prefix("* ").unwrap_or(rest);
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = match number.strip_prefix(['.', ')']) {
            Some(after) if number.len() < rest.len() && after.starts_with(' ') => after,
            _ => rest,
        };
        if rest.len() == plain.len() {
            break;
        }
        plain = rest.to_owned();
    }
    let parsed = markdown::parse(&plain, 0, &mut Vec::new());
    let blocks: Vec<_> = parsed.into_iter().map(|parsed| parsed.block).collect();
    let plain = without(&blocks_to_text(&blocks), '[', ']');
    let plain = plain.trim_matches(|c: char| c.is_whitespace() || "\"“”«»„`*_".contains(c));
    let tidy = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    // A removed citation leaves a space before the final punctuation; in French that space is correct.
    let spaced =
        (text.split_once('?')).is_some_and(|(before, _)| before.ends_with(char::is_whitespace));
    if spaced {
        tidy
    } else {
        tidy.replace(" ?", "?")
    }
}

/// Removes the text between two brackets.
fn without(text: &str, open: char, close: char) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        out.push_str(before);
        match after.split_once(close) {
            Some((_, after)) => rest = after,
            None => {
                rest = after;
                out.push(open);
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
