//! Opening the session, and opening it again when its token has expired or the visitor's identity has changed.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
    session::{Page, Session, SessionRequest},
};

use crate::{
    Chat, Effect, PageIdentity, Phase,
    backoff::delay_ms,
    chat::calls::PendingCall,
    effect::{ApiCall, HostEvent, Ticket},
    failure::{Failure, is_challenge},
    stored::{StoredVisitor, parse_outbox},
    wire,
};

/// Automatic attempts to open a session; after that the visitor must retry.
const MAX_OPEN_TRIES: u32 = 3;

impl Chat {
    pub(crate) fn start(
        &mut self,
        online: bool,
        stored: Option<&str>,
        outbox: Option<&str>,
        page: Option<Page>,
        identity: PageIdentity,
    ) {
        self.online = online;
        self.page = page;
        self.identity = identity;
        // Storage holds data of anonymous visitors only.
        if !self.is_identified() {
            self.restored = stored.and_then(StoredVisitor::parse);
            self.uses_storage = self.restored.is_some();
            self.messages = outbox
                .map(|outbox| parse_outbox(outbox, self.now))
                .unwrap_or_default();
            self.stored_outbox = outbox.unwrap_or_default().to_owned();
        }
        self.changes.list = true;
        self.changes.status = true;
        self.open();
    }

    /// True for a visitor whom the page has signed in.
    pub(crate) fn is_identified(&self) -> bool {
        self.identity != PageIdentity::Anonymous
    }

    /// Handles an identity given by the page. If the visitor is another one, all data of the visitor before is removed.
    pub(crate) fn identify(
        &mut self,
        identity: PageIdentity,
        stored: Option<&str>,
        outbox: Option<&str>,
    ) {
        if identity == PageIdentity::Anonymous && !self.is_identified() {
            return;
        }
        let knew = self.is_identified() && self.opened.is_some();
        let hides = identity == PageIdentity::Unresolved;
        if knew && (hides || identity == self.identity) {
            if hides {
                // The conversation is hidden until the page has told whether the visitor is the same.
                self.set_phase(Phase::Opening);
            }
            return self.reopen();
        }
        self.forget();
        if knew {
            self.effects.push(Effect::DraftTaken);
        }
        let page = self.page.take();
        self.start(self.online, stored, outbox, page, identity);
    }

    /// Handles the page's JWT.
    pub(crate) fn named(&mut self, ticket: Ticket, jwt: String, identity: PageIdentity) {
        if self.take_call(ticket).is_none() {
            return;
        }
        let same = identity == self.identity && identity != PageIdentity::Unresolved;
        if self.opened.is_some() && !same {
            self.forget();
            self.effects.push(Effect::DraftTaken);
        }
        self.identity = identity;
        self.open_as(Some(jwt));
    }

    /// The edge has erased the visitor: the data here is removed too, and the next message makes a new visitor.
    pub(crate) fn erased(&mut self) {
        let identity = self.identity.clone();
        self.forget();
        self.effects.push(Effect::Store(String::new()));
        self.effects.push(Effect::StoreOutbox(String::new()));
        self.effects.push(Effect::DraftTaken);
        let page = self.page.take();
        self.start(self.online, None, None, page, identity);
    }

    /// Another tab has had the visitor erased. The bot stays, and no call is made before the visitor's next action.
    pub(crate) fn erased_elsewhere(&mut self, visitor: Id) {
        let opened = self.opened.as_ref();
        if opened.is_none_or(|opened| opened.visitor.id != visitor) {
            return;
        }
        let opened = self.opened.take();
        let phase = self.phase;
        self.forget();
        self.effects.push(Effect::DraftTaken);
        self.opened = opened;
        match phase {
            Phase::Opening => self.open(),
            phase => self.set_phase(phase),
        }
    }

    /// Removes the visitor and the conversation from the state.
    fn forget(&mut self) {
        // Storage is left as it is.
        self.uses_storage = false;
        self.files.clear();
        self.start_afresh();
        self.abort_opening();
        // Calls of the modules of widget/page belong to the visitor before, too.
        let other = |call: &PendingCall| matches!(call.call, ApiCall::Other { .. });
        while let Some(ticket) = self.calls.iter().find(|call| other(call)).map(|c| c.ticket) {
            self.effects.push(Effect::Abort { ticket });
            self.broken(ticket);
        }
        self.effects.push(Effect::Emit(HostEvent::Forgotten));
        self.token = None;
        self.opened = None;
        self.restored = None;
        self.challenge = None;
        self.opening_failure = None;
        self.left = None;
        self.resyncs = 0;
        self.open_tries = 0;
        self.set_phase(Phase::Opening);
        // The live region is emptied too.
        self.effects.push(Effect::Announce(String::new()));
    }

    fn abort_opening(&mut self) {
        let opens = |call: &&PendingCall| call.call.opens();
        while let Some(ticket) = self.calls.iter().find(opens).map(|call| call.ticket) {
            self.abort(ticket);
        }
    }

    /// Opens the session now, and drops an attempt under way.
    fn reopen(&mut self) {
        self.open_tries = 0;
        self.abort_opening();
        self.open();
    }

