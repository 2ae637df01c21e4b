//! The types of the wire between the bubble in the visitor's page and the edge.
//!
//! Serde types only: no clock, no network, no browser. Both ends share these definitions, so a
//! change of the contract is a compile error on the side that was forgotten. The JSON of every
//! type is pinned by the snapshots in `tests/`.
//!
//! Times are Unix milliseconds (`u64`). Ids are [ULIDs](https://github.com/ulid/spec) in their
//! 26-character form. Locales are BCP 47 tags (`fr`, `pt-BR`).

pub mod block;
pub mod conversation;
pub mod event;
pub mod id;
pub mod loader;
pub mod problem;
pub mod session;
pub mod sse;
pub mod strings;

pub use id::Id;

/// Longest message that a visitor may send, in Unicode scalar values (not bytes).
pub const MAX_MESSAGE_CHARS: usize = 4_000;
