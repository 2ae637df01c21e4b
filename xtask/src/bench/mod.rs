//! Measurements, by name.

mod limits;
mod retrieval;
mod sqlite;

use std::process::ExitCode;

use anyhow::Result;
use lexopt::Parser;

use crate::OptionalWord;

struct Bench {
    name: &'static str,
    description: &'static str,
    /// Reads what follows the name.
    run: fn(&mut Parser) -> Result<()>,
}

/// Every measurement. One is added by a line here.
const BENCHES: &[Bench] = &[
    Bench {
        name: "limits",
        description: "what the limiters admit against what they should, and what the guard costs",
        run: |parser| crate::no_more(parser).and_then(|()| limits::run()),
    },
    Bench {
        name: "retrieval",
        description: "how often the right paragraph is found, by language; `--set FILE` takes SQuAD's JSON",
        run: retrieval::run,
    },
];

/// Runs a measurement, or lists them all.
pub fn run(parser: &mut Parser) -> Result<ExitCode> {
    let name = parser.optional_word()?;
    if let Some(name) = &name {
        if let Some(bench) = BENCHES.iter().find(|bench| bench.name == name.as_str()) {
            (bench.run)(parser)?;
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
