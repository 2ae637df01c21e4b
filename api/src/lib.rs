//! The owner's API: what owners configure and manage, their reports and notices, and the validation of it.
//!
//! Serde types and validation, without a platform. The edge serves these types and a console may use them. The bubble
//! never uses them, so that no visitor downloads them (`xtask/tests/tidy/dependencies.rs`). The types that owners and
//! visitors share are in `bulle-protocol`.
//!
//! Times are Unix milliseconds (`u64`), ids are [ULIDs](https://github.com/ulid/spec), locales are BCP 47 tags.

pub mod admin;
pub mod completion;
pub mod notice;
pub mod people;
pub mod settings;
pub mod usage;
