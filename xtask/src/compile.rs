//! How Cargo compiles the modules for the browser and for workerd, and what their artifacts depend on beside the sources.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{self, Profile};
use crate::setup;

/// How Cargo's profile `dev` is changed for modules. The profile itself is that of xtask and of the tests: with a profile
/// of its own, what runs while compiling (macros and build scripts, a third of the work) would be compiled twice.
/// Unoptimized, the Worker is three times as large and slow to start; the checks are those of the native tests, and a
/// published module has none.
const DEV_PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_DEV_DEBUG", "false"),
    ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false"),
];

/// The features that the compiler enables by default for WebAssembly, as arguments of wasm-opt, because wasm-bindgen removes
/// the section of the file that lists them. They are named one by one: with `--all-features`, wasm-opt may write encodings
/// that browsers or workerd do not know yet.
pub const WASM_FEATURES: &[&str] = &[
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// Sets the profile for Cargo; returns the name of its folder.
pub fn with_profile(cargo: &mut Command, profile: Profile) -> &'static str {
    match profile {
        Profile::Dev => {
            cargo.envs(DEV_PROFILE.iter().copied());
            "debug"
        }
        Profile::Release => {
            cargo.arg("--release");
            "release"
        }
    }
}

/// The part of a cache key that changes with the tools: the locked versions.
pub fn tools_key() -> Result<Vec<u8>> {
    let root = paths::root();
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let bindgen = setup::version_of(&lock, "wasm-bindgen-cli-support");
    let mut key = bindgen
        .context("Cargo.lock does not name wasm-bindgen-cli-support")?
        .into_bytes();
    key.extend(
        fs::read(root.join("package-lock.json")).context("package-lock.json cannot be read")?,
    );
    key.extend(include_bytes!("bindgen.rs"));
    Ok(key)
}
