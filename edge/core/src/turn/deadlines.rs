//! The deadlines of a turn, and the visitor's request to stop it.
//!
//! Two cases must not be taken for a silent model. A server may send reasoning deltas, pings or comments for a long time before
//! the first text: every byte resets the deadline. And the edge itself may have stood still (an overloaded or suspended
//! machine): the response may have arrived unread, or the request may not have been sent. So a timer that rings late does not end
//! a wait: all deadlines move by the delay, and at least [`STEP_MS`] are left to read what has arrived. A failure after
//! such a delay does not count against the model.

use bulle_protocol::problem::Code;
use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, pending, select},
};
use std::pin::pin;

use crate::{
    ports::Clock,
    provider::{Deployment, Failure, Timeouts},
    settings::BotSettings,
    timer::{Ring, STEP_MS, Timer},
};

/// Longest wait for the body of a refusal, in milliseconds.
const REFUSAL_MS: u64 = 1_000;

/// Why a wait ended before its event came.
pub(super) enum Interruption {
    /// The visitor has stopped the answer.
    Stopped,
    /// A deadline has passed.
    Failed(Failure),
}

/// The event that a turn waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The head of the response.
    Head,
    /// The first text, or any other byte before it.
    First,
    /// More text, or any other byte.
    Next,
    /// The body of a refusal.
    Refusal,
}

/// The deadlines of an answer, and the visitor's request to stop it. Times are Unix milliseconds; all of them move when the
/// edge stands still.
pub(super) struct Deadlines<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    /// The timeouts of the bot's settings.
    timeouts: Timeouts,
    /// The timeouts of the deployment.
    usual: Timeouts,
    /// Resolves when the visitor stops the answer.
    cancel: LocalBoxFuture<'a, ()>,
    /// When the first model could be asked, when this model was asked, and when its last byte came.
    began_ms: u64,
    asked_ms: u64,
    heard_ms: u64,
    /// The time of the last event: the clock is read once for each piece of a response.
    now_ms: u64,
    /// Milliseconds by which the deadlines have moved: since the beginning, and since this model was asked.
    lost_ms: u64,
    lost_since_asked_ms: u64,
}

impl<'a, P: Clock> Deadlines<'a, P> {
    /// Starts the time for the whole answer. `cancel` resolves when the visitor stops the answer.
    pub fn of(
        ports: &'a P,
        deployment: &Deployment,
        bot: &BotSettings,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> Self {
        let now = ports.now_ms();
        Self {
            ports,
            timer: Timer::new(ports),
            timeouts: deployment.timeouts.with(bot.model.timeouts),
            usual: deployment.timeouts,
            cancel,
            began_ms: now,
            asked_ms: now,
            heard_ms: now,
            now_ms: now,
            lost_ms: 0,
            lost_since_asked_ms: 0,
        }
    }

    /// Deadlines of work that a visitor cannot stop.
    pub fn without_cancel(ports: &'a P, deployment: &Deployment, bot: &BotSettings) -> Self {
        Self::of(ports, deployment, bot, pending().boxed_local())
    }

    /// Starts the time of one model.
    pub fn asked(&mut self) {
        self.now_ms = self.ports.now_ms();
        self.asked_ms = self.now_ms;
        self.heard_ms = self.now_ms;
        self.lost_since_asked_ms = 0;
    }

    /// Bytes have come.
    pub fn heard(&mut self) {
        self.heard_ms = self.now_ms;
    }

    /// When the last event of the response came, in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// How long the edge has stood still since this model was asked, in milliseconds.
    pub fn stood_still_ms(&self) -> u64 {
        self.lost_since_asked_ms
    }

    /// What is left of the time for the whole answer, in milliseconds.
    pub fn left(&self) -> u64 {
        let end = self.began_ms + self.timeouts.total;
        end.saturating_sub(self.ports.now_ms())
    }

    /// Sleeps that long, or until the visitor stops the answer.
    pub async fn pause(&mut self, ms: u64) -> Result<(), Interruption> {
        let sleep = pin!(self.ports.sleep(ms));
        match select(&mut self.cancel, sleep).await {
            Either::Left(_) => Err(Interruption::Stopped),
            Either::Right(_) => Ok(()),
        }
    }

    /// Waits for this event of the model's response, up to its deadline.
    pub async fn wait<T>(
        &mut self,
        next: impl Future<Output = T>,
        wait: Wait,
    ) -> Result<T, Interruption> {
        let mut next = pin!(next);
        let refusal_ms = self.now_ms + REFUSAL_MS;
        self.timer.begin(self.now_ms);
        loop {
            let own = match wait {
                Wait::Refusal => refusal_ms,
                Wait::Head => self.asked_ms + limit(&self.timeouts, wait),
                Wait::First | Wait::Next => self.heard_ms + limit(&self.timeouts, wait),
            };
            let end = own.min(self.began_ms + self.timeouts.total);
            let ring = {
                let deadline = pin!(self.timer.until(end));
                match select(select(&mut next, &mut self.cancel), deadline).await {
                    Either::Left((Either::Left((value, _)), _)) => {
                        self.now_ms = self.ports.now_ms();
                        return Ok(value);
                    }
                    Either::Left((Either::Right(_), _)) => return Err(Interruption::Stopped),
                    Either::Right((ring, _)) => ring,
                }
            };
            match ring {
                Ring::Late(ms) if self.lost_ms < self.usual.total => self.move_by(ms, end),
                Ring::Late(_) if self.ports.now_ms() < end => {}
                _ => return Err(Interruption::Failed(self.missed(wait, end < own))),
            }
        }
    }

    /// Moves all deadlines, because the edge has stood still for `ms` during a wait until `end`.
    fn move_by(&mut self, ms: u64, end: u64) {
        let moved = end + ms;
        let short = (self.ports.now_ms() + STEP_MS).saturating_sub(moved);
        let lost = ms + short;
        for mark in [
            &mut self.began_ms,
            &mut self.asked_ms,
            &mut self.heard_ms,
            &mut self.lost_ms,
            &mut self.lost_since_asked_ms,
        ] {
            *mark += lost;
        }
    }

    /// The failure for a missed deadline; `in_all`: the deadline of the whole answer.
    fn missed(&self, wait: Wait, in_all: bool) -> Failure {
        let code = match wait {
            Wait::Head | Wait::First | Wait::Refusal => Code::UpstreamTimeout,
            Wait::Next => Code::UpstreamInterrupted,
        };
        let silent = self.ports.now_ms().saturating_sub(self.heard_ms);
        let detail = if in_all {
            let total = self.timeouts.total;
            format!("the time for the whole answer is over: {total} ms")
        } else {
            format!("silent for {silent} ms")
        };
        Failure {
            hasty: in_all || limit(&self.timeouts, wait) < limit(&self.usual, wait),
            ..Failure::new(code, detail)
        }
    }
}

/// The longest wait.
fn limit(timeouts: &Timeouts, wait: Wait) -> u64 {
    match wait {
        Wait::Head => timeouts.first_token.min(timeouts.connect),
        Wait::First => timeouts.first_token,
        Wait::Next => timeouts.between_tokens,
        Wait::Refusal => REFUSAL_MS,
    }
}
