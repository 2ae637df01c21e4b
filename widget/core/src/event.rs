//! What can happen to a session.

use bulle_protocol::{Id, conversation::Rating, session::Page};

use crate::effect::Ticket;

/// When something happened, with fresh randomness for whatever needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Unix milliseconds.
    pub unix_ms: u64,
    /// Unpredictable bits, new at every tick.
    pub random: u128,
}

/// What the page says about who its visitor is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageIdentity {
    /// Nothing, or that they have signed out.
    #[default]
    Anonymous,
    /// Somebody of whom more is known when the page is asked: [`ApiCall::Identify`](crate::ApiCall::Identify).
    Unresolved,
    /// Somebody whom the page's server calls so: the `sub` of a JWT, which is there when the page is asked.
    Subject(String),
}

/// Something that happened, in the browser or at the visitor's hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bubble was opened for the first time on this page.
    Started {
        /// What the browser says about its connection.
        online: bool,
        /// What an earlier page left in storage.
        stored: Option<String>,
        /// Messages that an earlier page of this tab could not hand over.
        outbox: Option<String>,
        /// The page around the bubble.
        page: Option<Page>,
        /// Who the visitor is.
        identity: PageIdentity,
    },
    /// The page says anew who its visitor is.
    Identified {
        /// Who the visitor is.
        identity: PageIdentity,
        /// What storage holds, for a visitor whom nobody knows.
        stored: Option<String>,
        /// Messages that such a visitor could not hand over.
        outbox: Option<String>,
    },
    /// The page has answered [`ApiCall::Identify`](crate::ApiCall::Identify).
    Named {
        /// The request.
        ticket: Ticket,
        /// The JWT.
        jwt: String,
        /// Its `sub`, as far as it can be read.
        identity: PageIdentity,
    },
    /// The visitor has passed the check that the edge asked for, or it cannot be shown.
    Challenged {
        /// The Turnstile token.
        token: Option<String>,
    },
    /// A request was answered with a whole body: every answer except an event stream.
    Answered {
        /// The request.
        ticket: Ticket,
        /// HTTP status.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// A request got no answer, or its answer broke off before it was whole.
    Unreachable {
        /// The request.
        ticket: Ticket,
    },
    /// Bytes of an event stream, cut anywhere.
    Streamed {
        /// The request.
        ticket: Ticket,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// An event stream ended or broke.
    StreamEnded {
        /// The request.
        ticket: Ticket,
    },
    /// The time asked for by [`Effect::Wake`](crate::Effect::Wake) has come.
    Woken,
    /// The browser found a network.
    Online,
    /// The browser lost its network.
    Offline,
    /// The visitor sends what the composer holds.
    Submitted {
        /// The draft as typed.
        text: String,
    },
    /// The visitor picks one of the suggested questions; the draft stays.
    Picked {
        /// The question.
        text: String,
    },
    /// What storage holds, looked at again because something is about to be written there.
    Found {
        /// The text; another tab may have written it.
        stored: String,
    },
    /// The visitor has changed the draft.
    Edited,
    /// The visitor wants a failed exchange tried again.
    RetryAsked {
        /// The visitor's message.
        message: Id,
    },
    /// The visitor wants the session, or its history, loaded again.
    ReloadAsked,
    /// The visitor wants the answer to stop.
    StopAsked,
    /// The visitor wants to start afresh.
    NewAsked,
    /// The visitor wants to see this conversation.
    ShowAsked {
        /// Its id.
        conversation: Id,
    },
    /// Somebody wants the edge called as the visitor; answered by [`Effect::Replied`](crate::Effect::Replied).
    CallAsked {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// JSON.
        body: Option<String>,
    },
    /// The visitor rates an answer.
    Rated {
        /// The answer.
        message: Id,
        /// What the visitor thinks of it; nothing takes back what was said.
        rating: Option<Rating>,
    },
    /// The files that the visitor has chosen, all of them, for the next message.
    Attached {
        /// JSON: an array of `{id, name, bytes}`.
        files: String,
    },
    /// The edge has erased everything about the visitor.
    Erased,
    /// Another tab has had everything about this visitor erased.
    ErasedElsewhere {
        /// The visitor's id.
        visitor: Id,
    },
    /// Another tab of the visitor has sent a message: its answer comes as [`Event::Streamed`] under the ticket that
    /// [`Chat::next_ticket`](crate::Chat::next_ticket) told before.
    Overheard {
        /// In this conversation.
        conversation: Id,
        /// The message.
        message: Id,
        /// What the visitor has written.
        text: String,
        /// What storage holds.
        stored: Option<String>,
    },
    /// The visitor wants to read older messages.
    EarlierAsked,
    /// The visitor wants all of them, and be told when they are there: [`HostEvent::AllLoaded`](crate::HostEvent::AllLoaded).
    AllAsked,
}
