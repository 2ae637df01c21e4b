//! The effects that the chat requests, and the calls of the edge's HTTP interface.

use crate::{json, requests};
use bulle_protocol::{
    Id,
    conversation::{Rating, SendMessage},
    event::EventId,
    problem::Code,
    session::SessionRequest,
};

/// Identifies a call, so that its answer can be assigned to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u32);

/// An action for the browser side to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a call to the edge and report its answer under this ticket.
    Request {
        /// Identifies the call.
        ticket: Ticket,
        /// The call to make.
        call: ApiCall,
        /// The token for `Authorization: Bearer`.
        token: Option<String>,
    },
    /// Abort a call.
    Abort {
        /// Identifies the call.
        ticket: Ticket,
    },
    /// Send [`Event::Woken`](crate::Event::Woken) after this time; replaces an earlier request.
    Wake {
        /// Milliseconds from now.
        after_ms: u32,
    },
    /// Store this text for the next page; an empty text removes the entry.
    Store(String),
    /// Store this text for the next page of this tab; an empty text removes the entry.
    StoreOutbox(String),
    /// Pass on the answer to [`Event::CallAsked`](crate::Event::CallAsked).
    Replied {
        /// Identifies the call.
        ticket: Ticket,
        /// HTTP status; 0 when there was no answer.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// Notify the page.
    Emit(HostEvent),
    /// The composer's draft was accepted: empty it.
    DraftTaken,
    /// Redraw what has changed.
    Changed(Changes),
    /// Announce this text to screen readers.
    Announce(String),
    /// Log this text to the browser's console, for the site's owner.
    Log(String),
}

/// An event for the page around the bubble and for the modules of widget/page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// The first session is open.
    Ready,
    /// The visitor has sent this message.
    Asked(String),
    /// An answer is complete.
    Answered {
        /// The answer's id.
        message: Id,
        /// The answer as plain text.
        text: String,
        /// Whether the answer says that the documents do not answer.
        unanswered: bool,
    },
    /// A call or a turn has failed.
    Failed(Code),
    /// The visitor before must not be visible any more: the identity has changed, or everything was erased.
    Forgotten,
    /// The answer to [`Event::AllAsked`](crate::Event::AllAsked): whether every message is loaded.
    AllLoaded(bool),
    /// The visitor has rated an answer.
    Rated {
        /// The answer's id.
        message: Id,
        /// The visitor's rating.
        rating: Rating,
    },
}

impl HostEvent {
    /// The event's name, and its detail as JSON.
    pub fn to_json(&self) -> (&'static str, String) {
        let object = json::Object::default();
        match self {
            Self::Ready => ("ready", object.end()),
            Self::Forgotten => ("forget", object.end()),
            Self::AllLoaded(whole) => ("whole", whole.to_string()),
            Self::Asked(text) => ("message", object.text("text", text).end()),
            Self::Answered {
                message,
                text,
                unanswered,
            } => {
                let object = object.text("id", &message.to_string()).text("text", text);
                let object = match unanswered {
                    true => object.raw("unanswered", "true"),
                    false => object,
                };
                ("reply", object.end())
            }
            Self::Failed(code) => ("error", object.text("code", code.as_str()).end()),
            Self::Rated { message, rating } => {
                let object = object.text("message", &message.to_string());
                let rating = match rating {
                    Rating::Up => "up",
                    Rating::Down => "down",
                };
                ("feedback", object.text("rating", rating).end())
            }
        }
    }
}

/// The parts of the chat that an update has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The phase or the bot.
    pub phase: bool,
    /// The list of messages, or whether there are earlier ones.
    pub list: bool,
    /// The activity, the connection or the draft's error.
    pub status: bool,
    /// Messages whose content has changed.
    pub messages: Vec<Id>,
}

impl Changes {
    pub(crate) fn message(&mut self, id: Id) {
        if !self.messages.contains(&id) {
            self.messages.push(id);
        }
    }
}

