//! Asking one model once: its bytes are moved into the draft, with patience and no more than that.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use futures_util::{
    StreamExt,
    future::{Either, LocalBoxFuture, select},
};
use std::pin::pin;

use super::{Platform, draft::Draft};
use crate::{
    ports::{Clock, ModelResponse},
    prompt::Prompt,
    provider::{
        Delta, Failure, Model, Timeouts,
        decoder::{self, Decoder},
    },
    record::Outcome,
    reply::MAX_REPLY_BYTES,
    timer::Timer,
};

/// What came of asking a model.
pub(super) struct Attempt {
    /// How it ended.
    pub end: Result<Finish, Failure>,
    /// The model's own name for itself.
    pub model: Option<String>,
    /// Tokens that the vendor has counted.
    pub usage: Option<Usage>,
    /// True when a model has taken the request: from then on it costs money.
    pub paid: bool,
    /// Status of the HTTP response.
    pub status: Option<u16>,
    /// When it was asked, and when its first text and its end came, in Unix milliseconds.
    pub started_ms: u64,
    pub first_ms: Option<u64>,
    pub ended_ms: u64,
}

impl Attempt {
    /// Whether it wrote anything that can be read.
    pub fn wrote(&self) -> bool {
        self.first_ms.is_some()
    }
}

