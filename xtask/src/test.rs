//! Everything that must pass before a change is merged, the quickest first.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{
    browser, build, paths, process, python, setup, size,
    wordpress::{self, WordPress},
};

const WASM: &str = "wasm32-unknown-unknown";

/// The crates that only compile for the browser or for workerd.
const WASM_CRATES: [&str; 2] = ["bulle-widget-web", "bulle-edge-worker"];

/// All steps.
pub fn all() -> Result<()> {
    setup::tools()?;
    setup::components()?;
    let programs = Programs::find_or_install()?;
    native_steps()?;
    step("build", "cargo xtask build", build::all)?;
    step("size", "cargo xtask size", || {
        if !size::report()? {
            bail!("a budget is exceeded");
        }
        Ok(())
    })?;
    e2e_step(&programs, None)
}

/// The steps that need neither a build nor a browser.
pub fn native() -> Result<()> {
    setup::tools()?;
    setup::components()?;
    native_steps()
}

/// The browser tests, on a fresh build.
pub fn e2e(pattern: Option<&str>) -> Result<()> {
    setup::tools()?;
    let programs = Programs::find_or_install()?;
    step("build", "cargo xtask build", build::all)?;
    e2e_step(&programs, pattern)
}

/// What the end-to-end tests need that npm does not bring.
struct Programs {
    chrome: PathBuf,
    schemathesis: PathBuf,
    openai_python: PathBuf,
    wordpress: WordPress,
}

impl Programs {
    fn find_or_install() -> Result<Self> {
        Ok(Self {
            chrome: browser::find_or_install()?,
            schemathesis: python::SCHEMATHESIS.find_or_install()?,
            openai_python: python::OPENAI.find_or_install()?,
            wordpress: wordpress::find_or_install()?,
        })
    }
}

fn native_steps() -> Result<()> {
    command_step("format", process::cargo().args(["fmt", "--all", "--check"]))?;

    let mut native = process::cargo();
    native.args(["clippy", "--workspace", "--all-targets"]);
    let mut wasm = process::cargo();
    wasm.args(["clippy", "--target", WASM]);
    for name in WASM_CRATES {
        native.args(["--exclude", name]);
        wasm.args(["--package", name]);
    }
    command_step("lint", native.args(["--", "-D", "warnings"]))?;
    command_step("lint for wasm", wasm.args(["--", "-D", "warnings"]))?;

    command_step("native tests", process::cargo().arg("test"))?;

    for folder in ["snippet", "widget/page"] {
        let mut tsc = process::npm_tool("tsc");
        command_step("TypeScript", tsc.args(["--noEmit", "-p", folder]))?;
    }
    Ok(())
}

fn e2e_step(programs: &Programs, pattern: Option<&str>) -> Result<()> {
    let folder = paths::root().join("e2e");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("could not read {}", folder.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("there is no e2e/*.test.mjs to run");
    }

    let mut node = process::npm_tool("node");
    node.args(["--test", "--test-concurrency=1"])
        .env("CHROME_PATH", &programs.chrome)
        .env("SCHEMATHESIS_PATH", &programs.schemathesis)
        .env("OPENAI_PYTHON", &programs.openai_python)
        // So that a test can start servers without Cargo, which holds a lock while it builds.
        .env("BULLE_XTASK", std::env::current_exe()?);
    match &programs.wordpress {
        WordPress::Ready(folder) => node.env("WORDPRESS_PATH", folder),
        WordPress::Missing(why) => node.env("WORDPRESS_MISSING", why),
    };
    if let Some(pattern) = pattern {
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains(pattern))
        };
        if files.iter().any(named) {
            files.retain(named);
        } else {
            // Node calls it a success when no test has the name.
            files.retain(|path| {
                fs::read_to_string(path).is_ok_and(|source| source.contains(pattern))
            });
            if files.is_empty() {
                bail!("no end-to-end test and none of their files is named `{pattern}`");
            }
            node.arg(format!("--test-name-pattern={pattern}"));
        }
    }
    let rerun = format!("cargo xtask test e2e {}", pattern.unwrap_or_default());
    step("end-to-end tests", rerun.trim(), || {
        process::run(node.args(files))
    })
}

fn command_step(name: &str, command: &mut Command) -> Result<()> {
    let rerun = process::display(command);
    step(name, &rerun, || process::run(command))
}

/// A heading, the time it took, and how to run only this again when it fails.
fn step(name: &str, rerun: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n━━ {name}");
    let start = Instant::now();
    let result = run();
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(()) => println!("━━ {name}: ok, {seconds:.1} s"),
        Err(_) => {
            println!("━━ {name}: FAILED after {seconds:.1} s. To run only this again:\n   {rerun}");
        }
    }
    result
}
