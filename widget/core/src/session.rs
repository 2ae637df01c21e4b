//! The session: its state, and where each event goes.

use bulle_protocol::{
    Id, MAX_MESSAGE_CHARS,
    conversation::{Attachment, Rating},
    event::EventId,
    problem::{Action, Problem},
    session::{Bot, Page, Session as Opened},
    strings::Strings,
};

use crate::{
    calls::Pending,
    effect::{Call, Changes, Effect, Occasion, Ticket},
    event::{Event, Identity, Moment},
    failure::{Failure, is_challenge, is_owners},
    history::History,
    message::{Message, Stage},
    stored::{Stored, outbox_to_json},
    turn::Turn,
    wire,
    words::fill,
};

/// From here on the visitor is told how many messages of the day are left.
const FEW: u32 = 3;

/// Everything the bubble knows. See the [crate's documentation](crate).
#[derive(Debug)]
pub struct Session {
    pub(crate) site: String,
    pub(crate) locale: String,
    pub(crate) page: Option<Page>,
    pub(crate) phase: Phase,
    pub(crate) online: bool,
    /// Set while the session is being opened again by itself after a failure.
    pub(crate) reopen_at: Option<u64>,
    pub(crate) open_tries: u32,
    /// Why the edge last opened no session, when it was not for want of an answer.
    pub(crate) refused: Option<Failure>,
    /// The token of a check that the visitor has passed, for the next try.
    pub(crate) challenge: Option<String>,
    /// What the page says of the visitor.
    pub(crate) identity: Identity,
    pub(crate) token: Option<String>,
    pub(crate) opened: Option<Box<Opened>>,
    /// What an earlier page left, until the session is open.
    pub(crate) restored: Option<Stored>,
    /// True once the visitor has written something: from then on storage is used.
    pub(crate) keeps: bool,
    pub(crate) conversation: Option<Id>,
    pub(crate) history: History,
    /// Somebody waits for all of the history.
    pub(crate) awaits_all: bool,
    pub(crate) messages: Vec<Message>,
    pub(crate) turn: Option<Turn>,
    /// How often the conversation was read again since an answer was last completed.
    pub(crate) resyncs: u32,
    /// The last of the [`marks`](Message::marks).
    pub(crate) last_mark: u32,
    /// The last event seen of any turn: where to go on from.
    pub(crate) last: Option<EventId>,
    pub(crate) limited_until: Option<u64>,
    /// How often messages were refused for being too many since the edge last took one.
    pub(crate) limited_tries: u32,
    pub(crate) refusal: Option<Refusal>,
    /// Files that go with the next message.
    pub(crate) files: Vec<Attachment>,
    /// Messages left today, as the last answer told it.
    pub(crate) left: Option<u32>,
    pub(crate) calls: Vec<Pending>,
    pub(crate) now: u64,
    random: u128,
    pub(crate) tickets: u32,
    wake_at: Option<u64>,
    /// What the browser keeps of the outbox.
    pub(crate) kept_outbox: String,
    /// What the visitor was last told of the connection.
    told: Connection,
    pub(crate) changes: Changes,
    pub(crate) effects: Vec<Effect>,
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not open yet.
    Opening,
    /// The bot is there.
    Ready,
    /// The session could not be opened; [`refused`](Session::refused) may say why.
    Unavailable,
}

/// What the bot is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// It has been asked and has not said a word.
    Thinking,
    /// It is answering.
    Writing,
}

/// How the connection stands, as far as the visitor should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing to say.
    Fine,
    /// An answer's stream was lost and is being found again.
    Reconnecting,
    /// The browser has no network.
    Offline,
}

/// Why a draft was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No visible character.
    Empty,
    /// Longer than this many characters.
    TooLong(usize),
}

impl Session {
    /// A session of the bubble with this site key, in this language (BCP 47).
    pub fn new(site: impl Into<String>, locale: impl Into<String>) -> Self {
        Self {
            site: site.into(),
            locale: locale.into(),
            page: None,
            phase: Phase::Opening,
            online: true,
            reopen_at: None,
            open_tries: 0,
            refused: None,
            challenge: None,
            identity: Identity::Nobody,
            token: None,
            opened: None,
            restored: None,
            keeps: false,
            conversation: None,
            history: History::default(),
            awaits_all: false,
            messages: Vec::new(),
            turn: None,
            resyncs: 0,
            last_mark: 0,
            last: None,
            limited_until: None,
            limited_tries: 0,
            refusal: None,
            files: Vec::new(),
            left: None,
            calls: Vec::new(),
            now: 0,
            random: 0,
            tickets: 0,
            wake_at: None,
            kept_outbox: String::new(),
            told: Connection::Fine,
            changes: Changes::default(),
            effects: Vec::new(),
        }
    }

    /// Takes in what happened and says what to do about it.
    pub fn update(&mut self, moment: Moment, event: Event) -> Vec<Effect> {
        self.now = moment.unix_ms;
        self.random = moment.random;
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
            Event::Called { method, path, body } => {
                self.request(Call::Other { method, path, body });
            }
        }
        self.read_on();
        self.flush();
        self.keep_outbox();
        self.tell_connection();
        self.schedule();
        self.take_effects()
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the edge has not opened a session, when it has said so.
    pub fn refused(&self) -> Option<&Failure> {
        let refused = self.refused.as_ref();
        refused.filter(|_| self.phase == Phase::Unavailable)
    }

    /// The check that the edge asks for before it opens a session: Turnstile's site key as label, and the address of
    /// its script.
    pub fn challenge(&self) -> Option<&Action> {
        let refused = self.refused()?;
        let action = refused.action.as_ref();
        action.filter(|_| is_challenge(refused.code))
    }

