//! Files and pages as the world writes them, and what of each must be read.
//!
//! A case is a folder of `tests/corpus`: `input` with the ending of its format, and `expect.txt`, whose lines are
//!
//! - `+ text`: stands in a line of what is read, below the lines that were asked for before
//! - `- text`: stands in none
//! - `title T`, `lang L`: the title and the language of the document
//! - `url U`, `type T`: the address and the declared type of the input
//! - `link U`, `nolink U`: the page links to it, or not
//! - `error C`: it cannot be read, with this code
//! - `# …`: says what the case is of
//!
//! White space counts as one space. What is read is the Markdown that chunks are cut from.

#![expect(
    clippy::disallowed_methods,
    reason = "the cases are files beside this test"
)]

use std::{fs, path::Path};

use bulle_edge_formats::{Document, File, page, read};

struct Case {
    name: String,
    file: String,
    bytes: Vec<u8>,
    expect: String,
}

impl Case {
    fn of(folder: &Path) -> Option<Self> {
        let name = folder.file_name()?.to_str()?.to_owned();
        let expect = fs::read_to_string(folder.join("expect.txt")).ok()?;
        let input = fs::read_dir(folder).ok()?.flatten().find(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("input.")
        })?;
        Some(Self {
            name,
            file: input.file_name().into_string().ok()?,
            bytes: fs::read(input.path()).ok()?,
            expect,
        })
    }

    fn value(&self, key: &str) -> Option<&str> {
        let mut lines = self.expect.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
    }

    fn check(&self) -> Vec<String> {
        let url = self.value("url").unwrap_or_default();
        let documents = read(&File {
            name: &self.file,
            content_type: self.value("type"),
            url,
            bytes: &self.bytes,
        });
        let documents = match (documents, self.value("error")) {
            (Err(error), Some(code)) if error.code.as_str() == code => return Vec::new(),
            (Err(error), _) => return vec![format!("{}: {}", error.code, error.detail)],
            (Ok(_), Some(code)) => return vec![format!("read, not {code}")],
            (Ok(documents), None) => documents,
        };
        let text = text(&documents);
        let lines: Vec<String> = text.lines().map(flat).collect();
        let mut wrong = Vec::new();
        let mut from = 0;
        for line in self.expect.lines() {
            let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
            let wanted = flat(rest);
            match mark {
                "+" => {
                    let below = lines.iter().skip(from);
                    match below.clone().position(|line| line.contains(&wanted)) {
                        // Several may stand in one line.
                        Some(at) => from += at,
                        None => wrong.push(line.to_owned()),
                    }
                }
                "-" if lines.iter().any(|line| line.contains(&wanted)) => {
                    wrong.push(line.to_owned());
                }
                "title" | "lang" => {
                    let first = documents.first();
                    let found = first.map(|it| {
                        if mark == "title" {
                            &it.title
                        } else {
                            &it.language
                        }
                    });
                    if found != Some(&wanted) {
                        wrong.push(format!("{line}, not {found:?}"));
                    }
                }
                "link" | "nolink" => {
                    let links = page(&self.bytes, url, self.value("type"));
                    let links = links.map(|page| page.links).unwrap_or_default();
                    if links.contains(&wanted) != (mark == "link") {
                        wrong.push(format!("{line}, of {links:?}"));
                    }
                }
                _ => {}
            }
        }
        if !wrong.is_empty() {
            wrong.push(text);
        }
        wrong
    }
}

fn text(documents: &[Document]) -> String {
    let bodies: Vec<&str> = documents
        .iter()
        .map(|document| document.body.as_str())
        .collect();
    bodies.join("\n")
}

fn flat(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_world_writes_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = fs::read_dir(folder).unwrap().flatten();
    let mut cases: Vec<Case> = folders
        .filter_map(|entry| Case::of(&entry.path()))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() >= 45, "{} cases", cases.len());
    let mut failed = 0;
    for case in &cases {
        let wrong = case.check();
        if !wrong.is_empty() {
            failed += 1;
            println!("—— {} ({})\n{}\n", case.name, case.file, wrong.join("\n"));
        }
    }
    println!("{} cases, {failed} failed", cases.len());
    assert_eq!(failed, 0, "cases failed, see above");
}
