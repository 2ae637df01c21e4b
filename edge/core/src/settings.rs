//! What owners may configure.

pub use bulle_protocol::settings::*;
