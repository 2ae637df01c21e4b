//! Finds Schemathesis, which checks the published contract against the running edge, or installs it among the tools.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{paths, process, setup};

/// Later versions may check more, and differently.
const VERSION: &str = "4.32.5";

/// The path of the program.
pub fn find_or_install() -> Result<PathBuf> {
    let folder = paths::root().join(format!(".tools/schemathesis-{VERSION}"));
    let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
    let program = |name: &str| {
        folder
            .join(scripts)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    };
    let works = || process::probe(Command::new(program("schemathesis")).arg("--version")).is_some();
    if works() {
        return Ok(program("schemathesis"));
    }
    println!("• schemathesis {VERSION} into .tools");
    // What an interrupted installation left behind would be taken for a whole one.
    let _ = fs::remove_dir_all(&folder);
    let environment = || {
        ["python3", "python"].iter().any(|python| {
            process::run_quietly(Command::new(python).args(["-m", "venv"]).arg(&folder)).is_ok()
        })
    };
    let created = environment()
        || (cfg!(target_os = "linux")
            && setup::apt_install(&["python3-venv"]).is_ok()
            && environment());
    let wanted = format!("schemathesis=={VERSION}");
    let mut install = Command::new(program("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        &wanted,
    ]);
    if created && process::run(&mut install).is_ok() && works() {
        return Ok(program("schemathesis"));
    }
    bail!(
        "Schemathesis could not be installed. It needs Python 3.10 or newer with venv and pip: \
         `sudo apt-get install python3-venv`, `brew install python`, or https://www.python.org/downloads/"
    )
}
