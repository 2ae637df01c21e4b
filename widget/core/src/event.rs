//! The events that the chat handles.

use bulle_protocol::{Id, conversation::Rating, session::Page};

use crate::effect::Ticket;

/// The time and the randomness of one update; the chat has neither a clock nor a random generator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Unix milliseconds.
    pub unix_ms: u64,
    /// Unpredictable bits, new for every update.
    pub random: u128,
}

/// The page's identity for its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageIdentity {
    /// The page has given none, or the visitor has signed out.
    #[default]
    Anonymous,
    /// The page has given a function: who the visitor is, is known after [`ApiCall::Identify`](crate::ApiCall::Identify).
    Unresolved,
    /// The page has given a JWT with this `sub`.
    Subject(String),
}

/// An event in the browser, an answer of the edge, or an action of the visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bubble was opened for the first time on this page.
    Started {
        /// Whether the browser has a network.
        online: bool,
        /// The visitor that an earlier page has stored: [`StoredVisitor`](crate::stored::StoredVisitor).
        stored: Option<String>,
        /// The unacknowledged messages that an earlier page of this tab has stored.
        outbox: Option<String>,
        /// URL and title of the page around the bubble.
        page: Option<Page>,
        /// The page's identity for the visitor.
        identity: PageIdentity,
    },
    /// The page has given another identity.
    Identified {
        /// The page's identity for the visitor.
        identity: PageIdentity,
        /// The stored visitor, for when the new identity is anonymous.
        stored: Option<String>,
        /// The stored outbox of that visitor.
        outbox: Option<String>,
    },
    /// The page has answered [`ApiCall::Identify`](crate::ApiCall::Identify).
    Named {
        /// Identifies the call.
        ticket: Ticket,
        /// The visitor's JWT.
        jwt: String,
        /// The identity by the `sub` of the JWT.
        identity: PageIdentity,
    },
    /// The visitor has passed the Turnstile check, or it cannot be shown.
    Challenged {
        /// The Turnstile token; none when the check cannot be shown.
        token: Option<String>,
    },
    /// A call was answered with a complete body: every answer except an event stream.
    Answered {
        /// Identifies the call.
        ticket: Ticket,
        /// HTTP status.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// A call got no answer, or its answer broke off.
    Unreachable {
        /// Identifies the call.
        ticket: Ticket,
    },
    /// A chunk of an event stream, cut at an arbitrary byte.
    Streamed {
        /// Identifies the call.
        ticket: Ticket,
        /// The chunk.
        bytes: Vec<u8>,
    },
    /// An event stream ended or broke off.
    StreamEnded {
        /// Identifies the call.
        ticket: Ticket,
    },
    /// The timer of [`Effect::Wake`](crate::Effect::Wake) has fired.
    Woken,
    /// The visitor looks at the panel again: it was opened, or its page was.
    Shown,
    /// The browser found a network.
    Online,
    /// The browser lost its network.
    Offline,
    /// The visitor sends the draft of the composer.
    Submitted {
        /// The draft as typed.
        text: String,
    },
    /// The visitor picks a suggested question; the draft stays.
    Picked {
        /// The question.
        text: String,
    },
    /// The stored visitor, read again before a message is sent, because another tab may have stored one since.
    Found {
        /// The stored text.
        stored: String,
    },
    /// The visitor has changed the draft.
    Edited,
    /// The visitor retries a failed exchange.
    RetryAsked {
        /// The visitor's message.
        message: Id,
    },
    /// The visitor reloads the session or, if it is open, the history.
    ReloadAsked,
    /// The visitor stops the answer.
    StopAsked,
    /// The visitor starts a new conversation.
    NewAsked,
    /// The visitor opens an earlier conversation.
    ShowAsked {
        /// The conversation's id.
        conversation: Id,
    },
    /// A module of widget/page calls the edge as the visitor; answered by [`Effect::Replied`](crate::Effect::Replied).
    CallAsked {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// JSON, or the name of a file that the page holds.
        body: Option<String>,
    },
    /// The visitor rates an answer.
    Rated {
        /// The answer.
        message: Id,
        /// The rating; none withdraws it.
        rating: Option<Rating>,
    },
    /// All files that are attached to the next message.
    Attached {
        /// JSON: an array of `{id, name, bytes}`.
        files: String,
    },
    /// The edge has erased the visitor.
    Erased,
    /// Another tab has had this visitor erased.
    ErasedElsewhere {
        /// The visitor's id.
        visitor: Id,
    },
    /// Another tab of the visitor has sent a message. Its answer comes as [`Event::Streamed`] under the ticket that
    /// [`Chat::next_ticket`](crate::Chat::next_ticket) returned before.
    Overheard {
        /// The conversation's id.
        conversation: Id,
        /// The message.
        message: Id,
        /// The text of the message.
        text: String,
        /// The stored visitor.
        stored: Option<String>,
    },
    /// The visitor asks for older messages.
    EarlierAsked,
    /// The page asks for all messages; answered by [`HostEvent::AllLoaded`](crate::HostEvent::AllLoaded).
    AllAsked,
}
