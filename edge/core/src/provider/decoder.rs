//! Reads a model's streamed answer: server-sent events, with the reader of the vendor's format.
//!
//! Servers deviate from the format of a stream: the last event or every event lacks its blank line, `data:` is written twice,
//! a ping is a word and not a comment, or the server does not stream and sends JSON: an object, an array, an object a line.
//! Such an answer was paid for, so it is read if it is complete.

use bulle_protocol::{event::Finish, problem::Code, sse};
use serde_json::Value;

use super::{Delta, Failure, habits::Complaint};
use crate::{
    record::Outcome,
    thinking::{Expect, Thinking, Told},
};

/// The state of a stream after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More events may follow.
    More,
    /// The stream has ended, as the server has said.
    Last,
}

/// Reads the events of one vendor.
pub trait Read {
    /// Reads the data of an event and adds the deltas in it.
    ///
    /// # Errors
    /// `upstream_interrupted`: an error event, or data that is not part of an answer. The deltas before it have been
    /// added.
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure>;
}

/// Reads the body of a response.
pub struct Decoder {
    form: Form,
    sse: sse::Decoder,
    reader: Box<dyn Read>,
    thinking: Thinking,
    /// How the model has ended, once it has said so.
    finish: Option<Finish>,
    done: bool,
}

/// What a body is.
enum Form {
    /// White space only, so far.
    Unknown,
    /// Events, with the first bytes of the body.
    Events(Vec<u8>),
    /// JSON without events.
    Whole(Vec<u8>),
}

/// How many of the first bytes are kept, to tell whether a body contains events.
const TELLING: usize = 6;

impl Decoder {
    /// A decoder of a vendor's events, of a model that marks its thinking so.
    pub fn new(reader: Box<dyn Read>, expect: Expect) -> Self {
        Self {
            form: Form::Unknown,
            sse: sse::Decoder::default(),
            reader,
            thinking: Thinking::new(expect),
            finish: None,
            done: false,
        }
    }

    /// Feeds bytes of the body and adds the deltas that they complete.
    ///
    /// # Errors
    /// `upstream_interrupted`, see [`Read::event`].
    pub fn push(&mut self, bytes: &[u8], deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        if matches!(self.form, Form::Unknown) {
            // A byte order mark may come first.
            let tells = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte);
            match bytes.iter().find(tells) {
                None => {}
                Some(b'{' | b'[') => self.form = Form::Whole(Vec::new()),
                Some(_) => self.form = Form::Events(Vec::new()),
            }
        }
        match &mut self.form {
            Form::Unknown => return Ok(()),
            Form::Whole(body) if body.len() + bytes.len() > sse::MAX_EVENT_BYTES => {
                return Err(Failure::undecodable("the answer is too large"));
            }
            Form::Whole(body) => {
                body.extend(bytes);
                return Ok(());
            }
            Form::Events(first) => {
                let missing = TELLING.saturating_sub(first.len());
                first.extend(bytes.iter().take(missing));
            }
        }
        let frames = self.sse.push(bytes);
        let frames = frames.map_err(|_| Failure::undecodable("an event is too large"))?;
        for frame in frames {
            self.dispatch(&frame.data, deltas)?;
        }
        Ok(())
    }

    /// Reads the data of an event, or of several events without the blank lines between them.
    fn dispatch(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let lines = || data.lines().map(payload).filter(|line| !line.is_empty());
        let is_event = |line: &str| {
            is_done(line) || serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
        };
        if lines().count() > 1 && lines().all(is_event) {
            return lines().try_for_each(|line| self.event(line, deltas));
        }
        self.event(payload(data), deltas)
    }

    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let data = if is_done(data) { "[DONE]" } else { data };
        if self.done || is_ping(data) {
            return Ok(());
        }
        if let Form::Events(first) = &mut self.form {
            *first = b"data".to_vec();
        }
        let mut read = Vec::new();
        let step = self.reader.event(data, &mut read);
        for delta in read {
            match delta {
                Delta::Text(text) => {
                    deltas.extend(self.thinking.push(&text).into_iter().map(delta_of));
                }
                Delta::Apart => self.thinking.apart(),
                Delta::Finish(finish) => {
                    self.finish = Some(finish);
                    deltas.push(delta);
                }
                other => deltas.push(other),
            }
        }
        self.done |= step? == Step::Last;
        Ok(())
    }

    /// The finish reason, once the model has given it.
    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the server has said that the stream has ended.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// How the model marks its thinking; `None` unless the answer is complete.
    pub fn learned(&self) -> Option<Expect> {
        (self.finish == Some(Finish::Stop)).then(|| self.thinking.learned())
    }

    /// Adds the rest, after the last byte. `broken`: the body is incomplete.
    ///
    /// # Errors
    /// `upstream_interrupted`: there was no finish reason, so the answer is incomplete; or the body cannot be decoded.
    pub fn end(&mut self, broken: bool, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let last = match &mut self.form {
            Form::Unknown => None,
            Form::Events(_) => self.sse.finish().map(|frame| frame.data),
            Form::Whole(body) => Some(String::from_utf8_lossy(&std::mem::take(body)).into_owned()),
        };
        let read = last.map_or(Ok(()), |data| self.dispatch(&data, deltas));
        // Thinking without its end is not an answer.
        let rest = if self.finish == Some(Finish::Stop) {
            self.thinking.finish()
        } else {
            self.thinking.abandon()
        };
        deltas.extend(rest.into_iter().map(delta_of));
        if self.is_finished() {
            return Ok(());
        }
        if !broken {
            read?;
        }
        match &self.form {
            Form::Events(first) if !begins_events(first) => {
                Err(Failure::undecodable("the body holds no events"))
            }
            _ => {
                let detail = "the stream ended without a finish reason";
                Err(Failure::new(Code::UpstreamInterrupted, detail))
            }
        }
    }
}

