//! The bubble's state machine: [`Chat::update`] takes what happened and returns what to do.
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

pub mod chat;
pub mod effect;
pub mod event;
pub mod failure;
pub mod format;
pub mod message;
pub mod stored;
pub mod wire;

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

pub use chat::{Activity, Chat, Connection, DraftError, Phase};
pub use effect::{ApiCall, Changes, Effect, HostEvent, Ticket};
pub use event::{Event, PageIdentity, Tick};
pub use failure::Failure;
pub use message::{Caveat, ChatMessage, Stage};
