//! The end-to-end files, and those of them that only `--all` and `--ci` run.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::e2e;

/// A part of the tests that is not among the checks of every change.
pub struct Part {
    pub name: &'static str,
    pub about: &'static str,
    /// The end-to-end files; empty for the fuzz targets.
    pub files: &'static [&'static str],
    /// Whether the checks of every change run these files, too, with some of their cases.
    pub is_sampled: bool,
    /// Whether `--ci` runs the part after every change; the other parts take turns to be the first, each for a day.
    pub is_constant: bool,
    /// Its duration on two quiet cores.
    pub minutes: u64,
}

pub const PARTS: [Part; 8] = [
    Part {
        name: "faults",
        about: "every fault of a model with every vendor",
        files: &["faults"],
        is_sampled: true,
        is_constant: true,
        minutes: 5,
    },
    Part {
        name: "engines",
        about: "a visitor's whole way in Chromium, Firefox and WebKitGTK",
        files: &["engines", "engines-pages"],
        is_sampled: false,
        is_constant: false,
        minutes: 6,
    },
    Part {
        name: "wordpress",
        about: "the plugin in a real WordPress",
        files: &["wordpress"],
        is_sampled: false,
        is_constant: false,
        minutes: 4,
    },
    Part {
        name: "gallery",
        about: "every state of the bubble in every look",
        files: &["gallery"],
        is_sampled: true,
        is_constant: false,
        minutes: 4,
    },
    Part {
        name: "contract",
        about: "openapi.json by Schemathesis",
        files: &["openapi"],
        is_sampled: false,
        is_constant: false,
        minutes: 6,
    },
    Part {
        name: "languages",
        about: "the examples of docs/identity.md, OpenAI's client for Python",
        files: &["languages"],
        is_sampled: false,
        is_constant: false,
        minutes: 4,
    },
    Part {
        name: "fuzz",
        about: "random bytes to what reads strangers' files, a minute for each reader",
        files: &[],
        is_sampled: false,
        is_constant: false,
        minutes: 9,
    },
    Part {
        name: "frameworks",
        about: "the snippets for React, Vue and Svelte",
        files: &["frameworks"],
        is_sampled: false,
        is_constant: false,
        minutes: 2,
    },
];

/// The parts, a line each, for the help.
pub fn parts() -> String {
    PARTS
        .iter()
        .map(|part| format!("      {:<18}{}\n", part.name, part.about))
        .collect()
}

/// `e2e/faults.test.mjs` is `faults`.
pub fn name_of(file: &Path) -> &str {
    let name = file.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default().trim_end_matches(".test.mjs")
}

/// The end-to-end files of every change.
pub fn files_of_a_change() -> Result<Vec<PathBuf>> {
    let later = |file: &PathBuf| {
        PARTS
            .iter()
            .any(|part| !part.is_sampled && part.files.contains(&name_of(file)))
    };
    let mut files = e2e::files()?;
    files.retain(|file| !later(file));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_names_files_that_there_are() {
        let files = e2e::files().unwrap();
        for part in &PARTS {
            for name in part.files {
                assert!(files.iter().any(|file| name_of(file) == *name), "{name}");
            }
        }
    }
}
