//! The settings of owners.

pub use bulle_api::settings::*;
