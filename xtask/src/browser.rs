//! Finds the browsers that the end-to-end tests drive, or installs them the way the machine allows: Chromium for all of them,
//! Firefox and WebKitGTK for `e2e/engines.test.mjs`.

use std::fs;
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
    if let Some(chosen) = chosen()? {
        return Ok(chosen);
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

/// The browser that the environment names.
fn chosen() -> Result<Option<PathBuf>> {
    let chosen = std::env::var_os("CHROME_PATH").map(PathBuf::from);
    if let Some(path) = chosen.as_ref().filter(|path| !path.is_file()) {
        bail!("CHROME_PATH says {}, which is not a file", path.display());
    }
    Ok(chosen)
}

/// Puts Firefox and WebKitGTK into the environment of the tests, or why one of them is missing: its tests are skipped then.
pub fn other_engines(node: &mut Command) {
    let missing = |name: &str, variable: &str, why: String, node: &mut Command| {
        println!("! {name} is {why}: none of its tests will run");
        node.env(variable, why);
    };
    match found_or_installed(firefox, &["firefox-esr"]) {
        Ok(program) => _ = node.env("FIREFOX_PATH", program),
        Err(why) => missing("Firefox", "FIREFOX_MISSING", why, node),
    }
    // Its windows need a screen, and it has no mode without one.
    match found_or_installed(webkit, &["webkit2gtk-driver", "xvfb"]) {
        Ok((driver, program)) => {
            node.env("WEBKIT_DRIVER_PATH", driver)
                .env("WEBKIT_PATH", program);
        }
        Err(why) => missing("WebKitGTK", "WEBKIT_MISSING", why, node),
    }
}

/// What `find` finds, if need be after these packages of Debian were installed.
fn found_or_installed<T>(find: fn() -> Option<T>, packages: &[&str]) -> Result<T, String> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let wanted = packages.join(" ");
    if let Err(error) = setup::apt_install(packages) {
        return Err(format!(
            "not there, and could not be installed by `apt-get install {wanted}`: {error:#}"
        ));
    }
    find().ok_or_else(|| format!("not there after `apt-get install {wanted}`"))
}

fn firefox() -> Option<PathBuf> {
    first_that_starts(on_path(&["firefox-esr", "firefox"]))
}

/// The driver of WebKitGTK, and the browser that comes with the engine.
fn webkit() -> Option<(PathBuf, PathBuf)> {
    let program = |name| on_path(&[name]).into_iter().find(|at| at.is_file());
    program("Xvfb")?;
    let driver = program("WebKitWebDriver")?;
    // Debian has /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser.
    let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    let browser = inside(PathBuf::from("/usr/lib"))
        .flat_map(|entry| inside(entry.path()))
        .chain(inside(PathBuf::from("/usr/libexec")))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("webkit"))
        .map(|entry| entry.path().join("MiniBrowser"))
        .find(|program| program.is_file())?;
    Some((driver, browser))
}

/// Where programs of these names would be on the PATH, the first name first.
fn on_path(names: &[&str]) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let each = |name: &&str| -> Vec<PathBuf> { folders.iter().map(|at| at.join(name)).collect() };
    names.iter().flat_map(each).collect()
}

fn find() -> Option<PathBuf> {
    let applications = APPLICATIONS.iter().map(PathBuf::from);
    first_that_starts(
        on_path(NAMES)
            .into_iter()
            .chain(applications)
            .chain(playwright()),
    )
}

fn first_that_starts(programs: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    programs
        .into_iter()
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
