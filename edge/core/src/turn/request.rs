//! One request to a model: reads the response into the draft, within the deadlines.

use bulle_edge_text::prefix;
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

/// The result of a request.
pub(super) struct Attempt {
    pub end: Result<Finish, Failure>,
    /// The model's name in the response.
    pub model: Option<String>,
    /// Tokens that the vendor has counted.
    pub usage: Option<Usage>,
    /// True when a model has accepted the request: from then on it costs money.
    pub paid: bool,
    /// Status of the HTTP response.
    pub status: Option<u16>,
    /// In Unix milliseconds: when the request was sent, when its first text came and when it ended.
    pub started_ms: u64,
    pub first_ms: Option<u64>,
    pub ended_ms: u64,
    /// How the model marks its thinking, if the response shows it.
    pub learned: Option<Expect>,
}

impl Attempt {
    /// Whether the response has text.
    pub fn wrote(&self) -> bool {
        self.first_ms.is_some()
    }
}

/// Sends a request, and reads its response to the end. `most` is the largest number of tokens of the answer.
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
    // While the edge stood still, the request may not have been sent, or the connection may have been closed. So the failure
    // does not count against the model, and a response without text is not charged.
    let stood_ms = deadlines.stood_still_ms();
    if let Err(failure) = &mut end
        && stood_ms > 0
    {
        let note = format!("; the edge itself stood still for {stood_ms} ms");
        failure.detail.push_str(&note);
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
        // No text was visible yet, so the visitor saw no interruption.
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
        reading.draft.at(Some(deadlines.now_ms()));
        let full = reading.take(deltas.drain(..));
        reading.draft.at(None);
        if full {
            return Ok(Finish::Length);
        }
        match pushed {
            Ok(()) => {}
            // The answer ended with its finish reason: the rest of the stream does not matter.
            Err(_) if decoder.is_finished() => break None,
            Err(failure) => return Err(failure),
        }
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

/// Reads one response into the draft.
struct Reading<'r, 's, P> {
    ports: &'r P,
    attempt: &'r mut Attempt,
    draft: &'r mut Draft<'s>,
    /// Bytes of the draft before this response.
    before: usize,
    finish: Finish,
}

impl<P: Platform> Reading<'_, '_, P> {
    /// Applies the deltas of one piece of the response; adds their text at once. True when the answer is too long.
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

/// Reads the body of a vendor's refusal, which has the reason.
async fn refusal<P: Platform>(
    deadlines: &mut Deadlines<'_, P>,
    mut response: ModelResponse<P::Body>,
) -> Result<Finish, Failure> {
    let mut body = Vec::new();
    // A body that does not come is not needed, because the status is known.
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

/// Adds the text of one piece of the response to the draft at once, as far as there is room; true when the text did not
/// fit.
fn add<P: Platform>(ports: &P, text: &str, attempt: &mut Attempt, draft: &mut Draft<'_>) -> bool {
    let room = MAX_REPLY_BYTES.saturating_sub(draft.text().len());
    let shown = prefix(text, room);
    if !shown.trim().is_empty() && !attempt.wrote() {
        attempt.first_ms = Some(ports.now_ms());
    }
    draft.push(ports, shown);
    text.len() > room
}
