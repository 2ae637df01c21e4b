//! Paths of the repository's folders. Every path is absolute, so that the commands work from any folder.

use std::io;
use std::path::{Path, PathBuf};

/// The repository. Cargo sets the path of the manifest when it runs this tool; a binary that is run directly uses the
/// path at which it was built.
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

/// The folder in which this tool keeps intermediate files and stamps between runs. Safe to delete.
pub fn cache() -> PathBuf {
    target().join("xtask")
}

/// The folder of the tools that npm installed.
pub fn npm_bin() -> PathBuf {
    root().join("node_modules/.bin")
}

/// The crate of the Cloudflare Worker.
pub fn worker() -> PathBuf {
    root().join("edge/worker")
}

/// The folder that the Worker's assets binding serves when the Worker is published.
pub fn assets() -> PathBuf {
    Profile::Release.assets()
}

/// The list of the widget's modules that are loaded until it is usable, and of those that are loaded later: written by
/// the build, read by `size`.
pub fn page_parts() -> PathBuf {
    root().join("dist/page.json")
}

/// How the widget and the Worker are built. Each profile has folders of its own, so that `dev` never changes the
/// published or tested files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For `dev`: compiled quickly.
    Dev,
    /// For visitors: as small as can be.
    Release,
}

impl Profile {
    /// The folder of the widget, the loader and the published contract.
    pub fn assets(self) -> PathBuf {
        match self {
            Self::Dev => self.cache().join("assets"),
            Self::Release => root().join("dist/assets"),
        }
    }

    /// The folder of the Worker's bundle and its module.
    pub fn worker(self) -> PathBuf {
        match self {
            Self::Dev => self.cache().join("worker"),
            Self::Release => worker().join("build"),
        }
    }

    /// Intermediate files and stamps.
    pub fn cache(self) -> PathBuf {
        cache().join(match self {
            Self::Dev => "dev",
            Self::Release => "release",
        })
    }
}

/// The path of this program, for tests that start it. Cargo may have built it again since it was started, as `cargo
/// test` does: then Linux reports the file as deleted, and the new one is in its place.
pub fn program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let named = path
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(named.map_or_else(|| path.clone(), PathBuf::from))
}
