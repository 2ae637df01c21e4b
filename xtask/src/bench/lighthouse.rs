//! `cargo xtask bench lighthouse`: what Lighthouse, which is installed for it, says of a page with the bubble's tag and
//! without it (e2e/bench/lighthouse/run.mjs).

use anyhow::Result;

/// Prints the table.
pub fn run() -> Result<()> {
    super::measure("lighthouse/run.mjs")
}
