//! Runs the end-to-end tests: prepares the environment, then runs `e2e/run.mjs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    browser, dev, paths, process, python,
    wordpress::{self, WordPress},
};

/// The origin of the examples' pages in the template of the database; the tests replace its port by their own.
const TEMPLATE_ORIGIN: &str = "http://localhost:1";

/// The result of the tests.
#[derive(Default, Deserialize)]
pub struct Outcome {
    /// The number of tests that passed.
    pub passed: usize,
    /// The names of the tests that failed.
    pub failed: Vec<String>,
    /// The names of the skipped tests, with the reason.
    pub skipped: Vec<String>,
}

/// A dependency of a test file that npm does not provide; the environment of the tests has its path.
fn programs(file: &str, node: &mut Command) -> Result<()> {
    match file {
        "engines.test.mjs" | "engines-pages.test.mjs" => browser::other_engines(node),
        "openapi.test.mjs" => {
            node.env("SCHEMATHESIS_PATH", python::SCHEMATHESIS.find_or_install()?);
        }
        "languages.test.mjs" => {
            node.env("OPENAI_PYTHON", python::OPENAI.find_or_install()?);
        }
        "wordpress.test.mjs" => {
            match wordpress::find_or_install()? {
                WordPress::Ready(folder) => node.env("WORDPRESS_PATH", folder),
                WordPress::Missing(why) => node.env("WORDPRESS_MISSING", why),
            };
        }
        _ => {}
    }
    Ok(())
}

/// The files of tests, by name.
pub fn files() -> Result<Vec<PathBuf>> {
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
    Ok(files)
}

/// The files whose names contain the pattern; if there are none, the files with a test whose name contains it, and the
/// pattern for the test's name.
pub fn matching(pattern: &str) -> Result<(Vec<PathBuf>, Option<&str>)> {
    let named = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().contains(pattern))
    };
    let all = files()?;
    let found: Vec<_> = all.iter().filter(|path| named(path)).cloned().collect();
    if !found.is_empty() {
        return Ok((found, None));
    }
    // Node reports success when no test has the name.
    let found: Vec<_> = all
        .into_iter()
        .filter(|path| fs::read_to_string(path).is_ok_and(|source| source.contains(pattern)))
        .collect();
    if found.is_empty() {
        bail!("no end-to-end test and none of their files is named `{pattern}`");
    }
    Ok((found, Some(pattern)))
}

/// Runs these files; of their tests, those whose names match the pattern. `whole` runs every case, also where the tests
/// of a change run only some of them.
pub fn run(files: &[PathBuf], pattern: Option<&str>, whole: bool) -> Result<Outcome> {
    let template = dev::template(TEMPLATE_ORIGIN)?;
    let result = paths::cache().join("e2e-result.json");
    if result.exists() {
        fs::remove_file(&result)?;
    }
    let mut node = process::npm_tool("node");
    node.args(["--disable-warning=ExperimentalWarning", "e2e/run.mjs"])
        .env("CHROME_PATH", browser::find_or_install()?)
        .env("BULLE_TEMPLATE", &template)
        .env("BULLE_TEMPLATE_ORIGIN", TEMPLATE_ORIGIN)
        .env("BULLE_TIMES", paths::cache().join("e2e-times.json"))
        .env("BULLE_RESULT", &result)
        // So that a test can start servers without Cargo, which locks its folder while it builds.
        .env("BULLE_XTASK", paths::program()?)
        .env("WRANGLER_SEND_METRICS", "false");
    for file in files {
        let name = file.file_name().unwrap_or_default();
        programs(&name.to_string_lossy(), &mut node)?;
    }
    if whole {
        node.env("BULLE_WHOLE", "1");
    }
    if let Some(pattern) = pattern {
        node.args(["--name", pattern]);
    }
    let ended = process::run(node.args(files));
    let Ok(text) = fs::read_to_string(&result) else {
        ended?;
        bail!("the end-to-end tests did not say how they ended");
    };
    serde_json::from_str(&text).context("the end-to-end tests did not say how they ended")
}
