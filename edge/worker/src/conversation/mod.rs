//! A conversation: its Durable Object, and the Worker's requests to it.

mod batch;
mod command;
mod conversation_do;
mod frames;
mod history;
mod live;
mod place;
mod store;
pub mod stream;

pub use command::{ConversationCommand, command, unrecorded};
