//! How long a turn waits for a model, and the visitor's wish to stop it.

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
    timer::Timer,
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
    /// The first text.
    First,
    /// More text.
    Next,
    /// The body of a refusal.
    Refusal,
}

/// The deadlines of an answer, and the visitor's wish to end it.
pub(super) struct Deadlines<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    /// What the bot gives a model.
    timeouts: Timeouts,
    /// What the deployment gives a model.
    usual: Timeouts,
    /// Resolves when the visitor stops the answer.
    cancel: LocalBoxFuture<'a, ()>,
    /// When the first model could be asked, when this one was, and when its last text came, in Unix milliseconds.
    began_ms: u64,
    asked_ms: u64,
    heard_ms: u64,
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
        }
    }

    /// Of work that no visitor can stop.
    pub fn without_cancel(ports: &'a P, deployment: &Deployment, bot: &BotSettings) -> Self {
        Self::of(ports, deployment, bot, pending().boxed_local())
    }

    /// A model is asked now.
    pub fn asked(&mut self) {
        self.asked_ms = self.ports.now_ms();
    }

    /// Text has come.
    pub fn heard(&mut self) {
        self.heard_ms = self.ports.now_ms();
    }

    /// What is left of the time for the whole answer, in milliseconds.
    pub fn left(&self) -> u64 {
        let elapsed = self.ports.now_ms().saturating_sub(self.began_ms);
        self.timeouts.total.saturating_sub(elapsed)
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
        let ms = own.min(self.left());
        let hasty = ms < own || limit(&self.timeouts) < limit(&self.usual);
        let next = pin!(next);
        let deadline = pin!(self.timer.until(self.ports.now_ms() + ms));
        match select(select(next, &mut self.cancel), deadline).await {
            Either::Left((Either::Left((value, _)), _)) => Ok(value),
            Either::Left((Either::Right(_), _)) => Err(Interruption::Stopped),
            Either::Right(_) => Err(Interruption::Failed(Failure {
                hasty,
                ..Failure::new(
                    match wait {
                        Wait::Head | Wait::First | Wait::Refusal => Code::UpstreamTimeout,
                        Wait::Next => Code::UpstreamInterrupted,
                    },
                    format!("silent for {ms} ms"),
                )
            })),
        }
    }
}
