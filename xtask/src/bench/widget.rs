//! `cargo xtask bench widget`: the cost of the bubble for a page in a browser on a slow processor, compared with the
//! page without a bubble and with Deep Chat (e2e/bench/widget.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("widget.mjs")
}
