//! `cargo xtask bench edge`: the time, CPU and memory that Bulle adds to a model's answer, compared with a minimal
//! Worker in JavaScript without Bulle (e2e/bench/edge.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("edge.mjs")
}
