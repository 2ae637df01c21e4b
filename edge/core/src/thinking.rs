//! A model's private thinking, taken out of the text of its answer.
//!
//! Many servers of reasoning models send the thinking as a part of the content: `<think>…</think>`, split anywhere, under
//! several names ([`MARKS`]), several times, without its end mark (the answer reached its limit), or without its begin mark
//! (the server's template wrote that into the prompt). This text must not get into a stream, record, cache, history or log.
//!
//! An answer may mention these marks: in code and in a sentence they stay. The place of a mark decides
//! ([`Thinking::text`], [`is_end`]); in doubt, the text is thinking.
//!
//! An end mark without a begin mark shows only afterwards that the text before it was thinking. If the model has done so before,
//! or its first words are typical of thinking ([`Expect`]), nothing is shown before the end mark; otherwise the shown text is
//! taken back ([`Told::TakenBack`]).

use bulle_edge_text::prefix;
use serde::{Deserialize, Serialize};

/// The begin and end marks of thinking, in lower case.
const MARKS: [(&str, &str); 11] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<|channel>thought", "<channel|>"),
    (
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
    ),
];

/// Bytes of the longest mark.
const LONGEST: usize = 30;

/// First words, in lower case, that are typical of thinking. An answer that begins with them is held back until its end,
/// unless the model is known to mark its thinking.
#[rustfmt::skip]
const ALOUD: [&str; 38] = [
    "okay", "ok,", "alright", "hmm", "well,", "so,", "so the", "now,", "wait", "let me", "let's", "first,",
    "the user", "the visitor", "the customer", "the question", "the person", "user ", "user:", "visitor ",
    "they ask", "they want", "we need", "we have to", "we are asked", "i need to", "i should", "i have to",
    "i must", "thinking", "thought", "looking at", "l'utilisateur", "der nutzer", "el usuario", "好的", "嗯", "用户",
];

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

/// A mark in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Begin(usize),
    End(usize),
    /// The text ends before it is known whether it is one.
    Perhaps,
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
        let rest = self.held.trim_start();
        let space = self.held.len() - rest.len();
        let begins = match mark_at(rest) {
            _ if rest.is_empty() => None,
            Some(Mark::Perhaps) => (!ended).then_some(State::Start),
            Some(Mark::Begin(len)) => {
                self.cut(space + len);
                self.state = State::Inside;
                return true;
            }
            Some(Mark::End(len)) => {
                self.cut(space + len);
                self.unopened |= self.state == State::Start;
                self.state = State::Behind;
                return true;
            }
            None => None,
        };
        if begins.is_some() || (rest.is_empty() && !ended) {
            return false;
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

    fn inside(&mut self, ended: bool) -> bool {
        let end = (marks(&self.held)).find_map(|(at, mark)| match mark {
            Mark::End(len) => Some(at + len),
            _ => None,
        });
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

    /// A begin mark counts on a line of its own, an end mark as [`is_end`] says.
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
            Mark::Begin(len) => {
                let Some(follows) = follows(self.behind(len), ended) else {
                    return false;
                };
                let own_line = line_before(&self.shown) == Some("");
                if own_line && follows.is_line_end() && !in_code(&self.shown) {
                    self.cut(len);
                    self.state = State::Inside;
                } else {
                    self.show(len, told);
                }
            }
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
        match found {
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

/// What follows a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
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
fn follows(behind: &str, ended: bool) -> Option<Follows> {
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
fn is_end(before: &str, follows: Follows) -> bool {
    if in_code(before) {
        return false;
    }
    let own_line = line_before(before) == Some("");
    if own_line && follows.is_line_end() {
        return true;
    }
    if marks(before).any(|(_, mark)| matches!(mark, Mark::Begin(_))) {
        return false;
    }
    let said = before.trim_end();
    let ends_sentence = said.ends_with(['.', '!', '?', '…', '。', '！', '？', '．']);
    let attached = said.len() == before.len() && said.ends_with(char::is_alphanumeric);
    own_line || follows != Follows::Other || ends_sentence || attached
}

/// The last line of a text, trimmed; `None` when its indent makes it code.
fn line_before(text: &str) -> Option<&str> {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let is_indented = line.starts_with('\t') || line.starts_with("    ");
    (!is_indented).then_some(line.trim())
}

/// Whether what follows this Markdown stands in a block or a span of code.
fn in_code(text: &str) -> bool {
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
fn aloud(text: &str, ended: bool) -> Option<bool> {
    let begins = |text: &str| ALOUD.iter().any(|words| starts(text, words));
    if begins(text) {
        return Some(true);
    }
    let undecided = ALOUD.iter().any(|words| starts(words, text));
    (ended || !undecided).then_some(false)
}

/// Whether a text starts so, in any case. Apostrophes are written in two ways.
fn starts(text: &str, start: &str) -> bool {
    let plain = |c: char| {
        if c == '’' {
            '\''
        } else {
            c.to_ascii_lowercase()
        }
    };
    let mut chars = text.chars().map(plain);
    start.chars().map(plain).all(|c| chars.next() == Some(c))
}

/// The marks of a text with their places, and what may be the beginning of a mark at its end.
fn marks(text: &str) -> impl Iterator<Item = (usize, Mark)> {
    let starts = text.match_indices(['<', '[', '◁']);
    starts.filter_map(|(at, _)| Some((at, mark_at(text.get(at..)?)?)))
}

/// The mark that begins a text.
fn mark_at(text: &str) -> Option<Mark> {
    let mut perhaps = None;
    for (begin, end) in MARKS {
        for (name, mark) in [
            (begin, Mark::Begin(begin.len())),
            (end, Mark::End(end.len())),
        ] {
            if starts(text, name) {
                return Some(mark);
            }
            if !text.is_empty() && text.len() < name.len() && starts(name, text) {
                perhaps = Some(Mark::Perhaps);
            }
        }
    }
    perhaps
}

#[cfg(test)]
mod tests;
