//! The state of the chat, and the dispatch of events to the modules inside this one, each of which handles one part of
//! the state.

mod calls;
mod connection;
mod history;
mod hours;
mod opening;
mod outbox;
mod tabs;
mod turn;

use calls::PendingCall;
use history::HistoryState;
use hours::HoursDue;
use turn::Turn;

use bulle_protocol::{
    Id, MAX_MESSAGE_CHARS,
    conversation::{Attachment, Rating},
    event::EventId,
    problem::{Action, Problem},
    session::{Bot, Page, Session},
    strings::Strings,
};

use crate::{
    effect::{ApiCall, Changes, Effect, HostEvent, Ticket},
    event::{Event, PageIdentity, Tick},
    failure::{Failure, is_challenge, is_owners},
    format::fill,
    message::{ChatMessage, Stage},
    stored::{StoredVisitor, outbox_to_json},
    wire,
};

/// The number of messages left for the day is shown from here down.
const FEW: u32 = 3;

/// The state machine of the bubble. See the [crate's documentation](crate).
#[derive(Debug)]
pub struct Chat {
    pub(crate) site: String,
    pub(crate) locale: String,
    pub(crate) page: Option<Page>,
    pub(crate) phase: Phase,
    pub(crate) online: bool,
    /// When the session is opened again after a failure, if it is retried automatically.
    pub(crate) reopen_at: Option<u64>,
    pub(crate) open_tries: u32,
    pub(crate) hours: HoursDue,
    /// The edge's refusal to open a session; unset when the edge could not be reached.
    pub(crate) opening_failure: Option<Failure>,
    /// The token of the Turnstile check that the visitor has passed, for the next attempt to open a session.
    pub(crate) challenge: Option<String>,
    /// The identity that the page has given.
    pub(crate) identity: PageIdentity,
    pub(crate) token: Option<String>,
    pub(crate) opened: Option<Box<Session>>,
    /// The visitor that an earlier page has stored; taken once the session is open.
    pub(crate) restored: Option<StoredVisitor>,
    /// Storage may be used: the visitor has written a message.
    pub(crate) uses_storage: bool,
    pub(crate) conversation: Option<Id>,
    pub(crate) history: HistoryState,
    /// The page has asked for the whole history.
    pub(crate) loading_all: bool,
    pub(crate) messages: Vec<ChatMessage>,
    pub(crate) turn: Option<Turn>,
    /// Reloads of the conversation since an answer was last completed.
    pub(crate) resyncs: u32,
    /// The last of the [`marks`](ChatMessage::marks).
    pub(crate) last_mark: u32,
    /// The last event received of any turn: the resume position.
    pub(crate) last: Option<EventId>,
    pub(crate) limited_until: Option<u64>,
    /// Rate-limit refusals in a row.
    pub(crate) limited_tries: u32,
    pub(crate) draft_error: Option<DraftError>,
    /// Files that go with the next message.
    pub(crate) files: Vec<Attachment>,
    /// Messages left today, as of the last answer.
    pub(crate) left: Option<u32>,
    pub(crate) calls: Vec<PendingCall>,
    pub(crate) now: u64,
    random: u128,
    pub(crate) tickets: u32,
    wake_at: Option<u64>,
    /// The outbox as it is in storage.
    pub(crate) stored_outbox: String,
    /// The connection state that screen readers were last told.
    announced: Connection,
    pub(crate) changes: Changes,
    pub(crate) effects: Vec<Effect>,
}

/// Whether the chat can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The session is being opened.
    Opening,
    /// The session is open.
    Ready,
    /// The session could not be opened; [`opening_failure`](Chat::opening_failure) says why if the edge did.
    Unavailable,
}

/// The activity of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// No turn is running.
    Idle,
    /// The turn has not sent a block yet.
    Thinking,
    /// The answer is arriving.
    Writing,
}

/// The state of the connection as shown to the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing is shown.
    Fine,
    /// The stream of an answer was lost and is being resumed.
    Reconnecting,
    /// The browser has no network.
    Offline,
}

/// Why a draft cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftError {
    /// No visible character.
    Empty,
    /// Longer than this many characters.
    TooLong(usize),
}

impl Chat {
    /// A chat for this site key, in this language (BCP 47).
    pub fn new(site: impl Into<String>, locale: impl Into<String>) -> Self {
        Self {
            site: site.into(),
            locale: locale.into(),
            page: None,
            phase: Phase::Opening,
            online: true,
            reopen_at: None,
            open_tries: 0,
            hours: HoursDue::default(),
            opening_failure: None,
            challenge: None,
            identity: PageIdentity::Anonymous,
            token: None,
            opened: None,
            restored: None,
            uses_storage: false,
            conversation: None,
            history: HistoryState::default(),
            loading_all: false,
            messages: Vec::new(),
            turn: None,
            resyncs: 0,
            last_mark: 0,
            last: None,
            limited_until: None,
            limited_tries: 0,
            draft_error: None,
            files: Vec::new(),
            left: None,
            calls: Vec::new(),
            now: 0,
            random: 0,
            tickets: 0,
            wake_at: None,
            stored_outbox: String::new(),
            announced: Connection::Fine,
            changes: Changes::default(),
            effects: Vec::new(),
        }
    }