    /// Messages left today, when they are few.
    pub fn few_left(&self) -> Option<u32> {
        self.left.filter(|left| *left <= FEW)
    }

    /// The bot, once the session is open.
    pub fn bot(&self) -> Option<&Bot> {
        self.opened.as_ref().map(|session| &session.bot)
    }

    /// The messages, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message with this id.
    pub fn message(&self, id: Id) -> Option<&Message> {
        let mut newest_first = self.messages.iter().rev();
        newest_first.find(|message| message.id == id)
    }

    /// True while stored messages are being read.
    pub fn is_loading_history(&self) -> bool {
        self.history.loading
    }

    /// True when stored messages could not be read.
    pub fn history_failed(&self) -> bool {
        self.history.failed
    }

    /// True when there are older messages to read.
    pub fn has_earlier(&self) -> bool {
        self.history.next.is_some()
    }

    /// What the bot is doing.
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

    /// How the connection stands.
    pub fn connection(&self) -> Connection {
        if !self.online {
            Connection::Offline
        } else if self.turn.as_ref().is_some_and(Turn::is_broken) {
            Connection::Reconnecting
        } else {
            Connection::Fine
        }
    }

    /// Why the last draft was not taken.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Longest message in characters.
    pub fn max_chars(&self) -> usize {
        self.opened.as_ref().map_or(MAX_MESSAGE_CHARS, |session| {
            session.limits.message_chars.min(MAX_MESSAGE_CHARS)
        })
    }

    /// True once the visitor has written something that the browser may keep.
    pub fn keeps(&self) -> bool {
        self.keeps && !self.is_known()
    }

    /// The time of the last update, in Unix milliseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// True while the answer to a call is awaited.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.calls.iter().any(|call| call.ticket == ticket)
    }

    /// The ticket of the next call.
    pub fn next_ticket(&self) -> Ticket {
        Ticket(self.tickets.wrapping_add(1))
    }

    /// The answer to a message of the visitor.
    pub(crate) fn reply_to(&self, message: Id) -> Option<&Message> {
        let mut newest_first = self.messages.iter().rev();
        newest_first.find(|reply| reply.reply_to == Some(message))
    }

    pub(crate) fn message_mut(&mut self, id: Id) -> Option<&mut Message> {
        self.changes.message(id);
        let mut newest_first = self.messages.iter_mut().rev();
        newest_first.find(|message| message.id == id)
    }

    pub(crate) fn set_stage(&mut self, id: Id, stage: Stage) {
        if let Some(message) = self.message_mut(id) {
            message.stage = stage;
        }
    }

    /// What the visitor thinks of an answer.
    fn rate(&mut self, id: Id, rating: Option<Rating>) {
        let Some(message) = self.message_mut(id) else {
            return;
        };
        message.rating = rating;
        if let Some(rating) = rating {
            let message = id;
            self.effects
                .push(Effect::Emit(Occasion::Rated { message, rating }));
        }
    }

    /// A fresh id; two in the same moment differ.
    pub(crate) fn new_id(&mut self) -> Id {
        self.random = self.random.wrapping_add(1);
        Id::from_parts(self.now, self.random)
    }

    /// Random bits for spreading tries.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the bits are more than enough"
    )]
    pub(crate) fn random(&self) -> u64 {
        self.random as u64
    }

    pub(crate) fn store(&mut self) {
        if let (true, false, Some(token)) = (self.keeps, self.is_known(), &self.token) {
            let stored = Stored {
                token: token.clone(),
                conversation: self.conversation,
            };
            self.effects.push(Effect::Store(stored.to_json()));
        }
    }

    /// Keeps what the edge has not acknowledged: the visitor may leave the page before it does.
    fn keep_outbox(&mut self) {
        if self.is_known() {
            return;
        }
        let outbox = outbox_to_json(&self.messages);
        if outbox != self.kept_outbox {
            self.kept_outbox.clone_from(&outbox);
            self.effects.push(Effect::StoreOutbox(outbox));
        }
    }

    /// Says when the connection is lost; that it is back is heard from the answer.
    fn tell_connection(&mut self) {
        let connection = self.connection();
        if std::mem::replace(&mut self.told, connection) == connection {
            return;
        }
        match connection {
            Connection::Fine => {}
            Connection::Offline => self.announce(|strings| &strings.offline),
            Connection::Reconnecting => self.announce(|strings| &strings.reconnecting),
        }
    }

    /// Says something to screen readers, once there are words.
    pub(crate) fn announce(&mut self, words: fn(&Strings) -> &str) {
        if let Some(said) = self.bot().map(|bot| words(&bot.strings).to_owned()) {
            self.effects.push(Effect::Announce(said));
        }
    }

    /// Says something in which a name is to be filled in.
    pub(crate) fn announce_filled(&mut self, words: fn(&Strings) -> &str, name: &str, value: &str) {
        if let Some(said) = self.bot().map(|bot| fill(words(&bot.strings), name, value)) {
            self.effects.push(Effect::Announce(said));
        }
    }

    /// Tells the owner what only the owner can mend.
    pub(crate) fn log(&mut self, problem: &Problem) {
        if is_owners(problem.code) {
            self.effects.push(Effect::Log(problem.detail.clone()));
        }
    }

    fn woken(&mut self) {
        self.wake_at = None;
        self.check_calls();
        self.retry_opening_if_due();
        self.check_link();
        self.check_limit();
    }

    /// Asks to be woken at the earliest time that something is due.
    fn schedule(&mut self) {
        let turn = self.turn.as_ref().and_then(Turn::due);
        let Some(due) = [self.reopen_at, turn, self.limit_due(), self.calls_due()]
            .into_iter()
            .flatten()
            .min()
        else {
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