    /// Handles the Turnstile token. Without one, the check could not be shown, and the visitor can only retry.
    pub(crate) fn challenged(&mut self, token: Option<String>) {
        if self.challenge().is_none() {
            return;
        }
        if token.is_none() {
            self.opening_failure = None;
            return self.set_phase(Phase::Unavailable);
        }
        self.challenge = token;
        self.set_phase(Phase::Opening);
        self.reopen();
    }

    /// Another tab may have stored a visitor since this one was opened. It is the same person, so this tab continues with
    /// that visitor's token instead of overwriting it.
    pub(crate) fn found(&mut self, stored: &str) {
        if self.uses_storage || self.is_identified() {
            return;
        }
        let Some(stored) = StoredVisitor::parse(stored) else {
            return;
        };
        self.uses_storage = true;
        self.restored = Some(stored);
        self.reopen();
    }

    /// Opens the session, unless that is under way.
    pub(crate) fn open(&mut self) {
        if self.calls.iter().any(|call| call.call.opens()) {
            return;
        }
        self.reopen_at = None;
        if self.is_identified() {
            self.request(ApiCall::Identify);
        } else {
            self.open_as(None);
        }
    }

    fn open_as(&mut self, identity: Option<String>) {
        let restored = self.restored.as_ref().map(|stored| stored.token.clone());
        let call = ApiCall::OpenSession(SessionRequest {
            site: self.site.clone(),
            locale: Some(self.locale.clone()),
            identity,
            challenge: self.challenge.clone(),
            resume: restored.or_else(|| self.token.clone()),
            page: self.page.clone(),
        });
        self.request(call);
    }

    /// Reloads the history, or opens the session if there is none.
    pub(crate) fn reload(&mut self) {
        if self.phase == Phase::Ready {
            self.load_history();
        } else {
            self.set_phase(Phase::Opening);
            self.reopen();
        }
    }

    /// Renews a refused token by opening the session again; the parked calls follow.
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

    fn session_opened(&mut self, opened: Session) {
        self.open_tries = 0;
        self.note_hours(&opened);
        self.challenge = None;
        self.token = Some(opened.token.clone());
        let latest = opened.conversation.as_ref().map(|c| c.id);
        let first = self.opened.is_none() || self.restored.is_some();
        let old = self.opened.as_ref();
        if old.is_some_and(|old| old.visitor.tier != opened.visitor.tier) {
            self.lift_limits();
        }
        if self.opened.is_none() {
            self.effects.push(Effect::Emit(HostEvent::Ready));
        }
        self.opened = Some(Box::new(opened));
        self.set_phase(Phase::Ready);
        if first {
            let conversation = match self.restored.take() {
                // The visitor has started a new conversation on an earlier page: the old one is not shown again.
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
        self.challenge = None;
        self.log(problem);
        // The conversation goes on with the token that it has, until a call is refused.
        if self.phase != Phase::Ready || self.calls.iter().any(|call| call.parked) {
            self.effects
                .push(Effect::Emit(HostEvent::Failed(problem.code)));
        }
        if is_challenge(problem.code) {
            // A second check uses the Turnstile data of the first. Parked calls wait for it.
            let earlier = self
                .opening_failure
                .take()
                .and_then(|refused| refused.action);
            let mut refused = Failure::from_problem(problem, self.now);
            refused.action = refused.action.or(earlier);
            self.opening_failure = Some(refused);
            return self.set_phase(Phase::Unavailable);
        }
        if self.phase == Phase::Ready {
            // The other tab's token was refused: this tab continues with its own.
            self.restored = None;
        } else {
            let refused = Failure::from_problem(problem, self.now);
            self.open_tries += 1;
            if refused.code == Code::RateLimited && self.open_tries < MAX_OPEN_TRIES {
                self.reopen_at = refused.until;
            }
            self.opening_failure = Some(refused);
            self.set_phase(Phase::Unavailable);
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
        let ready = self.phase == Phase::Ready;
        if ready && self.restored.is_none() {
            return;
        }
        if self.open_tries < MAX_OPEN_TRIES {
            self.reopen_at = Some(self.now + delay_ms(self.open_tries, self.random()));
        } else if ready {
            self.restored = None;
        } else {
            self.opening_failure = None;
            self.set_phase(Phase::Unavailable);
        }
    }

    pub(crate) fn retry_opening_if_due(&mut self) {
        if self.reopen_at.is_some_and(|at| at <= self.now) {
            self.open();
        }
    }

    /// The network is back: a session that could not be opened is retried at once.
    pub(crate) fn reopen_now(&mut self) {
        let waits = self.opening_failure().is_some() || self.phase == Phase::Ready;
        if !waits && (self.reopen_at.is_some() || self.phase == Phase::Unavailable) {
            self.set_phase(Phase::Opening);
            self.open();
        }
    }

    fn take_parked(&mut self) -> Vec<PendingCall> {
        let (parked, calls) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| call.parked);
        self.calls = calls;
        parked
    }

    fn set_phase(&mut self, phase: Phase) {
        if phase == Phase::Ready {
            self.opening_failure = None;
        }
        self.phase = phase;
        self.changes.phase = true;
        self.changes.status = true;
    }
}
