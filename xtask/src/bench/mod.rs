//! Measurements, by name.

mod limits;

use std::process::ExitCode;

use anyhow::Result;

struct Bench {
    name: &'static str,
    description: &'static str,
    run: fn() -> Result<()>,
}

/// Every measurement. One is added by a line here.
const BENCHES: &[Bench] = &[Bench {
    name: "limits",
    description: "what the limiters admit against what they should, and what the guard costs",
    run: limits::run,
}];

/// Runs a measurement, or lists them all.
pub fn run(name: Option<&str>) -> Result<ExitCode> {
    if let Some(name) = name {
        if let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) {
            (bench.run)()?;
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("error: there is no bench `{name}`");
    }
    list();
    Ok(ExitCode::from(if name.is_some() {
        crate::USAGE
    } else {
        0
    }))
}

fn list() {
    for bench in BENCHES {
        println!("{:12} {}", bench.name, bench.description);
    }
}