fn delta_of(told: Told) -> Delta {
    match told {
        Told::Text(text) => Delta::Text(text),
        Told::TakenBack => Delta::TakenBack,
    }
}

/// The data of an event. Some servers write `data:` twice.
fn payload(data: &str) -> &str {
    let mut data = data.trim_start_matches('\u{feff}').trim();
    while let Some(rest) = data
        .strip_prefix("data")
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
    {
        data = rest.trim();
    }
    data
}

/// Whether data says that the stream has ended: `[DONE]`, however it is written.
fn is_done(data: &str) -> bool {
    let word = data.trim_matches(['[', ']', ' ', '"']);
    word.eq_ignore_ascii_case("done")
}

/// Whether data only shows that the server is alive: nothing, or a word.
fn is_ping(data: &str) -> bool {
    let is_word = data.len() <= 20 && data.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    is_word || data == "\"\""
}

/// Whether a body that begins with these bytes may contain events.
fn begins_events(first: &[u8]) -> bool {
    let first = first
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(first)
        .trim_ascii_start();
    [&b":"[..], b"data", b"event", b"id", b"retry"]
        .iter()
        .any(|field| first.starts_with(field) || field.starts_with(first))
}

/// An event whose JSON is invalid. The parser's message is dropped, because it quotes the model's words.
pub fn malformed(error: &serde_json::Error) -> Failure {
    let detail = format!("{:?} error at column {}", error.classify(), error.column());
    if error.is_eof() {
        return Failure::new(Code::UpstreamInterrupted, detail);
    }
    Failure::undecodable(detail)
}

/// The failure for an HTTP status other than 200; `body` is the beginning of the body.
pub fn refusal(status: u16, retry_after: Option<u32>, body: &[u8]) -> Failure {
    let error = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let error = error.get("error").unwrap_or(&Value::Null);
    Failure {
        outcome: Outcome::Refused,
        status: Some(status),
        retry_after,
        complaint: Complaint::read(status, body),
        ..Failure::new(
            Code::UpstreamUnavailable,
            format!("HTTP {status}, {}", named(error)),
        )
    }
}

/// The error's type and code. Its message is dropped, because it may quote the visitor's message or the key.
pub fn named(error: &Value) -> String {
    let name = |field: &str| {
        error
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or("unknown")
    };
    let short = |text: &str| -> String { text.chars().take(80).collect() };
    format!(
        "error of type {}, code {}",
        short(name("type")),
        short(name("code"))
    )
}
