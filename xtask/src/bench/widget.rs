//! `cargo xtask bench widget`: what a page pays for the bubble in a browser on a slow processor, beside the page without one
//! and with Deep Chat (e2e/bench/widget.mjs).

use anyhow::Result;

/// Prints the tables.
pub fn run() -> Result<()> {
    super::measure("widget.mjs")
}
