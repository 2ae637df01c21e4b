//! A model's private thinking, taken out of the text of its answer.
//!
//! The kind: servers of reasoning models that do not separate what the model says to itself from what it answers, and
//! send both as content: `<think>…</think>`, split anywhere, under several names ([`MARKS`]), more than once, without its
//! end (the model was cut while it thought), or without its beginning (the server's template wrote that into the prompt).
//! Such text is no part of an answer: what is taken out here is in no stream, record, cache, history or log.
//!
//! An answer may speak of these marks: in code, and in a sentence, they stay. What is thinking is decided by where a
//! mark stands ([`Thinking::text`], [`is_end`]); in doubt, it is thinking.
//!
//! An end without a beginning tells only afterwards that everything before it was thinking. Where that is likely, because
//! the model did so before or its first words sound so ([`Expect`]), nothing is shown before the end has come; elsewhere
//! what was shown is taken back ([`Told::TakenBack`]).

use serde::{Deserialize, Serialize};

/// What begins and what ends thinking, in lower case.
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

/// First words, in lower case, of models that think aloud. An answer that begins so is held back until it has ended, where
/// nothing is known of its model.
#[rustfmt::skip]
const ALOUD: [&str; 38] = [
    "okay", "ok,", "alright", "hmm", "well,", "so,", "so the", "now,", "wait", "let me", "let's", "first,",
    "the user", "the visitor", "the customer", "the question", "the person", "user ", "user:", "visitor ",
    "they ask", "they want", "we need", "we have to", "we are asked", "i need to", "i should", "i have to",
    "i must", "thinking", "thought", "looking at", "l'utilisateur", "der nutzer", "el usuario", "好的", "嗯", "用户",
];

/// Most bytes of an answer that are held back: longer than any answer that is shown.
const MOST_HELD: usize = 160 * 1024;

/// What is known of a model's thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Nothing.
    #[default]
    Unknown,
    /// Its answers hold none, or begin it where it begins.
    Marked,
    /// It has ended thinking whose beginning was not sent.
    Unopened,
}

/// What is visible of a piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// More of the answer.
    Text(String),
    /// All text of this answer so far was thinking.
    TakenBack,
}

/// Takes thinking out of an answer that comes in pieces. Whatever the cuts, the result is the same.
#[derive(Debug, Default)]
pub struct Thinking {
    expect: Expect,
    /// Text that is not decided yet.
    held: String,
    /// Bytes of `held` in which no end was found.
    searched: usize,
    /// The visible text so far.
    shown: String,
    state: State,
    /// An end without a beginning has come.
    unopened: bool,
    /// The answer was held back.
    doubted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first visible character.
    #[default]
    Start,
    /// Behind thinking: white space is not wanted.
    Behind,
    /// In the answer.
    Answer,
    /// In thinking.
    Inside,
    /// In what may be thinking whose beginning was not sent.
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
    /// Of a model of which this is known.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            ..Self::default()
        }
    }

    /// The server sends thinking apart from the answer, so that the answer holds none that has no beginning.
    pub fn apart(&mut self) {
        self.expect = Expect::Marked;
    }

    /// What has become known of the model, where the answer has come to its end: that it sounded like thinking and was
    /// none counts, an answer like any other does not.
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

    /// The model has ended: the rest.
    pub fn finish(&mut self) -> Vec<Told> {
        self.run(true)
    }

    /// The answer was cut: the rest, without what may be thinking.
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
                let gone = floor(&self.held, self.held.len().saturating_sub(kept));
                self.cut(gone);
                false
            }
        }
    }

    /// A mark that begins is thinking where it has a line of its own; one that ends, where [`is_end`] says so.
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
        let from = floor(&self.held, self.searched.saturating_sub(LONGEST));
        // Where an end stands, and whether it is known to be one.
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

/// What stands behind a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    /// The text, or its line, ends.
    LineEnd,
    /// A letter or a digit, at once.
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

/// Whether a mark behind this text ends thinking whose beginning was not sent. An answer that speaks of the mark sets it in
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

/// What stands before the end of a text on its last line, without white space; `None` where the line is code by its indent.
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

/// Whether an answer begins as thinking aloud does; `None` when more text is needed to tell.
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

/// The marks of a text with where they stand, and what may be the beginning of one at its end.
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

/// The last boundary of characters at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
