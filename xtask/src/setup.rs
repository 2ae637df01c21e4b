//! Installs what is missing and is silent about what is there, so that every command can call it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{compress, paths, process};

/// The target of everything that runs in a browser or in workerd.
pub const WASM: &str = "wasm32-unknown-unknown";

/// What wrangler asks for.
const NODE_AT_LEAST: (u32, u32) = (22, 12);

/// Everything that a build needs.
pub fn tools() -> Result<()> {
    rust_target()?;
    npm_packages()?;
    let lock = fs::read_to_string(paths::root().join("Cargo.lock")).context(
        "Cargo.lock is missing; `cargo generate-lockfile` writes it, and it belongs in the repository",
    )?;
    // The command-line tool and the library check that they are the very same version.
    cargo_tool(
        "wasm-bindgen",
        "wasm-bindgen-cli",
        version_of(&lock, "wasm-bindgen"),
    )?;
    cargo_tool("worker-build", "worker-build", version_of(&lock, "worker"))
}

/// The formatter and the linter, which only the tests need.
pub fn components() -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if process::probe(process::cargo().args([subcommand, "--version"])).is_none() {
            rustup(&["component", "add", component])?;
        }
    }
    Ok(())
}

fn rust_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let folder = process::probe(Command::new(rustc).current_dir(paths::root()).args([
        "--print",
        "target-libdir",
        "--target",
        WASM,
    ]));
    if folder.is_some_and(|folder| Path::new(&folder).exists()) {
        return Ok(());
    }
    rustup(&["target", "add", WASM])
}

/// Set to build the widget with the standard library that comes with the compiler.
pub const PLAIN: &str = "BULLE_PLAIN_STD";

/// Lets a stable compiler take unstable options.
pub const BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// A panic becomes an instruction that ends the program.
pub const ABORT: &str = "-Cpanic=immediate-abort";

/// Whether the widget can be built with a standard library of its own; its sources are installed where rustup can.
pub fn standard_library() -> Result<bool> {
    if std::env::var_os(PLAIN).is_some() {
        return Ok(false);
    }
    let rustc = |arguments: &[&str]| {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut rustc = Command::new(rustc);
        rustc.current_dir(paths::root()).env(BOOTSTRAP, "1");
        process::probe(rustc.args(arguments))
    };
    let knows = ["-Zunstable-options", ABORT, "--print", "sysroot"];
    let Some(sysroot) = rustc(&knows) else {
        println!(
            "! this compiler is older than Rust 1.92: the bubble will be 8 KB (brotli) larger. `rustup update` helps"
        );
        return Ok(false);
    };
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    if sources.exists() {
        return Ok(true);
    }
    if let Err(error) = rustup(&["component", "add", "rust-src"]) {
        println!(
            "! the sources of the standard library are missing, so the bubble will be 8 KB (brotli) larger: {error:#}"
        );
    }
    Ok(sources.exists())
}

fn rustup(arguments: &[&str]) -> Result<()> {
    println!("• rustup {}", arguments.join(" "));
    if process::probe(Command::new("rustup").arg("--version")).is_none() {
        bail!(
            "`rustup` was not found. Install Rust from https://rustup.rs, then run `rustup {}`; \
             with a Rust from elsewhere, install what corresponds to that command",
            arguments.join(" ")
        );
    }
    process::run(
        Command::new("rustup")
            .current_dir(paths::root())
            .args(arguments),
    )
}

fn npm_packages() -> Result<()> {
    let root = paths::root();
    let lock = fs::read(root.join("package-lock.json"))
        .context("package-lock.json is missing; `npm install` writes it")?;
    let expected = compress::hash(&lock);
    // Inside node_modules, so that deleting the folder deletes the stamp.
    let stamp = root.join("node_modules/.bulle-lock-hash");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == expected) {
        return Ok(());
    }

    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    for program in ["node", npm] {
        if process::probe(Command::new(program).arg("--version")).is_none() {
            bail!("`{program}` was not found. {}", how_to_get_node());
        }
    }
    println!("• npm ci (about 600 MB in node_modules, once)");
    // Errors only: the npm that runs may warn about its Node, which the installed one replaces.
    process::run(Command::new(npm).current_dir(&root).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))
    .context("the npm packages could not be installed")?;
    newest_node()?;
    fs::write(&stamp, expected).with_context(|| format!("could not write {}", stamp.display()))
}

