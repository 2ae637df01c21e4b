//! A conversation: its Durable Object, and the Worker's requests to it.

mod batch;
mod command;
mod conversation_do;
mod live;
mod store;
pub mod stream;

pub use command::{ConversationCommand, command};
pub use conversation_do::REPLAYED;
