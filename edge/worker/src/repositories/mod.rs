//! The statements of the Worker: one repository an area, each over [`Database`](crate::d1::Database).
//!
//! Every statement on a tenant's data binds the tenant's id. What belongs together is written in one batch, which is one
//! transaction and one round trip. The tests of a repository run on SQLite with the migrations of the Worker.

pub mod audit;
mod conversations;
mod directory;
mod gaps;
pub mod golden;
pub mod library;
mod notices;
pub mod owner_conversations;
pub mod owners;
pub mod people;
mod profiles;
mod prompts;
mod search;
mod summaries;
#[cfg(test)]
mod tests;
mod transcripts;
mod usage;
mod visitors;

pub use audit::Audit;
pub use conversations::Conversations;
pub use directory::Directory;
pub use gaps::Gaps;
pub use golden::Golden;
pub use library::Library;
pub use notices::Notices;
pub use owner_conversations::OwnerConversations;
pub use owners::Owned;
pub use people::People;
pub use profiles::Profiles;
pub use prompts::Prompts;
pub use search::{Match, Search};
pub use summaries::Summaries;
pub use transcripts::Transcripts;
pub use usage::Usage;
pub use visitors::Visitors;
