//! What a session wants done.

use crate::{json, requests};
use bulle_protocol::{
    Id,
    conversation::{Rating, SendMessage},
    event::EventId,
    problem::Code,
    session::SessionRequest,
};

/// Names a request, so that its answer finds the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u32);

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a call to the edge and report what comes back under this ticket.
    Request {
        /// The name of the request.
        ticket: Ticket,
        /// What to call.
        call: ApiCall,
        /// For `Authorization: Bearer`.
        token: Option<String>,
    },
    /// Nobody waits for this request any more.
    Abort {
        /// The request.
        ticket: Ticket,
    },
    /// Send [`Event::Woken`](crate::Event::Woken) after this time; replaces any earlier wish.
    Wake {
        /// Milliseconds from now.
        after_ms: u32,
    },
    /// Keep this text for the next page; empty when there is nothing to keep.
    Store(String),
    /// Keep this text for the next page of this tab; empty when there is nothing to keep.
    StoreOutbox(String),
    /// Hand on the answer to [`Event::CallAsked`](crate::Event::CallAsked).
    Replied {
        /// The request.
        ticket: Ticket,
        /// HTTP status; 0 when there was no answer.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// Tell whoever listens.
    Emit(HostEvent),
    /// The composer's draft was taken: empty it.
    DraftTaken,
    /// Draw again what has changed.
    Changed(Changes),
    /// Say this to screen readers.
    Announce(String),
    /// Tell the site's owner, where developers look.
    Log(String),
}

/// Something that the page around the bubble may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// The first session is open.
    Ready,
    /// The visitor has written this.
    Asked(String),
    /// The bot has answered; the answer as plain text.
    Answered {
        /// The answer.
        message: Id,
        /// The answer as plain text.
        text: String,
    },
    /// Something failed.
    Failed(Code),
    /// Nothing of the visitor before may be seen any more: somebody else is there, or everything was erased.
    Forgotten,
    /// The answer to [`Event::AllAsked`](crate::Event::AllAsked): whether every message is there now.
    AllLoaded(bool),
    /// The visitor has rated an answer.
    Rated {
        /// The answer.
        message: Id,
        /// What the visitor thinks of it.
        rating: Rating,
    },
}

impl HostEvent {
    /// Its name, and what there is to know in JSON.
    pub fn to_json(&self) -> (&'static str, String) {
        let object = json::Object::default();
        match self {
            Self::Ready => ("ready", object.end()),
            Self::Forgotten => ("forget", object.end()),
            Self::AllLoaded(whole) => ("whole", whole.to_string()),
            Self::Asked(text) => ("message", object.text("text", text).end()),
            Self::Answered { message, text } => {
                let object = object.text("id", &message.to_string());
                ("reply", object.text("text", text).end())
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

/// Which parts of the session have changed since the last update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The phase, and with it the bot.
    pub phase: bool,
    /// Which messages there are, or whether there are earlier ones.
    pub list: bool,
    /// Activity, connection, refusal.
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
    /// Asks the page, and not the edge, for a known visitor's identity: answered by [`Event::Named`](crate::Event::Named).
    Identify,
    /// Opens or resumes a session.
    OpenSession(SessionRequest),
    /// Creates a conversation.
    CreateConversation,
    /// Reads stored messages.
    History {
        /// Of this conversation.
        conversation: Id,
        /// The page before this cursor; the newest page without it.
        before: Option<String>,
    },
    /// Asks; answered by an event stream.
    Send {
        /// In this conversation.
        conversation: Id,
        /// The visitor's message.
        body: SendMessage,
    },
    /// Follows the running or last turn; answered by an event stream.
    Attach {
        /// Of this conversation.
        conversation: Id,
        /// Only what came after this event.
        after: Option<EventId>,
    },
    /// Stops the running turn.
    Cancel {
        /// Of this conversation.
        conversation: Id,
    },
    /// What the session itself has no use for; answered by [`Effect::Replied`].
    Other {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// JSON, or what stands for a file in the page: "blob:" and a number.
        body: Option<String>,
    },
}

impl ApiCall {
    /// True for the calls that lead to a session: they come before there is a token.
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
