//! A conversation: the Durable Object that owns it, and how the Worker asks it.

mod batch;
mod command;
mod conversation_do;
mod live;
mod store;
pub mod stream;

pub use command::{ConversationCommand, command};
pub use conversation_do::REPLAYED;
