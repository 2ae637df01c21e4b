//! tmp
pub mod language;
