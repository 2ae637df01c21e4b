//! Measurements, by name.

mod answers;
mod edge;
mod knowledge;
mod lighthouse;
mod limits;
mod retrieval;
mod sqlite;
mod widget;

use std::{ffi::OsString, process::ExitCode};

use anyhow::{Context, Result};
use lexopt::Parser;

use crate::{OptionalWord, browser, build, paths, process, setup};

struct Bench {
    name: &'static str,
    description: &'static str,
    /// Reads the arguments after the name.
    run: fn(&mut Parser) -> Result<()>,
}

/// Every measurement. A new one is a line here.
const BENCHES: &[Bench] = &[
    Bench {
        name: "answers",
        description: "what the embedded model answers to the questions of xtask/answers; `--misses` shows those tuned on",
        run: answers::run,
    },
    Bench {
        name: "edge",
        description: "time, CPU and memory of a message, beside Workers written by hand; `--only message,streams`, `--rounds N`",
        run: edge::run,
    },
    Bench {
        name: "knowledge",
        description: "how fast documents, a long PDF and a site are indexed, in how much memory, and found again",
        run: |parser| crate::no_more(parser).and_then(|()| knowledge::run()),
    },
    Bench {
        name: "lighthouse",
        description: "the scores that Lighthouse gives to a page with the bubble's tag, beside the page without it",
        run: |parser| crate::no_more(parser).and_then(|()| lighthouse::run()),
    },
    Bench {
        name: "limits",
        description: "what the limiters admit against what they should, and what the guard costs",
        run: |parser| crate::no_more(parser).and_then(|()| limits::run()),
    },
    Bench {
        name: "retrieval",
        description: "how often the right paragraph is found, by language; `--set FILE` takes SQuAD's JSON, `--overlap` cuts",
        run: retrieval::run,
    },
    Bench {
        name: "widget",
        description: "what a page pays for the bubble on a slow processor, beside the page without it and with Deep Chat",
        run: |parser| crate::no_more(parser).and_then(|()| widget::run()),
    },
];

/// Runs a measurement, or lists all of them.
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

/// Runs a script of e2e/bench against the edge as built now.
fn measure(script: &str) -> Result<()> {
    measure_after(script, &[], || Ok(()))
}

/// The same with arguments for the script, when more has been built.
fn measure_after(
    script: &str,
    arguments: &[OsString],
    build_more: fn() -> Result<()>,
) -> Result<()> {
    setup::tools()?;
    build::all()?;
    build_more()?;
    let mut node = process::npm_tool("node");
    node.arg("--disable-warning=ExperimentalWarning")
        .arg(paths::root().join("e2e/bench").join(script))
        .args(arguments)
        .env("BULLE_XTASK", paths::program()?);
    if ["widget.mjs", "lighthouse/run.mjs"].contains(&script) {
        node.env("CHROME_PATH", browser::find_or_install()?);
    }
    process::run(&mut node).with_context(|| format!("e2e/bench/{script} could not measure"))
}
