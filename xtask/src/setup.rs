//! Installs missing tools, and prints nothing when they are there, so that every command can call it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths::Profile;
use crate::{compress, paths, process};

/// The target of everything that runs in a browser or in workerd.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The version of Node that wrangler needs.
const NODE_AT_LEAST: (u32, u32) = (22, 12);

/// The Node that is installed for wrangler where the system's is older.
const NODE: &str = "22.23.3";

/// Everything that a build for publication and the tests need.
pub fn tools() -> Result<()> {
    rust_target()?;
    npm_is_there()?;
    npm_packages(Profile::Release)
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

/// The standard library for modules.
pub fn rust_target() -> Result<()> {
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

/// The variable that has the widget built with the compiler's own standard library.
pub const PLAIN: &str = "BULLE_PLAIN_STD";

/// The variable with which a stable compiler takes unstable options.
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

/// Fails at once when npm is missing.
pub fn npm_is_there() -> Result<()> {
    for program in ["node", NPM] {
        if process::probe(Command::new(program).arg("--version")).is_none() {
            bail!("`{program}` was not found. {}", how_to_get_node());
        }
    }
    Ok(())
}

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs the packages of a profile, unless they are there: for `dev`, those that serve; otherwise also those of the
/// optimizer and the tests.
pub fn npm_packages(profile: Profile) -> Result<()> {
    let root = paths::root();
    let lock = fs::read(root.join("package-lock.json"))
        .context("package-lock.json is missing; `npm install` writes it")?;
    let lock = compress::hash(&lock);
    // Inside node_modules, so that deleting the folder deletes the stamp.
    let stamp = root.join("node_modules/.bulle-lock-hash");
    let installed = fs::read_to_string(&stamp).unwrap_or_default();
    let all = format!("{lock} all");
    let some = format!("{lock} dev");
    let (wanted, arguments): (_, &[_]) = match profile {
        _ if installed == all => return Ok(()),
        Profile::Dev if installed == some => return Ok(()),
        Profile::Dev => (some, &["ci", "--omit=dev"]),
        // `npm ci` would remove a wrangler that is running this command.
        Profile::Release if installed == some => (all, &["install", "--no-save"]),
        Profile::Release => (all, &["ci"]),
    };
    let size = match profile {
        Profile::Dev => 230,
        Profile::Release => 450,
    };
    let command = arguments.join(" ");
    println!("• npm {command} (about {size} MB in node_modules, once)");
    let mut npm = Command::new(NPM);
    // Errors only: npm may warn about its own Node, which is not that of the tools.
    npm.current_dir(&root)
        .args(arguments)
        .args(["--no-audit", "--no-fund", "--loglevel=error"]);
    // Quietly, because Cargo may be compiling beside it.
    process::run_quietly(&mut npm).context("the npm packages could not be installed")?;
    newer_node()?;
    fs::write(&stamp, wanted).with_context(|| format!("could not write {}", stamp.display()))
}

/// Installs a Node that wrangler can use among the npm tools where the system's is too old. The npm packages `node-…`
/// contain the programs of nodejs.org.
fn newer_node() -> Result<()> {
    if node_version("node".as_ref()) >= NODE_AT_LEAST {
        return Ok(());
    }
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("node-{system}-{processor}");
    let folder = paths::root().join(".tools/node");
    let inside = format!(
        "node_modules/{package}/bin/node{}",
        std::env::consts::EXE_SUFFIX
    );
    let program = folder.join(&inside);
    if node_version(&program) < NODE_AT_LEAST {
        println!("• Node {NODE} into .tools (about 120 MB, once)");
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        let mut npm = Command::new(NPM);
        npm.args(["install", "--no-save", "--no-package-lock", "--no-audit"])
            .args(["--no-fund", "--loglevel=error", "--prefix"])
            .arg(&folder)
            .arg(format!("{package}@{NODE}"));
        let (major, minor) = NODE_AT_LEAST;
        process::run_quietly(&mut npm).with_context(|| {
            format!(
                "wrangler needs Node {major}.{minor} or newer, the system has none, and none could be installed by npm. {}",
                how_to_get_node()
            )
        })?;
        // The headers, for addons in C++, are a third of the package.
        let _ = fs::remove_dir_all(folder.join("node_modules").join(&package).join("include"));
    }
    let link = paths::npm_bin().join(format!("node{}", std::env::consts::EXE_SUFFIX));
    let _ = fs::remove_file(&link);
    // A relative link, because the repository may be moved.
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(Path::new("../../.tools/node").join(&inside), &link);
    #[cfg(not(unix))]
    let linked = fs::copy(&program, &link).map(|_| ());
    linked.with_context(|| format!("could not make {}", link.display()))
}

/// Major and minor version of a Node; zeros when it does not run.
fn node_version(program: &Path) -> (u32, u32) {
    let version = process::probe(Command::new(program).arg("--version")).unwrap_or_default();
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .filter_map(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
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

/// Whether this process may install packages of the system.
pub fn is_root() -> bool {
    process::probe(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs packages of the system where that needs no question: as root, with apt.
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
