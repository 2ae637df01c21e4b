//! `cargo xtask bench edge`: what Bulle adds to a model's answer, in time, CPU and memory, beside a Worker written by hand
//! in JavaScript (e2e/bench/edge.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("edge.mjs")
}
