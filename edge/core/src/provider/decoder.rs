//! Reads a model's streamed answer: server-sent events, with the reader of the vendor's format.

use bulle_protocol::{problem::Code, sse};
use serde_json::Value;

use super::{Delta, Failure};
use crate::record::Outcome;

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
    sse: sse::Decoder,
    reader: Box<dyn Read>,
    finished: bool,
    done: bool,
}

impl Decoder {
    /// A decoder of a vendor's events.
    pub fn new(reader: Box<dyn Read>) -> Self {
        Self {
            sse: sse::Decoder::default(),
            reader,
            finished: false,
            done: false,
        }
    }

    /// Feeds bytes of the body and adds the deltas that they complete.
    ///
    /// # Errors
    /// `upstream_interrupted`, see [`Read::event`].
    pub fn push(&mut self, bytes: &[u8], deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let frames = self
            .sse
            .push(bytes)
            .map_err(|_| Failure::new(Code::UpstreamInterrupted, "an event is too large"))?;
        for frame in frames {
            let data = frame.data.trim();
            if data.is_empty() {
                continue;
            }
            let before = deltas.len();
            let step = self.reader.event(data, deltas);
            let mut new = deltas.iter().skip(before);
            self.finished |= new.any(|delta| matches!(delta, Delta::Finish(_)));
            self.done |= step? == Step::Last;
        }
        Ok(())
    }

    /// The finish reason, once the model has given it.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the server has said that the stream has ended.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `upstream_interrupted`: there was no finish reason, so the answer is incomplete.
    pub fn end(&self) -> Result<(), Failure> {
        if self.finished {
            return Ok(());
        }
        let detail = "the stream ended without a finish reason";
        Err(Failure::new(Code::UpstreamInterrupted, detail))
    }
}

/// An event whose JSON is invalid. The parser's message is dropped, because it quotes the model's words.
pub fn malformed(error: &serde_json::Error) -> Failure {
    let detail = format!("{:?} error at column {}", error.classify(), error.column());
    Failure::new(Code::UpstreamInterrupted, detail)
}

/// The failure for an HTTP status other than 200; `body` is the beginning of the body.
pub fn refusal(status: u16, retry_after: Option<u32>, body: &[u8]) -> Failure {
    let error = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let error = error.get("error").unwrap_or(&Value::Null);
    Failure {
        outcome: Outcome::Refused,
        status: Some(status),
        retry_after,
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
