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
        if response.status != 200 {
            return Err(decoder::refusal(
                response.status,
                response.retry_after,
                &bytes,
            ));
        }
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
        if !text.trim().is_empty() && !attempt.wrote() {
            attempt.first_ms = Some(ports.now_ms());
        }
        // What came in one piece is parsed and told at once.
        draft.push(ports, &text);
        pushed?;
        if draft.is_full() {
            return Ok(Finish::Length);
        }
        if decoder.is_done() {
            break;
        }
    }
    if response.status != 200 {
        return Err(decoder::refusal(response.status, response.retry_after, &[]));
    }
    decoder.end()?;
    Ok(finish)
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
}

/// The deadlines of an answer, and the visitor's wish to end it.
pub(super) struct Patience<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    timeouts: Timeouts,
    cancel: LocalBoxFuture<'a, ()>,
    /// When the turn began, and when this model was asked, in Unix milliseconds.
    turn_ms: u64,
    asked_ms: u64,
}

impl<'a, P: Clock> Patience<'a, P> {
    /// A turn begins. `cancel` resolves when the visitor stops it.
    pub fn new(ports: &'a P, timeouts: Timeouts, cancel: LocalBoxFuture<'a, ()>) -> Self {
        let now = ports.now_ms();
        Self {
            ports,
            timer: Timer::new(ports),
            timeouts,
            cancel,
            turn_ms: now,
            asked_ms: now,
        }
    }

    /// A model is asked.
    fn begin(&mut self) {
        self.asked_ms = self.ports.now_ms();
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
        let elapsed = self.ports.now_ms().saturating_sub(self.asked_ms);
        let first = self.timeouts.first_token.saturating_sub(elapsed);
        let patience = match wait {
            Wait::Head => first.min(self.timeouts.connect.saturating_sub(elapsed)),
            Wait::First => first,
            Wait::Next => self.timeouts.between_tokens,
        };
        let patience = patience.min(self.left());
        let next = pin!(next);
        let silence = pin!(self.timer.until(self.ports.now_ms() + patience));
        match select(select(next, &mut self.cancel), silence).await {
            Either::Left((Either::Left((value, _)), _)) => Ok(value),
            Either::Left((Either::Right(_), _)) => Err(Interruption::Stopped),
            Either::Right(_) => Err(Interruption::Failed(Failure::new(
                match wait {
                    Wait::Head | Wait::First => Code::UpstreamTimeout,
                    Wait::Next => Code::UpstreamInterrupted,
                },
                format!("silent for {patience} ms"),
            ))),
        }
    }
}