/// The npm package `node` is installed by a script, which a setting of npm can forbid.
fn newest_node() -> Result<()> {
    let version = process::probe(
        Command::new("node")
            .arg("--version")
            .env("PATH", process::path_with_npm()),
    )
    .unwrap_or_default();
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .filter_map(|number| number.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= NODE_AT_LEAST {
        return Ok(());
    }
    let (major, minor) = NODE_AT_LEAST;
    bail!(
        "wrangler needs Node {major}.{minor} and `node --version` says `{version}`: the install script of \
         the npm package `node` did not run. `npm config get ignore-scripts` should say false; \
         then run `npm rebuild node esbuild workerd`"
    )
}

fn how_to_get_node() -> &'static str {
    if cfg!(target_os = "macos") {
        "Install Node.js with `brew install node` or from https://nodejs.org"
    } else if cfg!(windows) {
        "Install Node.js with `winget install OpenJS.NodeJS` or from https://nodejs.org"
    } else {
        "Install Node.js with `apt-get install nodejs npm`, your system's equivalent, or from https://nodejs.org"
    }
}

fn cargo_tool(binary: &str, package: &str, version: Option<String>) -> Result<()> {
    let version = version.with_context(|| {
        format!("Cargo.lock does not name the library that {package} must match")
    })?;
    let installed = process::probe(Command::new(paths::cargo_tool(binary)).arg("--version"));
    // "wasm-bindgen 0.2.130", or only "0.8.7".
    if installed.is_some_and(|text| text.split_whitespace().last() == Some(version.as_str())) {
        return Ok(());
    }
    if package == "worker-build" {
        openssl()?;
    }
    println!("• cargo install {package} {version} into .tools (some minutes, once)");
    // A target folder that stays lets an interrupted build resume. Without --locked, because the
    // published lock file of a tool may name a version that is gone.
    process::run(
        process::cargo()
            .args([
                "install",
                "--quiet",
                package,
                "--version",
                &format!("={version}"),
                "--force",
            ])
            .arg("--root")
            .arg(paths::root().join(".tools"))
            .arg("--target-dir")
            .arg(paths::root().join("target/tools")),
    )
    .with_context(|| format!("{package} {version} could not be installed"))
}

/// worker-build links to OpenSSL on Linux, and its build fails late and obscurely without it.
fn openssl() -> Result<()> {
    let found = process::probe(Command::new("pkg-config").args(["--exists", "openssl"])).is_some();
    if !cfg!(target_os = "linux") || found || std::env::var_os("OPENSSL_DIR").is_some() {
        return Ok(());
    }
    apt_install(&["pkg-config", "libssl-dev"]).context(
        "the headers of OpenSSL are missing: `sudo apt-get install pkg-config libssl-dev`, \
         or `openssl-devel` and `pkgconf` elsewhere",
    )
}

/// Whether this may install packages of the system.
pub fn is_root() -> bool {
    process::probe(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs packages of the system where that is possible without asking: as root, with apt.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    if !is_root() || process::probe(Command::new("apt-get").arg("--version")).is_none() {
        bail!("packages of the system can only be installed by root, with apt-get");
    }
    println!("• apt-get install {}", packages.join(" "));
    process::run_quietly(Command::new("apt-get").args(["update", "-qq"]))?;
    process::run_quietly(
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages),
    )
}

/// The version of a package in a Cargo.lock.
pub fn version_of(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    let version = lines.next()?.strip_prefix("version = \"")?;
    version.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"worker-sys\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"worker\"\nversion = \"0.8.7\"\n";
        assert_eq!(version_of(lock, "worker").as_deref(), Some("0.8.7"));
        assert_eq!(version_of(lock, "leptos"), None);
    }
}
