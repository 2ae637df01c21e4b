//! Finds the browser that the end-to-end tests drive, or installs one the way the machine allows.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{process, setup};

/// Names on the PATH, the plain Chromium first: it starts fastest.
const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
];

const APPLICATIONS: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
];

/// The path of a browser of the Chromium family.
pub fn find_or_install() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROME_PATH") {
        let chosen = PathBuf::from(chosen);
        if chosen.is_file() {
            return Ok(chosen);
        }
        bail!("CHROME_PATH says {}, which is not a file", chosen.display());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if cfg!(target_os = "linux")
        && setup::apt_install(&["chromium"]).is_ok()
        && let Some(found) = find()
    {
        return Ok(found);
    }
    println!("• playwright-core install chromium");
    let installed =
        process::run(process::npm_tool("playwright-core").args(["install", "chromium"]));
    if let (Ok(()), Some(found)) = (installed, find()) {
        return Ok(found);
    }
    bail!(
        "no browser was found and none could be installed. Install Chromium or Chrome \
         (`sudo apt-get install chromium`, `brew install --cask chromium`), \
         or set CHROME_PATH to the program of one"
    )
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let on_path = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let applications = APPLICATIONS.iter().map(PathBuf::from);
    on_path
        .chain(applications)
        .chain(playwright())
        .find(|program| program.is_file() && starts(program))
}

/// Where playwright keeps the browser that it would download.
fn playwright() -> Option<PathBuf> {
    let script = "console.log(require('playwright-core').chromium.executablePath())";
    process::probe(process::npm_tool("node").args(["-e", script])).map(PathBuf::from)
}

/// Ubuntu's `chromium` is a stub that needs snap: a file that does not start is not a browser.
/// Asking on macOS and Windows would open a window.
fn starts(program: &Path) -> bool {
    !cfg!(target_os = "linux") || process::probe(Command::new(program).arg("--version")).is_some()
}
