//! `cargo xtask bench knowledge`: how fast documents are indexed and found in real workerd, and the memory that this
//! takes (e2e/bench/knowledge.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("knowledge.mjs")
}
