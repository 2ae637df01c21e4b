//! Which crate may depend on which, directly or through others.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::root;

/// Crates that need a browser, workerd, or a runtime of threads.
const PLATFORM: &[&str] = &[
    "worker",
    "worker-sys",
    "web-sys",
    "reactive_graph",
    "tachys",
    "tokio",
];

/// The readers of files may ask the platform for `TextDecoder` (web-sys), and for nothing else.
const THREADS: &[&str] = &["worker", "worker-sys", "reactive_graph", "tachys", "tokio"];

const EDGE: &[&str] = &[
    "bulle-edge-text",
    "bulle-edge-core",
    "bulle-edge-formats",
    "bulle-edge-worker",
];

/// `bulle-edge-core` and `bulle-edge-formats` share `bulle-edge-text` and do not depend on each other; the Worker joins
/// them.
const NOT_CORE: &[&str] = &["bulle-edge-core", "bulle-edge-worker"];
const NOT_FORMATS: &[&str] = &["bulle-edge-formats", "bulle-edge-worker"];
const PROTOCOL: &[&str] = &["bulle-protocol"];
/// The crate of the owner's API, which visitors must not download.
const OWNER: &[&str] = &["bulle-api"];
const WIDGET: &[&str] = &["bulle-widget-core", "bulle-widget-web"];

/// A package and the packages that it must not depend on.
const RULES: &[(&str, &[&[&str]])] = &[
    ("bulle-protocol", &[PLATFORM, OWNER, EDGE, WIDGET]),
    ("bulle-api", &[PLATFORM, EDGE, WIDGET]),
    (
        "bulle-edge-text",
        &[PLATFORM, NOT_CORE, NOT_FORMATS, PROTOCOL, OWNER, WIDGET],
    ),
    ("bulle-edge-core", &[PLATFORM, NOT_FORMATS, WIDGET]),
    ("bulle-edge-formats", &[THREADS, NOT_CORE, WIDGET]),
    ("bulle-edge-worker", &[WIDGET]),
    ("bulle-widget-core", &[PLATFORM, OWNER, EDGE]),
    ("bulle-widget-web", &[OWNER, EDGE]),
];

#[test]
fn crates_stay_within_their_boundaries() -> Result<()> {
    let mut broken = Vec::new();
    for (package, forbidden) in RULES {
        for name in reached(&tree(package)?, &forbidden.concat()) {
            broken.push(format!(
                "{package} depends on {name}. The core decides, the platform implements its ports, and the \
                 two ends meet in bulle-protocol: move the code, or see who brings it with \
                 `cargo tree --target wasm32-unknown-unknown -e normal -p {package} -i {name}`"
            ));
        }
    }
    if !broken.is_empty() {
        bail!("\n{}", broken.join("\n"));
    }
    Ok(())
}

/// The packages that it links for its platform.
fn tree(package: &str) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            package,
        ])
        .args(["--target", "wasm32-unknown-unknown"])
        .current_dir(root())
        .output()
        .context("cargo tree could not be started")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The given names that a tree contains.
fn reached<'a>(tree: &str, names: &[&'a str]) -> Vec<&'a str> {
    names
        .iter()
        .copied()
        .filter(|name| {
            tree.lines()
                .any(|line| line.split_whitespace().next() == Some(*name))
        })
        .collect()
}

#[test]
fn names_are_compared_whole() {
    let tree =
        "bulle-protocol v0.1.0 (somewhere)\nserde v1.0.0\nweb-sys v0.3.0 (*)\nworkerd v1.0.0\n";
    assert_eq!(reached(tree, PLATFORM), ["web-sys"]);
}
