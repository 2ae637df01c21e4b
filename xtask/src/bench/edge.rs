//! `cargo xtask bench edge`: the time, CPU and memory that Bulle adds to a model's answer, compared with minimal Workers
//! in JavaScript and in Rust (e2e/bench/edge.mjs).

use anyhow::Result;
use lexopt::{Arg, Parser};

use crate::worker_build;

/// Prints the tables; `--only` and `--rounds` are for the script.
pub fn run(parser: &mut Parser) -> Result<()> {
    let mut arguments = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long(name @ ("only" | "rounds")) => {
                arguments.push(format!("--{name}").into());
                arguments.push(parser.value()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    super::measure_after("edge.mjs", &arguments, worker_build::bench)
}