    /// Applies an event; returns the effects to carry out.
    pub fn update(&mut self, tick: Tick, event: Event) -> Vec<Effect> {
        self.now = tick.unix_ms;
        self.random = tick.random;
        match event {
            Event::Started {
                online,
                stored,
                outbox,
                page,
                identity,
            } => self.start(online, stored.as_deref(), outbox.as_deref(), page, identity),
            Event::Identified {
                identity,
                stored,
                outbox,
            } => self.identify(identity, stored.as_deref(), outbox.as_deref()),
            Event::Named {
                ticket,
                jwt,
                identity,
            } => self.named(ticket, jwt, identity),
            Event::Challenged { token } => self.challenged(token),
            Event::Found { stored } => self.found(&stored),
            Event::Answered {
                ticket,
                status,
                body,
            } => self.answered(ticket, status, &body),
            Event::Unreachable { ticket } | Event::StreamEnded { ticket } => self.broken(ticket),
            Event::Streamed { ticket, bytes } => self.streamed(ticket, &bytes),
            Event::Woken => self.woken(),
            Event::Shown => self.look_at_hours(),
            Event::Online => self.went_online(),
            Event::Offline => self.went_offline(),
            Event::Submitted { text } => self.submit(&text),
            Event::Picked { text } => self.pick(&text),
            Event::Edited => self.edited(),
            Event::RetryAsked { message } => self.retry(message),
            Event::ReloadAsked => self.reload(),
            Event::StopAsked => self.stop(),
            Event::NewAsked => self.start_afresh(),
            Event::EarlierAsked => self.load_earlier(),
            Event::AllAsked => self.load_all(),
            Event::ShowAsked { conversation } => self.show_conversation(conversation),
            Event::Rated { message, rating } => self.rate(message, rating),
            Event::Attached { files } => self.files = wire::chosen(&files),
            Event::Erased => self.erased(),
            Event::ErasedElsewhere { visitor } => self.erased_elsewhere(visitor),
            Event::Overheard {
                conversation,
                message,
                text,
                stored,
            } => self.overheard(conversation, message, text, stored.as_deref()),
            Event::CallAsked { method, path, body } => {
                self.request(ApiCall::Other { method, path, body });
            }
        }
        self.load_rest();
        self.flush();
        self.store_outbox();
        self.announce_connection();
        self.schedule();
        self.take_effects()
    }

    /// Whether the chat can be used.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the session could not be opened, if the edge has answered.
    pub fn opening_failure(&self) -> Option<&Failure> {
        let refused = self.opening_failure.as_ref();
        refused.filter(|_| self.phase == Phase::Unavailable)
    }

    /// The check that the edge requires before it opens a session: Turnstile's site key as label, and the URL of its
    /// script.
    pub fn challenge(&self) -> Option<&Action> {
        let refused = self.opening_failure()?;
        let action = refused.action.as_ref();
        action.filter(|_| is_challenge(refused.code))
    }

    /// The number of messages left today, if it is at most `FEW`.
    pub fn few_left(&self) -> Option<u32> {
        self.left.filter(|left| *left <= FEW)
    }

    /// The bot, once the session is open.
    pub fn bot(&self) -> Option<&Bot> {
        self.opened.as_ref().map(|session| &session.bot)
    }

    /// The messages, oldest first.
    pub fn messages(&self) -> &[ChatMessage] {
        &self.messages
    }

    /// The message with this id.
    pub fn message(&self, id: Id) -> Option<&ChatMessage> {
        let mut newest_first = self.messages.iter().rev();
        newest_first.find(|message| message.id == id)
    }

    /// True while stored messages are being loaded.
    pub fn is_loading_history(&self) -> bool {
        self.history.loading
    }

    /// True when stored messages could not be loaded.
    pub fn history_failed(&self) -> bool {
        self.history.failed
    }

    /// True when the edge has older messages.
    pub fn has_earlier(&self) -> bool {
        self.history.next.is_some()
    }

    /// The activity of the bot.
    pub fn activity(&self) -> Activity {
        match &self.turn {
            Some(turn) if !turn.failed => {
                let begun = self
                    .reply_to(turn.message)
                    .is_some_and(|reply| !reply.blocks.is_empty());
                if begun {
                    Activity::Writing
                } else {
                    Activity::Thinking
                }
            }
            _ => Activity::Idle,
        }
    }

    /// The state of the connection.
    pub fn connection(&self) -> Connection {
        if !self.online {
            Connection::Offline
        } else if self.turn.as_ref().is_some_and(Turn::is_broken) {
            Connection::Reconnecting
        } else {
            Connection::Fine
        }
    }

    /// Why the last draft could not be sent.
    pub fn draft_error(&self) -> Option<DraftError> {
        self.draft_error
    }

    /// The maximum length of a message, in characters.
    pub fn max_chars(&self) -> usize {
        self.opened.as_ref().map_or(MAX_MESSAGE_CHARS, |session| {
            session.limits.message_chars.min(MAX_MESSAGE_CHARS)
        })
    }

