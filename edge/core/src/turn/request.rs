//! One request to a model: its response is read into the draft, within the deadlines.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use futures_util::StreamExt;

use super::{
    Platform,
    deadlines::{Deadlines, Interruption, Wait},
    draft::Draft,
};
use crate::{
    ports::ModelResponse,
    prompt::Prompt,
    provider::{
        Delta, Failure, Model,
        decoder::{self, Decoder},
        habits::MOST_READ,
    },
    record::Outcome,
    reply::MAX_REPLY_BYTES,
    thinking::Expect,
};

/// What came of a request.
pub(super) struct Attempt {
    pub end: Result<Finish, Failure>,
    /// The model's own name for itself.
    pub model: Option<String>,
    /// Tokens that the vendor has counted.
    pub usage: Option<Usage>,
    /// True when a model has taken the request: from then on it costs money.
    pub paid: bool,
    /// Status of the HTTP response.
    pub status: Option<u16>,
    /// When it was sent, and when its first text and its end came, in Unix milliseconds.
    pub started_ms: u64,
    pub first_ms: Option<u64>,
    pub ended_ms: u64,
    /// What has become known of the model's thinking.
    pub learned: Option<Expect>,
}

impl Attempt {
    /// Whether it wrote anything that can be read.
    pub fn wrote(&self) -> bool {
        self.first_ms.is_some()
    }
}

/// Sends a request, and reads its response to the end. `most`: bound of the answer's tokens.
pub(super) async fn send<P: Platform>(
    ports: &P,
    deadlines: &mut Deadlines<'_, P>,
    model: Model<'_>,
    prompt: &Prompt,
    most: Option<u32>,
    draft: &mut Draft<'_>,
) -> Attempt {
    let mut attempt = Attempt {
        end: Ok(Finish::Stop),
        model: None,
        usage: None,
        paid: true,
        status: None,
        started_ms: ports.now_ms(),
        first_ms: None,
        ended_ms: 0,
        learned: None,
    };
    let mut end = match model.request(prompt, most) {
        Ok(request) => {
            deadlines.asked();
            match deadlines.wait(ports.open(request), Wait::Head).await {
                Ok(Ok(response)) => {
                    let decoder = model.decoder();
                    read(ports, deadlines, decoder, response, &mut attempt, draft).await
                }
                Ok(Err(error)) => {
                    attempt.paid = false;
                    Err(Failure::new(Code::UpstreamUnavailable, error.0))
                }
                Err(Interruption::Stopped) => Ok(Finish::Stopped),
                Err(Interruption::Failed(failure)) => Err(failure),
            }
        }
        Err(failure) => {
            attempt.paid = false;
            Err(failure)
        }
    };
    // Where the edge stood still, the request may not have left, and the connection may have been given up: nobody is
    // charged for a word that did not come, and it says nothing of the model.
    if let Err(failure) = &mut end
        && deadlines.stood_still()
    {
        failure.hasty |= failure.outcome != Outcome::Refused;
        attempt.paid &= attempt.wrote() || attempt.usage.is_some();
    }
    attempt.end = if attempt.wrote() {
        end
    } else {
        end_of_nothing(end)
    };
    attempt.ended_ms = ports.now_ms();
    attempt
}

/// The end of a response without any text.
fn end_of_nothing(end: Result<Finish, Failure>) -> Result<Finish, Failure> {
    match end {
        Ok(Finish::Stop | Finish::Length | Finish::Fallback) => Err(Failure {
            outcome: Outcome::Empty,
            ..Failure::new(Code::UpstreamUnavailable, "the answer is empty")
        }),
        // Nothing was visible yet, so nothing was interrupted.
        Err(failure) if failure.code == Code::UpstreamInterrupted => Err(Failure {
            code: Code::UpstreamUnavailable,
            outcome: match failure.outcome {
                Outcome::Interrupted => Outcome::Unreachable,
                other => other,
            },
            ..failure
        }),
        other => other,
    }
}

