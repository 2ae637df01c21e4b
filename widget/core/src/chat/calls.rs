//! Calls to the edge: each has a ticket, gets one answer, and is repeated with a new token at most once.

use bulle_protocol::problem::{Code, Problem};

use crate::{
    Chat,
    effect::{ApiCall, Effect, Ticket},
    wire,
};

/// Deadline of a call. An upload has six times as long; a stream has none, because its turn detects silence.
const PATIENCE_MS: u64 = 20_000;

/// A call whose answer is pending.
#[derive(Clone, Debug)]
pub(crate) struct PendingCall {
    pub ticket: Ticket,
    pub call: ApiCall,
    /// The call was repeated with a new token: a second refusal is final.
    pub renewed: bool,
    /// The call waits for a new token.
    pub parked: bool,
    /// When the call times out; a parked call has no deadline of its own, the call for the token has.
    pub due: Option<u64>,
}

impl Chat {
    /// Makes a call under a new ticket. Without a token, the call is parked until the session is open.
    pub(crate) fn request(&mut self, call: ApiCall) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        let parked = self.token.is_none() && !call.opens();
        self.calls.push(PendingCall {
            ticket,
            call: call.clone(),
            renewed: false,
            parked,
            due: None,
        });
        if parked {
            self.renew();
        } else {
            self.perform(ticket, call);
        }
        ticket
    }

    /// Sends a call, for the first or the second time, under its ticket.
    pub(crate) fn perform(&mut self, ticket: Ticket, call: ApiCall) {
        let streams = matches!(call, ApiCall::Send { .. } | ApiCall::Attach { .. });
        let patience = match &call {
            ApiCall::Other {
                body: Some(body), ..
            } if body.starts_with("blob:") => 6 * PATIENCE_MS,
            _ => PATIENCE_MS,
        };
        let due = (!streams).then_some(self.now + patience);
        if let Some(pending) = self.calls.iter_mut().find(|call| call.ticket == ticket) {
            pending.due = due;
        }
        let token = match call {
            _ if call.opens() => None,
            _ => self.token.clone(),
        };
        self.effects.push(Effect::Request {
            ticket,
            call,
            token,
        });
    }

    /// Aborts a call; an answer that still arrives is ignored.
    pub(crate) fn abort(&mut self, ticket: Ticket) {
        if self.take_call(ticket).is_some() {
            self.effects.push(Effect::Abort { ticket });
        }
    }

    pub(crate) fn take_call(&mut self, ticket: Ticket) -> Option<PendingCall> {
        let at = self.calls.iter().position(|call| call.ticket == ticket)?;
        Some(self.calls.remove(at))
    }

    pub(crate) fn answered(&mut self, ticket: Ticket, status: u16, body: &str) {
        let Some(mut pending) = self.take_call(ticket) else {
            return;
        };
        if pending.call.opens() {
            return self.session_answered(status, body);
        }
        if status == 401 && !pending.renewed {
            pending.renewed = true;
            pending.parked = true;
            pending.due = None;
            self.calls.push(pending);
            return self.renew();
        }
        if let ApiCall::Other { .. } = pending.call {
            let body = body.to_owned();
            return self.effects.push(Effect::Replied {
                ticket,
                status,
                body,
            });
        }
        let problem = if (200..300).contains(&status) {
            None
        } else {
            // An error whose body is not a problem document comes from a proxy, and counts as no answer.
            let Some(problem) = wire::problem(body) else {
                return self.unanswered(ticket, &pending.call);
            };
            Some(problem)
        };
        self.finished(ticket, &pending.call, problem, body);
    }

    /// Handles the answer of a call.
    pub(crate) fn finished(
        &mut self,
        ticket: Ticket,
        call: &ApiCall,
        problem: Option<Problem>,
        body: &str,
    ) {
        if problem.as_ref().is_some_and(|p| p.code == Code::Closed) {
            self.doubt_hours();
        }
        match call {
            ApiCall::History { before, .. } => {
                self.history_answered(before.is_some(), problem, body);
            }
            ApiCall::CreateConversation => self.conversation_answered(ticket, problem, body),
            ApiCall::Send { .. } | ApiCall::Attach { .. } => self.stream_answered(ticket, problem),
            // The turn's own end tells whether cancelling had an effect.
            ApiCall::Cancel { .. } | ApiCall::Identify | ApiCall::OpenSession(_) => {}
            // Reached only when the call was parked and no token could be had.
            ApiCall::Other { .. } => self.unanswered(ticket, call),
        }
    }

    /// Aborts the calls that have timed out.
    pub(crate) fn check_calls(&mut self) {
        let now = self.now;
        let hangs = |call: &&PendingCall| call.due.is_some_and(|due| due <= now);
        while let Some(ticket) = self.calls.iter().find(hangs).map(|call| call.ticket) {
            self.effects.push(Effect::Abort { ticket });
            self.broken(ticket);
        }
    }

    /// When the next call times out.
    pub(crate) fn calls_due(&self) -> Option<u64> {
        self.calls.iter().filter_map(|call| call.due).min()
    }

    /// Handles a call that broke off.
    pub(crate) fn broken(&mut self, ticket: Ticket) {
        let Some(pending) = self.take_call(ticket) else {
            // Another tab reads the stream under this ticket.
            return self.link_broke(ticket);
        };
        if pending.call.opens() {
            return self.session_unreachable();
        }
        self.unanswered(ticket, &pending.call);
    }

    /// Handles a call without a readable answer.
    pub(crate) fn unanswered(&mut self, ticket: Ticket, call: &ApiCall) {
        match call {
            ApiCall::History { .. } => self.history_failed_to_load(),
            ApiCall::CreateConversation | ApiCall::Send { .. } | ApiCall::Attach { .. } => {
                self.link_broke(ticket);
            }
            ApiCall::Cancel { .. } | ApiCall::Identify | ApiCall::OpenSession(_) => {}
            ApiCall::Other { .. } => self.effects.push(Effect::Replied {
                ticket,
                status: 0,
                body: String::new(),
            }),
        }
    }
}
