//! How long a turn waits for a model, and how the visitor stops an answer.

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
    /// The first text.
    First,
    /// Further text.
    Next,
    /// The body of a refusal.
    Refusal,
}

/// The deadlines of an answer, and the visitor's request to stop it.
pub(super) struct Deadlines<'a, P> {
    ports: &'a P,
    timer: Timer<'a, P>,
    /// The timeouts of the bot's settings.
    timeouts: Timeouts,
    /// The timeouts of the deployment.
    usual: Timeouts,
    /// Resolves when the visitor stops the answer.
    cancel: LocalBoxFuture<'a, ()>,
    /// In Unix milliseconds: when the first model could be asked, when this model was asked, and when its last text
    /// came.
    began_ms: u64,
    asked_ms: u64,
    heard_ms: u64,
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
        }
    }

    /// Deadlines of work that a visitor cannot stop.
    pub fn without_cancel(ports: &'a P, deployment: &Deployment, bot: &BotSettings) -> Self {
        Self::of(ports, deployment, bot, pending().boxed_local())
    }

    /// Starts the time of one model.
    pub fn asked(&mut self) {
        self.asked_ms = self.ports.now_ms();
    }

    /// Notes that text has come.
    pub fn heard(&mut self) {
        self.heard_ms = self.ports.now_ms();
    }

    /// What is left of the time for the whole answer, in milliseconds.
    pub fn left(&self) -> u64 {
        let elapsed = self.ports.now_ms().saturating_sub(self.began_ms);
        self.timeouts.total.saturating_sub(elapsed)
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
