//! The documents of a folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Endings of the files that are taken from a folder. A file that is named by itself may have any ending.
const DOCUMENTS: [&str; 16] = [
    "md", "markdown", "mdx", "txt", "text", "html", "htm", "xhtml", "pdf", "docx", "csv", "tsv",
    "json", "jsonl", "ndjson", "zip",
];

/// Configuration files with the ending of a document.
const SETTINGS: [&str; 12] = [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "tsconfig.json",
    "jsconfig.json",
    "composer.json",
    "deno.json",
    "manifest.json",
    "angular.json",
    "vercel.json",
    "requirements.txt",
    "cmakelists.txt",
];

/// Folders that tools generate.
const MADE: [&str; 8] = [
    "node_modules",
    "bower_components",
    "vendor",
    "target",
    "venv",
    "__pycache__",
    "__macosx",
    "site-packages",
];

/// The files at a path.
#[derive(Default)]
pub struct Found {
    /// Documents, each with the name of its source.
    pub files: Vec<(PathBuf, String)>,
    /// Names of the files and folders that are not imported.
    pub passed_over: Vec<String>,
}

/// The single file at a path, of any kind, or the documents of a folder: without programs, configuration, generated folders
/// and hidden files. Symbolic links to folders are not followed, since they may form a circle.
pub fn files(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    if path.is_file() {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        found.files.push((path.to_owned(), name));
        return Ok(found);
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (kind, entry) = (entry.file_type()?, entry.path());
            let last = entry.file_name().unwrap_or_default().to_string_lossy();
            if last.starts_with('.') {
                continue;
            }
            let name = entry.strip_prefix(path).unwrap_or(&entry);
            let name = name.to_string_lossy().replace('\\', "/");
            let made = MADE.contains(&&*last.to_ascii_lowercase());
            if kind.is_dir() && !made {
                folders.push(entry);
            } else if entry.is_file() && is_document(&entry) {
                found.files.push((entry, name));
            } else {
                found.passed_over.push(name);
            }
        }
    }
    found.files.sort();
    found.passed_over.sort();
    Ok(found)
}

/// Whether a file of a folder is a document.
fn is_document(file: &Path) -> bool {
    let lower = |part: Option<&OsStr>| {
        part.unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase()
    };
    let (name, ending) = (lower(file.file_name()), lower(file.extension()));
    DOCUMENTS.contains(&&*ending) && !SETTINGS.contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with these files.
    fn folder(name: &str, files: &[&str]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bulle-{name}-{}", std::process::id()));
        for file in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_its_documents_by_their_paths() {
        let documents = [
            "a.md",
            "B.PDF",
            "c/prices.csv",
            "c/d/faq.json",
            "notes.txt",
            "page.HTM",
        ];
        let others = [
            "script.py",
            "c/run.sh",
            "main.rs",
            "app.js",
            "style.css",
            "logo.png",
            "Makefile",
            "data.sqlite",
            "package.json",
            "c/package-lock.json",
            "requirements.txt",
            "node_modules/x/README.md",
            "c/__pycache__/a.txt",
            ".git/notes.md",
            ".hidden.md",
        ];
        let folder = folder("folder", &[&documents[..], &others].concat());
        #[cfg(unix)]
        std::os::unix::fs::symlink(&folder, folder.join("c/circle")).unwrap();
        let found = files(&folder).unwrap();
        let one = files(&folder.join("script.py")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let mut expected = documents.to_vec();
        expected.sort_unstable();
        assert_eq!(
            found
                .files
                .iter()
                .map(|(_, name)| name.as_str())
                .collect::<Vec<_>>(),
            expected
        );
        assert!(found.passed_over.contains(&"script.py".to_owned()));
        assert!(found.passed_over.contains(&"node_modules".to_owned()));
        assert_eq!(one.files.len(), 1, "what is named by itself is tried");
    }
}
