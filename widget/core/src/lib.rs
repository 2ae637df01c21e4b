//! The bubble's state machine: [`Chat::update`] takes an [`Event`] and returns [`Effect`]s.
//!
//! It has no DOM, no clock, no network and no randomness of its own. The browser side maps DOM events to [`Event`]s
//! and carries [`Effect`]s out, so that lost connections, expired tokens and double clicks are tested natively, in
//! milliseconds.
//!
//! Invariants:
//! - a visitor's message, once taken from the composer, stays in the list until the visitor clears it;
//! - a message id is posted again only while the edge has not acknowledged it, or when the visitor retries;
//! - every call that is not a stream has a deadline, and a silent stream is given up;
//! - every loop (reconnecting, renewing a token, following another tab) has a bound;
//! - nothing is stored before the visitor's first message; from then on the visitor's token and, for the tab,
//!   unacknowledged messages; nothing at all for a visitor whom the page has signed in. (The loader itself stores for
//!   the tab that the visitor has opened or closed the panel.)

pub mod chat;
pub mod effect;
pub mod event;
pub mod failure;
pub mod format;
pub mod message;
pub mod stored;
pub mod wire;

mod backoff;
mod json;
mod requests;

pub use chat::{Activity, Chat, Connection, DraftError, Phase};
pub use effect::{ApiCall, Changes, Effect, HostEvent, Ticket};
pub use event::{Event, PageIdentity, Tick};
pub use failure::Failure;
pub use message::{Caveat, ChatMessage, Stage};

/// The entry of the fuzz target `widget_json`; compiled for it alone.
#[cfg(fuzzing)]
pub mod fuzzing {
    use crate::{json, wire};

    /// Reads a text as every answer of the edge. Returns whether it is JSON.
    pub fn answers(text: &str) -> bool {
        let _ = wire::loader_config(text);
        let _ = wire::session(text);
        let _ = wire::created(text);
        let _ = wire::history(text);
        let _ = wire::chosen(text);
        let _ = wire::problem(text);
        json::parse(text).is_some()
    }
}
