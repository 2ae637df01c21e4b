//! What owners may configure.

pub use bulle_api::settings::*;
