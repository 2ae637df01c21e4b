//! Documents of bots, and their chunks, which are indexed and quoted.

pub mod chunk;
pub mod gaps;
pub mod heading;

pub use chunk::Chunk;