/// A call of the edge's HTTP interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiCall {
    /// Requests a JWT from the page, not the edge; answered by [`Event::Named`](crate::Event::Named).
    Identify,
    /// Opens or resumes a session.
    OpenSession(SessionRequest),
    /// Creates a conversation.
    CreateConversation,
    /// Loads stored messages.
    History {
        /// The conversation's id.
        conversation: Id,
        /// The page of messages before this cursor; without it, the newest page.
        before: Option<String>,
    },
    /// Sends a message; answered by an event stream.
    Send {
        /// The conversation's id.
        conversation: Id,
        /// The visitor's message.
        body: SendMessage,
    },
    /// Resumes the running or the last turn; answered by an event stream.
    Attach {
        /// The conversation's id.
        conversation: Id,
        /// The last event received; the stream continues after it.
        after: Option<EventId>,
    },
    /// Stops the running turn.
    Cancel {
        /// The conversation's id.
        conversation: Id,
    },
    /// A call on behalf of a module of widget/page; answered by [`Effect::Replied`].
    Other {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// JSON, or the name of a file that the page holds: "blob:" and a number.
        body: Option<String>,
    },
}

impl ApiCall {
    /// True for the calls that open a session and therefore need no token.
    pub(crate) fn opens(&self) -> bool {
        matches!(self, Self::Identify | Self::OpenSession(_))
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        match self {
            Self::History { .. } | Self::Attach { .. } => "GET",
            Self::Other { method, .. } => method,
            _ => "POST",
        }
    }

    /// Path and query under the edge's origin.
    pub fn path(&self) -> String {
        let (conversation, tail) = match self {
            Self::OpenSession(_) | Self::Identify => return "/v1/sessions".to_owned(),
            Self::CreateConversation => return "/v1/conversations".to_owned(),
            Self::Other { path, .. } => return path.clone(),
            Self::History {
                conversation,
                before,
            } => {
                let before = before.as_ref().map(|b| format!("&before={b}"));
                let tail = format!("messages?limit=30{}", before.unwrap_or_default());
                (conversation, tail)
            }
            Self::Send { conversation, .. } => (conversation, "messages".to_owned()),
            Self::Attach {
                conversation,
                after,
            } => {
                let after = after.map(|a| format!("?after={a}"));
                (conversation, format!("events{}", after.unwrap_or_default()))
            }
            Self::Cancel { conversation } => (conversation, "cancel".to_owned()),
        };
        format!("/v1/conversations/{conversation}/{tail}")
    }

    /// The JSON body, for the calls that have one.
    pub fn body(&self) -> Option<String> {
        match self {
            Self::OpenSession(request) => Some(requests::open_session(request)),
            Self::Send { body, .. } => Some(requests::send(body)),
            Self::Other { body, .. } => body.clone(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_contract() {
        let conversation = Id::from_parts(1, 2);
        let turn = Id::from_parts(3, 4);
        let call = |call: ApiCall| (call.method().to_owned(), call.path(), call.body());
        assert_eq!(
            call(ApiCall::CreateConversation),
            ("POST".into(), "/v1/conversations".into(), None)
        );
        assert_eq!(
            call(ApiCall::History {
                conversation,
                before: Some("c".into())
            }),
            (
                "GET".into(),
                format!("/v1/conversations/{conversation}/messages?limit=30&before=c"),
                None
            )
        );
        assert_eq!(
            call(ApiCall::Attach {
                conversation,
                after: Some(EventId { turn, seq: 7 })
            }),
            (
                "GET".into(),
                format!("/v1/conversations/{conversation}/events?after={turn}:7"),
                None
            )
        );
        let body = SendMessage {
            id: turn,
            text: "hi".into(),
            retry: false,
            attachments: Vec::new(),
        };
        assert_eq!(
            call(ApiCall::Send { conversation, body }),
            (
                "POST".into(),
                format!("/v1/conversations/{conversation}/messages"),
                Some(format!("{{\"id\":\"{turn}\",\"text\":\"hi\"}}"))
            )
        );
    }
}
