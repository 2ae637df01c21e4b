//! Lost connections: detection, bounded reconnecting, and the countdowns of limits.

use bulle_protocol::problem::Code;

use crate::{
    Chat, Stage, Ticket,
    backoff::{MAX_TRIES, delay_ms},
    chat::turn::Link,
    failure::{Failure, NextCall, is_limit},
    message::ChatMessage,
};

impl Chat {
    /// Handles the loss of the current turn's call or stream.
    pub(crate) fn link_broke(&mut self, ticket: Ticket) {
        let (now, online, random) = (self.now, self.online, self.random());
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.holds(ticket)) else {
            return;
        };
        if turn.failed {
            // The edge has sent an `error` event and closed the stream: the turn is over.
            return self.drop_turn();
        }
        if turn.stopping && turn.next_call != NextCall::Attach {
            return self.take_back();
        }
        turn.tries += 1;
        if turn.tries <= MAX_TRIES {
            let until = now + delay_ms(turn.tries, random);
            turn.link = Link::Broken {
                until: online.then_some(until),
            };
            self.changes.status = true;
            return;
        }
        let next_call = turn.next_call;
        let code = match next_call {
            NextCall::Attach => Code::UpstreamInterrupted,
            NextCall::Post { .. } => Code::Offline,
        };
        self.fail(Failure::new(code, next_call));
    }

    /// Reconnects when a retry is due, and gives up a stream that has been silent for too long.
    pub(crate) fn check_link(&mut self) {
        match self.turn.as_ref().map(|turn| turn.link) {
            Some(Link::Broken { until: Some(until) }) if until <= self.now => self.connect(),
            Some(Link::Open { ticket, silent_at }) if silent_at <= self.now => {
                self.abort(ticket);
                self.link_broke(ticket);
            }
            _ => {}
        }
    }

    pub(crate) fn went_online(&mut self) {
        self.online = true;
        self.changes.status = true;
        self.reopen_now();
        let link = self.turn.as_ref().map(|turn| turn.link);
        if let Some(Link::Broken { .. }) = link {
            return self.connect();
        }
        // Messages that failed because the network was missing go back to the outbox, in order.
        let lost = |m: &ChatMessage| {
            m.is_local() && m.failure.as_ref().is_some_and(|f| f.code == Code::Offline)
        };
        for message in self.messages.iter_mut().filter(|m| lost(m)) {
            message.failure = None;
            message.stage = Stage::Waiting;
            self.changes.message(message.id);
        }
    }

    pub(crate) fn went_offline(&mut self) {
        self.online = false;
        self.changes.status = true;
        if let Some(turn) = &mut self.turn
            && let Link::Broken { until } = &mut turn.link
        {
            *until = None;
        }
    }

    /// The next time that a countdown changes or a limit ends.
    pub(crate) fn limit_due(&self) -> Option<u64> {
        let now = self.now;
        // Above two minutes, countdowns show whole minutes.
        let step = |left: u64| if left > 121_000 { 60_000 } else { 1000 };
        let tick = |until: u64| {
            let left = until - now;
            until - (left - 1) / step(left) * step(left)
        };
        let shown = self
            .messages
            .iter()
            .filter_map(|m| m.failure.as_ref()?.until);
        shown
            .chain(
                self.opening_failure
                    .as_ref()
                    .and_then(|refused| refused.until),
            )
            .chain(self.limited_until)
            .filter(|until| *until > now)
            .map(tick)
            .min()
    }

    /// Ends all limits, because the visitor's tier has changed: refused messages can be retried at once.
    pub(crate) fn lift_limits(&mut self) {
        self.limited_until = None;
        self.left = None;
        let limits = self.messages.iter_mut().filter_map(|message| {
            let limit = message.failure.as_mut().filter(|f| is_limit(f.code))?;
            Some((message.id, limit))
        });
        for (id, limit) in limits {
            limit.until = Some(self.now);
            self.changes.message(id);
        }
    }

    /// Marks the countdowns for redrawing, and ends a limit that has passed.
    pub(crate) fn check_limit(&mut self) {
        let now = self.now;
        self.limited_until = self.limited_until.filter(|until| *until > now);
        let opening = self.opening_failure.as_ref();
        self.changes.status |= opening.is_some_and(|refused| refused.until.is_some());
        for message in &self.messages {
            if message.failure.as_ref().is_some_and(|f| f.until.is_some()) {
                self.changes.message(message.id);
            }
        }
    }
}
