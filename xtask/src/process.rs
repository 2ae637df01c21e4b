//! Runs other programs, and names the command when one fails.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// The Cargo that runs this tool, so that a toolchain override holds for its children as well.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root());
    command
}

/// A program of `node_modules/.bin`, or a Node that is new enough.
pub fn npm_tool(name: &str) -> Command {
    let program = match name {
        // The folder exists only when the system's Node is too old.
        "node" => paths::npm_bin().join(format!("node{}", std::env::consts::EXE_SUFFIX)),
        _ if cfg!(windows) => paths::npm_bin().join(format!("{name}.cmd")),
        _ => paths::npm_bin().join(name),
    };
    let mut command = if name == "node" && !program.is_file() {
        Command::new(name)
    } else {
        Command::new(program)
    };
    command
        .current_dir(paths::root())
        .env("PATH", path_with_npm());
    command
}

/// The PATH with the npm tools first: wrangler needs a newer Node than many machines have.
pub fn path_with_npm() -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(paths::npm_bin()).chain(std::env::split_paths(&rest));
    std::env::join_paths(all).unwrap_or(rest)
}

/// Runs to the end with inherited output; anything but success is an error that shows the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", display(command));
    }
    Ok(())
}

/// Runs silently; the output is shown only when the command fails.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    output(command).map(|_| ())
}

/// Runs silently, and returns the output. When the command fails, the error has all of its output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({})\n{}{}",
            display(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command's output; `None` when it cannot be started or fails.
pub fn probe(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as it could be typed, with short paths inside the repository.
pub fn display(command: &Command) -> String {
    let root = paths::root();
    let short = |part: &OsStr| {
        let path = Path::new(part);
        let inside = path.strip_prefix(&root).unwrap_or(path);
        inside.to_string_lossy().into_owned()
    };
    // Cargo is called by its whole path, which is not how one types it.
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default();
    let program = if program.starts_with(&root) {
        short(program.as_os_str())
    } else {
        name.to_string_lossy().into_owned()
    };
    std::iter::once(program)
        .chain(command.get_args().map(short))
        .collect::<Vec<_>>()
        .join(" ")
}
