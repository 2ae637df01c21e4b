//! A model's private thinking, taken out of the text of its answer.
//!
//! Many servers of reasoning models send the thinking as a part of the content: `<think>…</think>`, split anywhere, under
//! several names ([`marks`]), several times, without its end mark (the answer reached its limit), or without its begin mark
//! (the server's template wrote that into the prompt). This text must not get into a stream, record, cache, history or log.
//!
//! An answer may mention these marks: in code and in a sentence they stay. The place of a mark decides
//! ([`Thinking::text`], [`is_end`]); in doubt, the text is thinking.
//!
//! An end mark without a begin mark shows only afterwards that the text before it was thinking. If the model has done so before,
//! or its first words are typical of thinking ([`Expect`]), nothing is shown before the end mark; otherwise the shown text is
//! taken back ([`Told::TakenBack`]).

mod marks;
mod place;

use bulle_edge_text::prefix;
use marks::{LONGEST, Mark, marks};
use place::{Until, aloud, begins, end_of, first_mark, follows, in_code, is_blank, is_end};
use serde::{Deserialize, Serialize};

/// The end of thinking of OpenAI's open models, of a server that takes the tokens out of a text and leaves their words:
/// `analysisWe need …assistantfinalAt nine.`
const STRIPPED_END: &str = "assistantfinal";

/// Most bytes of an answer that are held back: longer than any answer that is shown.
const MOST_HELD: usize = 160 * 1024;

/// How a model marks its thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Nothing is known.
    #[default]
    Unknown,
    /// With begin marks, or its answers contain no thinking.
    Marked,
    /// With end marks alone.
    Unopened,
}

/// What a piece of text changes in the visible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// More of the answer.
    Text(String),
    /// All text of this answer so far was thinking.
    TakenBack,
}

/// Takes thinking out of an answer that comes in pieces. The result does not depend on the pieces.
#[derive(Debug, Default)]
pub struct Thinking {
    expect: Expect,
    /// Text that is not decided yet.
    held: String,
    /// Bytes of `held` that were searched for an end mark.
    searched: usize,
    /// The visible text so far.
    shown: String,
    state: State,
    until: Until,
    /// There was thinking before, so marks around the answer are left out.
    thought: bool,
    /// An end mark without a begin mark has come.
    unopened: bool,
    /// The answer was held back.
    doubted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first visible character.
    #[default]
    Start,
    /// Behind thinking, where white space is dropped.
    Behind,
    /// In the answer.
    Answer,
    /// In thinking.
    Inside,
    /// In text that may be thinking without a begin mark.
    Doubt,
}

