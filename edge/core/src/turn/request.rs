//! One request to a model: reads the response into the draft, within the deadlines.

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
    },
    record::Outcome,
    reply::MAX_REPLY_BYTES,
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
    };
    let end = match model.request(prompt, most) {
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
    let mut finish = Finish::Stop;
    loop {
        let wait = if attempt.wrote() {
            Wait::Next
        } else {
            Wait::First
        };
        let bytes = match deadlines.wait(response.body.next(), wait).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(None) => break,
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            // The answer ended with its finish reason: the rest of the stream does not matter.
            _ if decoder.is_finished() => return Ok(finish),
            Ok(Some(Err(error))) => return Err(Failure::new(Code::UpstreamInterrupted, error.0)),
            Err(Interruption::Failed(failure)) => return Err(failure),
        };
        let mut deltas = Vec::new();
        let pushed = decoder.push(&bytes, &mut deltas);
        let mut text = String::new();
        for delta in deltas {
            match delta {
                Delta::Text(more) => text.push_str(&more),
                Delta::Model(model) => attempt.model = Some(model),
                Delta::Usage(usage) => attempt.usage = Some(usage),
                Delta::Finish(reason) => finish = reason,
            }
        }
        if !text.is_empty() {
            deadlines.heard();
        }
        if add(ports, &text, attempt, draft) {
            return Ok(Finish::Length);
        }
        pushed?;
        if draft.is_full() {
            return Ok(Finish::Length);
        }
        if decoder.is_done() {
            break;
        }
    }
    decoder.end()?;
    Ok(finish)
}

/// Reads the body of a vendor's refusal, which has the reason.
async fn refusal<P: Platform>(
    deadlines: &mut Deadlines<'_, P>,
    mut response: ModelResponse<P::Body>,
) -> Result<Finish, Failure> {
    let body = match deadlines.wait(response.body.next(), Wait::Refusal).await {
        Err(Interruption::Stopped) => return Ok(Finish::Stopped),
        Ok(Some(Ok(bytes))) => bytes,
        // Without a readable body, the status is the reason.
        _ => Vec::new(),
    };
    let (status, retry_after) = (response.status, response.retry_after);
    Err(decoder::refusal(status, retry_after, &body))
}

/// Adds the text of one piece of the response to the draft at once, as far as there is room; true when the text did not
/// fit.
fn add<P: Platform>(ports: &P, text: &str, attempt: &mut Attempt, draft: &mut Draft<'_>) -> bool {
    let room = MAX_REPLY_BYTES.saturating_sub(draft.text().len());
    let shown = cut(text, room);
    if !shown.trim().is_empty() && !attempt.wrote() {
        attempt.first_ms = Some(ports.now_ms());
    }
    draft.push(ports, shown);
    text.len() > room
}

/// The beginning of a text, of at most `most` bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
