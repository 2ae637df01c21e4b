//! Reading a model's answer as it streams: server-sent events, whatever the vendor puts into them.
//!
//! The kind: servers that stream almost as they should. The last event may lack its blank line, all may lack theirs, and a
//! server that cannot stream sends one JSON object. Each is an answer where it is whole: the bytes were paid for.

use bulle_protocol::{event::Finish, problem::Code, sse};
use serde_json::Value;

use super::{Delta, Failure, habits::Complaint};
use crate::{
    record::Outcome,
    thinking::{Expect, Thinking, Told},
};

/// What comes after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More, perhaps.
    More,
    /// Nothing: the server has said so.
    Last,
}

/// Reads the events of one vendor.
pub trait Read {
    /// Reads the data of an event and adds the deltas in it.
    ///
    /// # Errors
    /// `upstream_interrupted`: an error event, or something that belongs to no answer. What came before it has been added.
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
    /// Nothing has come but white space.
    Unknown,
    /// Events; with the first bytes, as long as there was no event.
    Events(Vec<u8>),
    /// One JSON object.
    Whole(Vec<u8>),
}

/// How many of the first bytes tell whether a body holds events.
const TELLING: usize = 6;

impl Decoder {
    /// A decoder of a vendor's events.
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
            match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => {}
                Some(b'{') => self.form = Form::Whole(Vec::new()),
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

    /// Reads the data of an event; of several, where the blank lines between them are missing.
    fn dispatch(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let lines = || data.lines().map(str::trim).filter(|line| !line.is_empty());
        let is_event = |line: &str| {
            line == "[DONE]" || serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
        };
        if lines().count() > 1 && lines().all(is_event) {
            return lines().try_for_each(|line| self.event(line, deltas));
        }
        self.event(data.trim(), deltas)
    }

    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        if data.is_empty() || self.done {
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

    /// The model has said that it ended, and how.
    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The server has said that nothing more will come.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// What has become known of the model's thinking; nothing unless it has written its answer to its end.
    pub fn learned(&self) -> Option<Expect> {
        (self.finish == Some(Finish::Stop)).then(|| self.thinking.learned())
    }

    /// Nothing more is read: adds what is left. `broken`: the body has not come to its end.
    ///
    /// # Errors
    /// `upstream_interrupted`: there was no finish reason, so the answer was cut; or it cannot be read.
    pub fn end(&mut self, broken: bool, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let last = match &mut self.form {
            Form::Unknown => None,
            Form::Events(_) => self.sse.finish().map(|frame| frame.data),
            Form::Whole(body) => Some(String::from_utf8_lossy(&std::mem::take(body)).into_owned()),
        };
        let read = last.map_or(Ok(()), |data| self.dispatch(&data, deltas));
        // Thinking that was cut is not an answer.
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

/// Whether a body that begins so may hold events.
fn begins_events(first: &[u8]) -> bool {
    let first = first
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(first)
        .trim_ascii_start();
    [&b":"[..], b"data", b"event", b"id", b"retry"]
        .iter()
        .any(|field| first.starts_with(field) || field.starts_with(first))
}

/// An event that is not the JSON it should be. The message of the error itself would quote the model's words.
pub fn malformed(error: &serde_json::Error) -> Failure {
    let detail = format!("{:?} error at column {}", error.classify(), error.column());
    if error.is_eof() {
        return Failure::new(Code::UpstreamInterrupted, detail);
    }
    Failure::undecodable(detail)
}

/// The failure that an HTTP status other than 200 stands for; `body` is its first bytes.
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

/// An error by its type and code: its message may quote what the visitor wrote, or the key.
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
