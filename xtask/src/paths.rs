//! Where things are. Every path is absolute, so that the commands work from any folder.

use std::path::{Path, PathBuf};

/// The repository. Cargo says where the manifest is when it runs this tool; a binary that is run
/// directly remembers where it was built.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.ends_with("xtask"))
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Cargo's output folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// What this tool keeps between runs: intermediate files and stamps. Safe to delete.
pub fn cache() -> PathBuf {
    target().join("xtask")
}

/// A tool that `setup` built with Cargo.
pub fn cargo_tool(name: &str) -> PathBuf {
    root()
        .join(".tools/bin")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The folder of the tools that npm installed.
pub fn npm_bin() -> PathBuf {
    root().join("node_modules/.bin")
}

/// The crate of the Cloudflare Worker.
pub fn worker() -> PathBuf {
    root().join("edge/worker")
}

/// The folder that the Worker's assets binding serves.
pub fn assets() -> PathBuf {
    root().join("dist/assets")
}

/// Which of the widget's modules are there until it can be used, and which come later: written by the build, read by
/// `size`.
pub fn page_parts() -> PathBuf {
    root().join("dist/page.json")
}