impl Thinking {
    /// For a model that marks its thinking so.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            ..Self::default()
        }
    }

    /// The server sends thinking in a field of its own, so an end mark without a begin mark is not expected.
    pub fn apart(&mut self) {
        self.expect = Expect::Marked;
    }

    /// How the model marks its thinking, after a complete answer. An answer without typical words and without marks shows
    /// nothing.
    pub fn learned(&self) -> Expect {
        match self.expect {
            _ if self.unopened => Expect::Unopened,
            Expect::Unknown if self.doubted => Expect::Marked,
            known => known,
        }
    }

    /// Takes text of the model; gives what is visible now.
    pub fn push(&mut self, piece: &str) -> Vec<Told> {
        self.held.push_str(piece);
        self.run(false)
    }

    /// The rest, after the end of a complete answer.
    pub fn finish(&mut self) -> Vec<Told> {
        self.run(true)
    }

    /// The rest of an incomplete answer, without text that may be thinking.
    pub fn abandon(&mut self) -> Vec<Told> {
        if self.state == State::Doubt {
            self.held.clear();
        }
        self.run(true)
    }

    fn run(&mut self, ended: bool) -> Vec<Told> {
        let mut told = Vec::new();
        while !self.held.is_empty() && self.step(ended, &mut told) {}
        told
    }

    /// Decides the next part of the held text; false when more text is needed.
    fn step(&mut self, ended: bool, told: &mut Vec<Told>) -> bool {
        match self.state {
            State::Start | State::Behind => self.start(ended),
            State::Answer => self.text(ended, told),
            State::Inside => self.inside(ended),
            State::Doubt => self.doubt(ended, told),
        }
    }

    fn start(&mut self, ended: bool) -> bool {
        let rest = self.held.trim_start_matches(is_blank);
        let space = self.held.len() - rest.len();
        match first_mark(rest) {
            Some((_, Mark::Perhaps)) if !ended => return false,
            Some((until, Mark::Begin(len) | Mark::Details(len))) => {
                self.cut(space + len);
                self.begin(until);
                return true;
            }
            Some((_, Mark::End(len) | Mark::Empty(len))) => {
                self.cut(space + len);
                self.unopened |= self.state == State::Start && !self.thought;
                self.thought = true;
                self.state = State::Behind;
                return true;
            }
            Some((_, Mark::Answer(len))) if self.thought => {
                self.cut(space + len);
                return true;
            }
            _ if rest.is_empty() && !ended => return false,
            _ => {}
        }
        let next = match self.expect {
            _ if self.state == State::Behind => State::Answer,
            Expect::Unopened => State::Doubt,
            Expect::Marked => State::Answer,
            Expect::Unknown => match aloud(rest, ended) {
                Some(true) => State::Doubt,
                Some(false) => State::Answer,
                None => return false,
            },
        };
        if self.state == State::Behind {
            self.cut(space);
        }
        self.searched = 0;
        self.doubted |= next == State::Doubt;
        self.state = next;
        true
    }

    fn begin(&mut self, until: Until) {
        self.until = until;
        self.thought = true;
        self.state = State::Inside;
    }

    fn inside(&mut self, ended: bool) -> bool {
        let end = match self.until {
            Until::Mark => marks(&self.held).find_map(|(at, mark)| match mark {
                Mark::End(len) => Some(at + len),
                _ => None,
            }),
            Until::Details => end_of(&self.held, "</details>"),
            Until::Fence => end_of(&self.held, "\n```"),
        };
        match end {
            Some(end) => {
                self.cut(end);
                self.state = State::Behind;
                true
            }
            None => {
                let kept = if ended { 0 } else { LONGEST };
                let gone = prefix(&self.held, self.held.len().saturating_sub(kept)).len();
                self.cut(gone);
                false
            }
        }
    }

    /// A begin mark counts as [`begins`] says, an end mark as [`is_end`] says.
    fn text(&mut self, ended: bool, told: &mut Vec<Told>) -> bool {
        let Some((at, mark)) = marks(&self.held).next() else {
            self.show(self.held.len(), told);
            return false;
        };
        self.show(at, told);
        match mark {
            Mark::Perhaps => {
                if ended {
                    self.show(self.held.len(), told);
                }
                return false;
            }
            Mark::Begin(len) | Mark::Details(len) => {
                let until = match mark {
                    Mark::Details(_) => Until::Details,
                    _ => Until::Mark,
                };
                match begins(&self.shown, self.behind(len), ended) {
                    None => return false,
                    Some(true) => {
                        self.cut(len);
                        self.begin(until);
                    }
                    Some(false) => self.show(len, told),
                }
            }
            Mark::Answer(len) if self.thought && !in_code(&self.shown) => {
                self.cut(len);
            }
            Mark::Answer(len) | Mark::Empty(len) => self.show(len, told),
            Mark::End(len) => {
                let Some(follows) = follows(self.behind(len), ended) else {
                    return false;
                };
                if is_end(&self.shown, follows) {
                    self.cut(len);
                    self.take_back(told);
                } else {
                    self.show(len, told);
                }
            }
        }
        true
    }

    fn doubt(&mut self, ended: bool, told: &mut Vec<Told>) -> bool {
        let from = prefix(&self.held, self.searched.saturating_sub(LONGEST)).len();
        // The place of the first end mark, and its end unless more text is needed to decide.
        let found = marks(self.behind(from)).find_map(|(at, mark)| {
            let Mark::End(len) = mark else { return None };
            let at = from + at;
            let before = self.held.get(..at).unwrap_or_default();
            match follows(self.behind(at + len), ended) {
                None => Some((at, None)),
                Some(follows) => is_end(before, follows).then_some((at, Some(at + len))),
            }
        });
        let stripped = || {
            let at = from + self.behind(from).find(STRIPPED_END)?;
            Some((at, Some(at + STRIPPED_END.len())))
        };
        match found.or_else(stripped) {
            Some((at, None)) => {
                self.searched = at;
                return false;
            }
            Some((_, Some(end))) => {
                self.cut(end);
                self.take_back(told);
                return true;
            }
            None => {}
        }
        self.searched = self.held.len();
        if !ended && self.held.len() < MOST_HELD {
            return false;
        }
        self.state = State::Answer;
        true
    }

    fn take_back(&mut self, told: &mut Vec<Told>) {
        self.unopened = true;
        self.thought = true;
        self.state = State::Behind;
        told.clear();
        if !self.shown.is_empty() {
            self.shown.clear();
            told.push(Told::TakenBack);
        }
    }

    fn behind(&self, at: usize) -> &str {
        self.held.get(at..).unwrap_or_default()
    }

    fn show(&mut self, bytes: usize, told: &mut Vec<Told>) {
        let text = self.cut(bytes);
        if text.is_empty() {
            return;
        }
        self.shown.push_str(&text);
        match told.last_mut() {
            Some(Told::Text(last)) => last.push_str(&text),
            _ => told.push(Told::Text(text)),
        }
    }

    fn cut(&mut self, bytes: usize) -> String {
        let rest = self.held.split_off(bytes);
        std::mem::replace(&mut self.held, rest)
    }
}

/// A whole text without thinking.
pub fn without(text: &str) -> String {
    let mut thinking = Thinking::new(Expect::Marked);
    let mut out = String::new();
    for told in thinking.push(text).into_iter().chain(thinking.finish()) {
        match told {
            Told::Text(text) => out.push_str(&text),
            Told::TakenBack => out.clear(),
        }
    }
    out
}

#[cfg(test)]
mod tests;
