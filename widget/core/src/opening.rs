//! Opening the session, and opening it again when its token has expired.

use bulle_protocol::{
    problem::{Code, Problem},
    session::{Page, Session as Opened},
};

use crate::{
    Phase, Session,
    backoff::delay_ms,
    effect::{Call, session_request},
    stored::Stored,
    wire,
};

/// Tries to open a session before the visitor is asked.
const MAX_OPEN_TRIES: u32 = 3;

impl Session {
    pub(crate) fn start(&mut self, online: bool, stored: Option<&str>, page: Option<Page>) {
        self.online = online;
        self.page = page;
        self.restored = stored.and_then(Stored::parse);
        self.keeps = self.restored.is_some();
        self.changes.status = true;
        self.open();
    }

    /// Asks for a session, unless it is being asked for.
    fn open(&mut self) {
        let asked = |call: &crate::calls::Pending| matches!(call.call, Call::OpenSession(_));
        if self.calls.iter().any(asked) {
            return;
        }
        self.reopen_at = None;
        let resume = self
            .token
            .clone()
            .or_else(|| self.restored.as_ref().map(|stored| stored.token.clone()));
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
        let first = self.opened.is_none();
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
        }
        for call in self.take_parked() {
            self.finished(call.ticket, &call.call, Some(problem.clone()), "");
        }
    }

    pub(crate) fn session_unreachable(&mut self) {
        self.open_tries += 1;
        if self.opened.is_some() {
            for call in self.take_parked() {
                self.unanswered(call.ticket, &call.call);
            }
        } else if self.open_tries < MAX_OPEN_TRIES {
            self.reopen_at = Some(self.now + delay_ms(self.open_tries, self.random()));
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

    fn take_parked(&mut self) -> Vec<crate::calls::Pending> {
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
