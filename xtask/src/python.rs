//! Finds Python programs and packages that the tests need, or installs them among the tools, each into an environment
//! of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{paths, process, setup};

/// A package in the version that was tested.
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    /// The program of its environment that is run.
    pub program: &'static str,
    /// The arguments of a run that shows whether it works.
    pub probe: &'static [&'static str],
}

/// Schemathesis, which checks the published OpenAPI document against the running edge. Later versions may have other
/// checks.
pub const SCHEMATHESIS: Package = Package {
    name: "schemathesis",
    version: "4.32.5",
    program: "schemathesis",
    probe: &["--version"],
};

/// OpenAI's official client, which must work with the edge as with OpenAI; run by the Python of its environment.
pub const OPENAI: Package = Package {
    name: "openai",
    version: "3.52.0",
    program: "python",
    probe: &["-c", "import openai"],
};

impl Package {
    /// The path of the program.
    pub fn find_or_install(&self) -> Result<PathBuf> {
        let Self { name, version, .. } = self;
        let folder = paths::root().join(format!(".tools/{name}-{version}"));
        let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
        let program = |name: &str| {
            folder
                .join(scripts)
                .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
        };
        let found = program(self.program);
        let works = || process::probe(Command::new(&found).args(self.probe)).is_some();
        if works() {
            return Ok(found);
        }
        println!("• {name} {version} into .tools");
        // An interrupted installation may have left an incomplete environment, which would count as complete.
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
        let wanted = format!("{name}=={version}");
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
            return Ok(found);
        }
        bail!(
            "{name} could not be installed. It needs Python 3.10 or newer with venv and pip: \
             `sudo apt-get install python3-venv`, `brew install python`, or https://www.python.org/downloads/"
        )
    }
}
