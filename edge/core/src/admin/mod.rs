//! The owner's API: who may manage which resources, and which values are valid. Routes and statements are in
//! `edge/worker`.

pub mod access;
pub mod answer;
pub mod conversations;
pub mod csv;
pub mod key;
pub mod merge;
pub mod precondition;
pub mod rules;
pub mod snippet;
pub mod usage;

#[cfg(test)]
mod tests;

pub use access::{Member, Principal, Signed, nothing_here};