/// Asks a model.
pub(super) async fn ask<P: Platform>(
    ports: &P,
    patience: &mut Patience<'_, P>,
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
    let mut end = match model.request(prompt, most) {
        Ok(request) => {
            patience.begin();
            match patience.wait(ports.open(request), Wait::Head).await {
                Ok(Ok(response)) => {
                    read(
                        ports,
                        patience,
                        model.decoder(),
                        response,
                        &mut attempt,
                        draft,
                    )
                    .await
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
    if !attempt.wrote() {
        end = match end {
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
        };
    }
    attempt.end = end;
    attempt.ended_ms = ports.now_ms();
    attempt
}

/// Reads the body of a response to its end.
async fn read<P: Platform>(
    ports: &P,
    patience: &mut Patience<'_, P>,
    mut decoder: Decoder,
    mut response: ModelResponse<P::Body>,
    attempt: &mut Attempt,
    draft: &mut Draft<'_>,
) -> Result<Finish, Failure> {
    attempt.paid = response.status == 200;
    attempt.status = Some(response.status);
    if !attempt.paid {
        let why = patience.wait(response.body.next(), Wait::Refusal).await;
        let body = match why {
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            Ok(Some(Ok(bytes))) => bytes,
            // The status says enough.
            _ => Vec::new(),
        };
        let (status, retry_after) = (response.status, response.retry_after);
        return Err(decoder::refusal(status, retry_after, &body));
    }
    let mut finish = Finish::Stop;
    loop {
        let wait = match attempt.wrote() {
            true => Wait::Next,
            false => Wait::First,
        };
        let piece = match patience.wait(response.body.next(), wait).await {
            Ok(piece) => piece,
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            Err(Interruption::Failed(_)) if decoder.is_finished() => return Ok(finish),
            Err(Interruption::Failed(failure)) => return Err(failure),
        };
        let bytes = match piece {
            Some(Ok(bytes)) => bytes,
            // What comes after the finish reason is not missed.
            Some(Err(_)) if decoder.is_finished() => return Ok(finish),
            Some(Err(error)) => return Err(Failure::new(Code::UpstreamInterrupted, error.0)),
            None => break,
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
            patience.heard();
        }
        // What came in one piece is parsed and told at once, as far as there is room for it.
        let room = MAX_REPLY_BYTES.saturating_sub(draft.text().len());
        let overflows = text.len() > room;
        let shown = cut(&text, room);
        if !shown.trim().is_empty() && !attempt.wrote() {
            attempt.first_ms = Some(ports.now_ms());
        }
        draft.push(ports, shown);
        if overflows {
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

/// The beginning of a text, of at most that many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Why a wait ended without what was waited for.
pub(super) enum Interruption {
    /// The visitor does not want it any longer.
    Stopped,
    /// It took too long.
    Failed(Failure),
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The head of the response.
    Head,
    /// The first text.
    First,
    /// More text.
    Next,
    /// What a refusal says.
    Refusal,
}

/// Longest wait for the words of a refusal, in milliseconds.
const REFUSAL_MS: u64 = 1_000;

/// The deadlines of an answer, and the visitor's wish to end it.
pub(super) struct Patience<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    timeouts: Timeouts,
    /// What the deployment gives a model.
    usual: Timeouts,
    cancel: LocalBoxFuture<'a, ()>,
    /// When the turn began, when this model was asked, and when its last text came, in Unix milliseconds.
    turn_ms: u64,
    asked_ms: u64,
    heard_ms: u64,
}

impl<'a, P: Clock> Patience<'a, P> {
    /// A turn begins. `usual` is what the deployment gives a model, `timeouts` what this bot does; `cancel` resolves when
    /// the visitor stops it.
    pub fn new(
        ports: &'a P,
        timeouts: Timeouts,
        usual: Timeouts,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> Self {
        let now = ports.now_ms();
        Self {
            ports,
            timer: Timer::new(ports),
            timeouts,
            usual,
            cancel,
            turn_ms: now,
            asked_ms: now,
            heard_ms: now,
        }
    }

    /// A model is asked.
    fn begin(&mut self) {
        self.asked_ms = self.ports.now_ms();
    }

    /// Text has come.
    fn heard(&mut self) {
        self.heard_ms = self.ports.now_ms();
    }

    /// What is left of the time for the whole answer, in milliseconds.
    pub fn left(&self) -> u64 {
        let elapsed = self.ports.now_ms().saturating_sub(self.turn_ms);
        self.timeouts.total.saturating_sub(elapsed)
    }

    /// Sleeps.
    pub async fn pause(&mut self, ms: u64) -> Result<(), Interruption> {
        let sleep = pin!(self.ports.sleep(ms));
        match select(&mut self.cancel, sleep).await {
            Either::Left(_) => Err(Interruption::Stopped),
            Either::Right(_) => Ok(()),
        }
    }

    /// Waits for the model.
    async fn wait<T>(
        &mut self,
        next: impl Future<Output = T>,
        wait: Wait,
    ) -> Result<T, Interruption> {
        let limit = |timeouts: &Timeouts| match wait {
            Wait::Head => timeouts.first_token.min(timeouts.connect),
            Wait::First => timeouts.first_token,
            Wait::Next => timeouts.between_tokens,
            Wait::Refusal => REFUSAL_MS,
        };
        let since = match wait {
            Wait::Head | Wait::First => self.asked_ms,
            Wait::Next => self.heard_ms,
            Wait::Refusal => self.ports.now_ms(),
        };
        let elapsed = self.ports.now_ms().saturating_sub(since);
        let own = limit(&self.timeouts).saturating_sub(elapsed);
        let patience = own.min(self.left());
        let hasty = patience < own || limit(&self.timeouts) < limit(&self.usual);
        let next = pin!(next);
        let silence = pin!(self.timer.until(self.ports.now_ms() + patience));
        match select(select(next, &mut self.cancel), silence).await {
            Either::Left((Either::Left((value, _)), _)) => Ok(value),
            Either::Left((Either::Right(_), _)) => Err(Interruption::Stopped),
            Either::Right(_) => Err(Interruption::Failed(Failure {
                hasty,
                ..Failure::new(
                    match wait {
                        Wait::Head | Wait::First | Wait::Refusal => Code::UpstreamTimeout,
                        Wait::Next => Code::UpstreamInterrupted,
                    },
                    format!("silent for {patience} ms"),
                )
            })),
        }
    }
}