    /// True when the browser may store the visitor: after the first message, and not for a signed-in visitor.
    pub fn uses_storage(&self) -> bool {
        self.uses_storage && !self.is_identified()
    }

    /// The time of the last update, in Unix milliseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// True while the answer of a call is pending.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.calls.iter().any(|call| call.ticket == ticket)
    }

    /// The ticket of the next call.
    pub fn next_ticket(&self) -> Ticket {
        Ticket(self.tickets.wrapping_add(1))
    }

    /// The answer to a message of the visitor.
    pub(crate) fn reply_to(&self, message: Id) -> Option<&ChatMessage> {
        let mut newest_first = self.messages.iter().rev();
        newest_first.find(|reply| reply.reply_to == Some(message))
    }

    pub(crate) fn message_mut(&mut self, id: Id) -> Option<&mut ChatMessage> {
        self.changes.message(id);
        let mut newest_first = self.messages.iter_mut().rev();
        newest_first.find(|message| message.id == id)
    }

    pub(crate) fn set_stage(&mut self, id: Id, stage: Stage) {
        if let Some(message) = self.message_mut(id) {
            message.stage = stage;
        }
    }

    /// Sets or withdraws the rating of an answer.
    fn rate(&mut self, id: Id, rating: Option<Rating>) {
        let Some(message) = self.message_mut(id) else {
            return;
        };
        message.rating = rating;
        if let Some(rating) = rating {
            let message = id;
            self.effects
                .push(Effect::Emit(HostEvent::Rated { message, rating }));
        }
    }

    /// A new id; two of the same tick differ.
    pub(crate) fn new_id(&mut self) -> Id {
        self.random = self.random.wrapping_add(1);
        Id::from_parts(self.now, self.random)
    }

    /// Random bits for the jitter of retries.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the bits are more than enough"
    )]
    pub(crate) fn random(&self) -> u64 {
        self.random as u64
    }

    pub(crate) fn store(&mut self) {
        if let (true, false, Some(token)) = (self.uses_storage, self.is_identified(), &self.token) {
            let stored = StoredVisitor {
                token: token.clone(),
                conversation: self.conversation,
            };
            self.effects.push(Effect::Store(stored.to_json()));
        }
    }

    /// Stores the messages that the edge has not acknowledged, because the visitor may leave the page before it does.
    fn store_outbox(&mut self) {
        if self.is_identified() {
            return;
        }
        let outbox = outbox_to_json(&self.messages);
        if outbox != self.stored_outbox {
            self.stored_outbox.clone_from(&outbox);
            self.effects.push(Effect::StoreOutbox(outbox));
        }
    }

    /// Announces a lost connection. A restored one needs no announcement, because the answer is read out.
    fn announce_connection(&mut self) {
        let connection = self.connection();
        if std::mem::replace(&mut self.announced, connection) == connection {
            return;
        }
        match connection {
            Connection::Fine => {}
            Connection::Offline => self.announce(|strings| &strings.offline),
            Connection::Reconnecting => self.announce(|strings| &strings.reconnecting),
        }
    }

    /// Announces an interface text to screen readers, if the session's texts are loaded.
    pub(crate) fn announce(&mut self, words: fn(&Strings) -> &str) {
        if let Some(said) = self.bot().map(|bot| words(&bot.strings).to_owned()) {
            self.effects.push(Effect::Announce(said));
        }
    }

    /// Announces an interface text with one placeholder filled in.
    pub(crate) fn announce_filled(&mut self, words: fn(&Strings) -> &str, name: &str, value: &str) {
        if let Some(said) = self.bot().map(|bot| fill(words(&bot.strings), name, value)) {
            self.effects.push(Effect::Announce(said));
        }
    }

    /// Logs a problem that only the site's owner can fix.
    pub(crate) fn log(&mut self, problem: &Problem) {
        if is_owners(problem.code) {
            self.effects.push(Effect::Log(problem.detail.clone()));
        }
    }

    fn woken(&mut self) {
        self.wake_at = None;
        self.check_calls();
        self.retry_opening_if_due();
        self.renew_hours_if_due();
        self.check_link();
        self.check_limit();
    }

    /// Requests a wake-up for the earliest deadline.
    fn schedule(&mut self) {
        let turn = self.turn.as_ref().and_then(Turn::due);
        let [calls, limit, hours] = [self.calls_due(), self.limit_due(), self.hours.at];
        let due = [self.reopen_at, turn, limit, calls, hours];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        if self.wake_at.is_none_or(|at| due < at) {
            self.wake_at = Some(due);
            let wait = due.saturating_sub(self.now).max(1);
            self.effects.push(Effect::Wake {
                after_ms: u32::try_from(wait).unwrap_or(u32::MAX),
            });
        }
    }

    fn take_effects(&mut self) -> Vec<Effect> {
        let changes = std::mem::take(&mut self.changes);
        if changes != Changes::default() {
            self.effects.push(Effect::Changed(changes));
        }
        std::mem::take(&mut self.effects)
    }
}
