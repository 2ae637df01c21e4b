//! The owner's API: what owners configure and manage, what it reports to them, and the validation of it.
//!
//! Serde types and validation, without a platform. The edge serves these types; a console may use them; the bubble never
//! does, so that no visitor downloads them (`xtask/tests/tidy/dependencies.rs`). What owners and visitors share stands in
//! `bulle-protocol`.
//!
//! Times are Unix milliseconds (`u64`), ids are [ULIDs](https://github.com/ulid/spec), locales are BCP 47 tags.

pub mod admin;
pub mod completion;
pub mod notice;
pub mod settings;
pub mod usage;
