//! Calls to the edge: made under a ticket, answered once, made again with a new token at most once.

use bulle_protocol::problem::Problem;

use crate::{
    Chat,
    effect::{ApiCall, Effect, Ticket},
    wire,
};

/// How long a call may take. A file may take longer, and a stream: its turn listens for signs of life.
const PATIENCE_MS: u64 = 20_000;

/// A call that has not been answered.
#[derive(Clone, Debug)]
pub(crate) struct PendingCall {
    pub ticket: Ticket,
    pub call: ApiCall,
    /// It was made again with a new token: a second refusal stands.
    pub renewed: bool,
    /// It waits for a new token.
    pub parked: bool,
    /// When it counts as unreachable; a parked call waits as long as the one for the token.
    pub due: Option<u64>,
}

impl Chat {
    /// Makes a call under a new ticket; without a token, after the session has been opened.
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

    /// Makes a call, perhaps once more, under its ticket.
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

    /// Forgets a call; what still arrives for it is ignored.
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
            // A body that is no problem comes from a proxy in between: the same as no answer.
            let Some(problem) = wire::problem(body) else {
                return self.unanswered(ticket, &pending.call);
            };
            Some(problem)
        };
        self.finished(ticket, &pending.call, problem, body);
    }

    /// A call got its answer.
    pub(crate) fn finished(
        &mut self,
        ticket: Ticket,
        call: &ApiCall,
        problem: Option<Problem>,
        body: &str,
    ) {
        match call {
            ApiCall::History { before, .. } => {
                self.history_answered(before.is_some(), problem, body);
            }
            ApiCall::CreateConversation => self.conversation_answered(ticket, problem, body),
            ApiCall::Send { .. } | ApiCall::Attach { .. } => self.stream_answered(ticket, problem),
            // Stopping is a wish; the turn's own end says what became of it.
            ApiCall::Cancel { .. } | ApiCall::Identify | ApiCall::OpenSession(_) => {}
            // Only when there is no token to make it with.
            ApiCall::Other { .. } => self.unanswered(ticket, call),
        }
    }

    /// Gives up on calls that hang.
    pub(crate) fn check_calls(&mut self) {
        let now = self.now;
        let hangs = |call: &&PendingCall| call.due.is_some_and(|due| due <= now);
        while let Some(ticket) = self.calls.iter().find(hangs).map(|call| call.ticket) {
            self.effects.push(Effect::Abort { ticket });
            self.broken(ticket);
        }
    }

    /// When the first call counts as unreachable.
    pub(crate) fn calls_due(&self) -> Option<u64> {
        self.calls.iter().filter_map(|call| call.due).min()
    }

    /// A call broke off.
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

    /// A call got no answer that could be understood.
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
