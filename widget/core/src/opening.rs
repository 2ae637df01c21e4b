//! Opening the session, and opening it again when its token has expired.

use bulle_protocol::{
    problem::{Code, Problem},
    session::{Page, Session as Opened},
};

use crate::{
    Phase, Session,
    backoff::delay_ms,
    calls::Pending,
    effect::{Call, session_request},
    stored::{Stored, parse_outbox},
    wire,
};

/// Tries to open a session before the visitor is asked.
const MAX_OPEN_TRIES: u32 = 3;

impl Session {
    pub(crate) fn start(
        &mut self,
        online: bool,
        stored: Option<&str>,
        outbox: Option<&str>,
        page: Option<Page>,
    ) {
        self.online = online;
        self.page = page;
        self.restored = stored.and_then(Stored::parse);
        self.keeps = self.restored.is_some();
        self.messages = outbox.map(parse_outbox).unwrap_or_default();
        self.kept_outbox = outbox.unwrap_or_default().to_owned();
        self.changes.list = true;
        self.changes.status = true;
        self.open();
    }

    /// Another tab may have become a visitor since this one was opened: this tab is the same person, and goes on with
    /// that visitor's token instead of writing its own over it.
    pub(crate) fn found(&mut self, stored: &str) {
        if self.keeps {
            return;
        }
        let Some(stored) = Stored::parse(stored) else {
            return;
        };
        self.keeps = true;
        self.restored = Some(stored);
        self.open_tries = 0;
        let asked = |call: &&Pending| matches!(call.call, Call::OpenSession(_));
        if let Some(ticket) = self.calls.iter().find(asked).map(|call| call.ticket) {
            self.abort(ticket);
        }
        self.open();
    }

    /// Asks for a session, unless it is being asked for.
    fn open(&mut self) {
        let asked = |call: &Pending| matches!(call.call, Call::OpenSession(_));
        if self.calls.iter().any(asked) {
            return;
        }
        self.reopen_at = None;
        let restored = self.restored.as_ref().map(|stored| stored.token.clone());
        let resume = restored.or_else(|| self.token.clone());
        let call = session_request(&self.site, &self.locale, resume, self.page.clone());
        self.request(call);
    }

    /// The visitor's wish: the session when there is none, else the history.
    pub(crate) fn reload(&mut self) {
        if self.opened.is_some() {
            self.load_history();
        } else {
            self.set_phase(Phase::Opening);
            self.open_tries = 0;
            self.open();
        }
    }

    /// A token was refused: opens the session again; parked calls follow.
    pub(crate) fn renew(&mut self) {
        self.open();
    }

    pub(crate) fn session_answered(&mut self, status: u16, body: &str) {
        match wire::session(body) {
            Some(opened) if (200..300).contains(&status) => self.session_opened(opened),
            _ => match wire::problem(body) {
                Some(problem) if status < 500 => self.session_refused(&problem),
                _ => self.session_unreachable(),
            },
        }
    }

    fn session_opened(&mut self, opened: Opened) {
        self.open_tries = 0;
        self.token = Some(opened.token.clone());
        let latest = opened.conversation.as_ref().map(|c| c.id);
        let first = self.opened.is_none() || self.restored.is_some();
        self.opened = Some(Box::new(opened));
        self.set_phase(Phase::Ready);
        if first {
            let conversation = match self.restored.take() {
                // The visitor has asked for a new conversation on an earlier page: no way back.
                Some(stored) if stored.conversation.is_none() => None,
                Some(stored) => latest.or(stored.conversation),
                None => latest,
            };
            if self.conversation.is_none() {
                self.conversation = conversation;
            }
            self.load_history();
        }
        self.store();
        let parked: Vec<_> = self
            .calls
            .iter_mut()
            .filter(|call| call.parked)
            .map(|call| {
                call.parked = false;
                (call.ticket, call.call.clone())
            })
            .collect();
        for (ticket, call) in parked {
            self.perform(ticket, call);
        }
    }

    fn session_refused(&mut self, problem: &Problem) {
        if matches!(problem.code, Code::OriginNotAllowed | Code::UnknownSite) {
            self.log(problem);
        }
        if self.opened.is_none() {
            self.set_phase(Phase::Unavailable);
        } else {
            // The other tab's token is no good: back to this tab's own.
            self.restored = None;
        }
        for call in self.take_parked() {
            self.finished(call.ticket, &call.call, Some(problem.clone()), "");
        }
    }

    pub(crate) fn session_unreachable(&mut self) {
        self.open_tries += 1;
        for call in self.take_parked() {
            self.unanswered(call.ticket, &call.call);
        }
        if self.opened.is_some() && self.restored.is_none() {
            return;
        }
        if self.open_tries < MAX_OPEN_TRIES {
            self.reopen_at = Some(self.now + delay_ms(self.open_tries, self.random()));
        } else if self.opened.is_some() {
            self.restored = None;
        } else {
            self.set_phase(Phase::Unavailable);
        }
    }

    pub(crate) fn retry_opening_if_due(&mut self) {
        if self.reopen_at.is_some_and(|at| at <= self.now) {
            self.open();
        }
    }

    /// The network is back: a session that could not be opened is tried at once.
    pub(crate) fn reopen_now(&mut self) {
        if self.opened.is_none() && (self.reopen_at.is_some() || self.phase == Phase::Unavailable) {
            self.set_phase(Phase::Opening);
            self.open();
        }
    }

    fn take_parked(&mut self) -> Vec<Pending> {
        let (parked, calls) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| call.parked);
        self.calls = calls;
        parked
    }

    fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.changes.phase = true;
        self.changes.status = true;
    }
}