/// Reads a response to its end.
async fn read<P: Platform>(
    ports: &P,
    deadlines: &mut Deadlines<'_, P>,
    mut decoder: Decoder,
    mut response: ModelResponse<P::Body>,
    attempt: &mut Attempt,
    draft: &mut Draft<'_>,
) -> Result<Finish, Failure> {
    attempt.paid = response.status == 200;
    attempt.status = Some(response.status);
    if !attempt.paid {
        return refusal(deadlines, response).await;
    }
    let mut reading = Reading {
        ports,
        before: draft.text().len(),
        attempt,
        draft,
        finish: Finish::Stop,
    };
    let mut deltas = Vec::new();
    let broken = loop {
        let wait = if reading.attempt.wrote() {
            Wait::Next
        } else {
            Wait::First
        };
        let bytes = match deadlines.wait(response.body.next(), wait).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(None) => break None,
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            Ok(Some(Err(error))) => break Some(Failure::new(Code::UpstreamInterrupted, error.0)),
            Err(Interruption::Failed(failure)) => break Some(failure),
        };
        deadlines.heard();
        let pushed = decoder.push(&bytes, &mut deltas);
        if reading.take(deltas.drain(..)) {
            return Ok(Finish::Length);
        }
        pushed?;
        if reading.draft.is_full() {
            return Ok(Finish::Length);
        }
        if decoder.is_done() {
            break None;
        }
    };
    let ended = decoder.end(broken.is_some(), &mut deltas);
    if reading.take(deltas.drain(..)) {
        return Ok(Finish::Length);
    }
    reading.attempt.learned = decoder.learned();
    match broken {
        // The answer ended with its finish reason: the rest of the stream does not matter.
        Some(failure) if !decoder.is_finished() => Err(failure),
        _ => ended.map(|()| reading.finish),
    }
}

/// A response that is being read into the draft.
struct Reading<'r, 's, P> {
    ports: &'r P,
    attempt: &'r mut Attempt,
    draft: &'r mut Draft<'s>,
    /// Bytes of the draft before this response.
    before: usize,
    finish: Finish,
}

impl<P: Platform> Reading<'_, '_, P> {
    /// Takes what a piece of the response has brought; its text is added at once. True when there was too little room.
    fn take(&mut self, deltas: impl Iterator<Item = Delta>) -> bool {
        let mut text = String::new();
        for delta in deltas {
            match delta {
                Delta::Text(more) => text.push_str(&more),
                Delta::TakenBack => {
                    text.clear();
                    self.attempt.first_ms = None;
                    self.draft.rewind(self.ports, self.before);
                }
                Delta::Model(model) => self.attempt.model = Some(model),
                Delta::Usage(usage) => self.attempt.usage = Some(usage),
                Delta::Finish(reason) => self.finish = reason,
                Delta::Apart => {}
            }
        }
        add(self.ports, &text, self.attempt, self.draft)
    }
}

/// Reads why a vendor has refused the request.
async fn refusal<P: Platform>(
    deadlines: &mut Deadlines<'_, P>,
    mut response: ModelResponse<P::Body>,
) -> Result<Finish, Failure> {
    let mut body = Vec::new();
    // What does not come is not needed: the status says enough.
    while body.len() < MOST_READ {
        match deadlines.wait(response.body.next(), Wait::Refusal).await {
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            Ok(Some(Ok(bytes))) => body.extend(bytes),
            _ => break,
        }
    }
    let (status, retry_after) = (response.status, response.retry_after);
    Err(decoder::refusal(status, retry_after, &body))
}

/// Adds the text of one piece of the response to the draft at once, as far as there is room; true when there was too
/// little.
fn add<P: Platform>(ports: &P, text: &str, attempt: &mut Attempt, draft: &mut Draft<'_>) -> bool {
    let room = MAX_REPLY_BYTES.saturating_sub(draft.text().len());
    let shown = cut(text, room);
    if !shown.trim().is_empty() && !attempt.wrote() {
        attempt.first_ms = Some(ports.now_ms());
    }
    draft.push(ports, shown);
    text.len() > room
}

/// The beginning of a text, of at most that many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
