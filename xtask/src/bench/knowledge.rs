//! `cargo xtask bench knowledge`: how fast documents are indexed and found again in real workerd, and in how much memory
//! (e2e/bench/knowledge.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("knowledge.mjs")
}
