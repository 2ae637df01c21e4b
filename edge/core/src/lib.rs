//! Every decision of the edge, and no platform: the same code runs in workerd and in plain `cargo test`.
//!
//! [`model`] is the plain data that all share, [`ports`] what the platform must provide. A visitor's message passes through
//! the stages, [`guard`] first, and [`turn`] is the one place that calls them all. [`admin`] is the owner's side. Which
//! module may import which is held by `xtask/tests/tidy/modules.rs`.

pub mod digest;
pub mod isolate_memory;
pub mod json;
pub mod model;
pub mod outbound;
pub mod own_addresses;
pub mod ports;
pub mod settings;
pub mod strings;
pub mod thinking;
pub mod timer;

pub mod meter;

pub mod attachments;
pub mod first_screen;
pub mod guard;
pub mod hosted;
pub mod hours;
pub mod knowledge;
pub mod loader;
pub mod retrieval;
pub mod search;
pub mod sources;

pub mod prompt;
pub mod provider;

pub mod budget;
pub mod cache;

pub mod quality;
pub mod reply;

pub mod completion;
pub mod record;
pub mod turn;

pub mod notice;

pub mod people;

pub mod admin;

#[cfg(test)]
mod testing;
