//! The bubble's state machine: [`Session::update`] takes what happened and returns what to do.
//!
//! No DOM, no clock, no network, no randomness of its own: the browser side maps DOM events to
//! [`Event`]s and carries [`Effect`]s out, so that every path through lost connections, expired
//! tokens and impatient visitors is tested natively, in milliseconds.
//!
//! What holds at all times:
//! - a visitor's message, once taken from the composer, stays in the list until the visitor clears it;
//! - a message id is posted again only while the edge has not acknowledged it, or when the visitor asks;
//! - every call that is no stream has a deadline, and every stream must give signs of life;
//! - every loop (reconnecting, renewing a token, following another tab) has a bound;
//! - nothing is to be stored before the visitor's first message; from then on the visitor's token, and for the tab
//!   what the edge has not acknowledged; of a visitor whom the page has signed in, never anything. (The loader, on its own account, remembers for the tab that the visitor has
//!   opened or closed the panel.)

pub mod effect;
pub mod event;
pub mod failure;
pub mod message;
pub mod session;
pub mod stored;
pub mod wire;
pub mod words;

mod backoff;
mod calls;
mod connection;
mod history;
mod json;
mod opening;
mod outbox;
mod requests;
mod tabs;
mod turn;

pub use effect::{Call, Changes, Effect, Occasion, Ticket};
pub use event::{Event, Identity, Moment};
pub use failure::Failure;
pub use message::{Message, Notice, Stage};
pub use session::{Activity, Connection, Phase, Refusal, Session};

/// What the fuzz target `widget_json` calls; compiled for it alone.
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
