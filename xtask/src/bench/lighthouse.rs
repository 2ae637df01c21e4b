//! `cargo xtask bench lighthouse`: Lighthouse's scores of a page with the bubble's tag and without it
//! (e2e/bench/lighthouse/run.mjs). The command installs Lighthouse.

use anyhow::Result;

/// Prints the table.
pub fn run() -> Result<()> {
    super::measure("lighthouse/run.mjs")
}
