//! What bots know: documents, and the chunks that are indexed and quoted.

pub mod chunk;
pub mod gaps;

pub use chunk::Chunk;
