//! How long a turn waits for a model, and the visitor's wish to stop it.
//!
//! The kind: a model that works is taken for one that does not. Two things are no silence of the model's. It may be heard
//! without a word of its answer: every byte is a sign of life (its thinking, a ping, a comment). And the edge may have stood
//! still itself: what it has not read meanwhile may be there, and what it should have sent may not have left. So a
//! timer that rings late ends nothing: all deadlines move by as much, and at least a moment is left for what has arrived. A
//! call that failed all the same says nothing of the model.

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

/// Why a wait ended without what was waited for.
pub(super) enum Interruption {
    /// The visitor has stopped the answer.
    Stopped,
    /// A deadline has passed.
    Failed(Failure),
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The head of the response.
    Head,
    /// The first text, or a sign of life.
    First,
    /// More text, or a sign of life.
    Next,
    /// The body of a refusal.
    Refusal,
}

/// The deadlines of an answer, and the visitor's wish to end it. Times are Unix milliseconds; all of them move when the edge
/// stands still.
pub(super) struct Deadlines<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    /// What the bot gives a model.
    timeouts: Timeouts,
    /// What the deployment gives a model.
    usual: Timeouts,
    /// Resolves when the visitor stops the answer.
    cancel: LocalBoxFuture<'a, ()>,
    /// When the first model could be asked, when this one was, and when it was last heard.
    began_ms: u64,
    asked_ms: u64,
    heard_ms: u64,
    /// By how much the deadlines have moved, in milliseconds; and since this model was asked.
    lost_ms: u64,
    lost_since_asked_ms: u64,
}

impl<'a, P: Clock> Deadlines<'a, P> {
    /// The time for the whole answer begins now. `cancel` resolves when the visitor stops it.
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
            lost_ms: 0,
            lost_since_asked_ms: 0,
        }
    }

    /// Of work that no visitor can stop.
    pub fn without_cancel(ports: &'a P, deployment: &Deployment, bot: &BotSettings) -> Self {
        Self::of(ports, deployment, bot, pending().boxed_local())
    }

    /// A model is asked now.
    pub fn asked(&mut self) {
        self.asked_ms = self.ports.now_ms();
        self.heard_ms = self.asked_ms;
        self.lost_since_asked_ms = 0;
    }

    /// Something has come.
    pub fn heard(&mut self) {
        self.heard_ms = self.ports.now_ms();
    }

    /// Whether the edge has stood still since this model was asked.
    pub fn stood_still(&self) -> bool {
        self.lost_since_asked_ms > 0
    }

    /// What is left of the time for the whole answer, in milliseconds.
    pub fn left(&self) -> u64 {
        let end = self.began_ms + self.timeouts.total;
        end.saturating_sub(self.ports.now_ms())
    }

    /// Sleeps, unless the visitor stops the answer.
    pub async fn pause(&mut self, ms: u64) -> Result<(), Interruption> {
        let sleep = pin!(self.ports.sleep(ms));
        match select(&mut self.cancel, sleep).await {
            Either::Left(_) => Err(Interruption::Stopped),
            Either::Right(_) => Ok(()),
        }
    }

    /// Waits for the model.
    pub async fn wait<T>(
        &mut self,
        next: impl Future<Output = T>,
        wait: Wait,
    ) -> Result<T, Interruption> {
        let mut next = pin!(next);
        let refusal_ms = self.ports.now_ms() + REFUSAL_MS;
        self.timer.begin();
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
                    Either::Left((Either::Left((value, _)), _)) => return Ok(value),
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

    /// The edge has stood still for so long while it waited until `end`.
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

    /// The failure of a model that was waited for too long; `in_all`: the time for the whole answer is over.
    fn missed(&self, wait: Wait, in_all: bool) -> Failure {
        let code = match wait {
            Wait::Head | Wait::First | Wait::Refusal => Code::UpstreamTimeout,
            Wait::Next => Code::UpstreamInterrupted,
        };
        let silent = self.ports.now_ms().saturating_sub(self.heard_ms);
        let mut detail = if in_all {
            let total = self.timeouts.total;
            format!("the time for the whole answer is over: {total} ms")
        } else {
            format!("silent for {silent} ms")
        };
        if self.stood_still() {
            let lost = self.lost_since_asked_ms;
            detail.push_str(&format!("; the edge itself stood still for {lost} ms"));
        }
        Failure {
            hasty: in_all
                || self.stood_still()
                || limit(&self.timeouts, wait) < limit(&self.usual, wait),
            ..Failure::new(code, detail)
        }
    }
}

/// How long may be waited.
fn limit(timeouts: &Timeouts, wait: Wait) -> u64 {
    match wait {
        Wait::Head => timeouts.first_token.min(timeouts.connect),
        Wait::First => timeouts.first_token,
        Wait::Next => timeouts.between_tokens,
        Wait::Refusal => REFUSAL_MS,
    }
}
