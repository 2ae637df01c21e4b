//! The repositories on SQLite with the migrations of the Worker. Every test has a second tenant with the same ids,
//! whose rows must not change, and a third one without these rows, which must see none of them.

mod audit;
mod directory;
mod example;
mod fixture;
mod gaps;
mod golden;
mod isolation;
mod library;
mod members;
mod owner_conversations;
mod owners;
mod people;
mod search;
mod transcripts;
mod usage;
mod vectors;
mod visitors;
mod webhooks;
mod world;
