//! Feeds, sitemaps and `robots.txt` as sites serve them: `web/{feeds,sitemaps,robots}`. Beside each file stands what must be
//! read of it (`….expect`), a line a fact:
//!
//! - feeds: `title`, `entries`, `address` (of an entry, in their order), `language`, `cut`, `has` and `not` (of the texts);
//! - sitemaps: `page` and `sitemap` (all of them, in their order), `unreadable`, `cut`, `empty`;
//! - `robots.txt`: `allow` and `deny` (paths), `delay`, `sitemap`;
//! - `error` with a code, of what cannot be read.

#![expect(
    clippy::disallowed_methods,
    reason = "the cases are files beside this test"
)]

use bulle_edge_formats::{feed, robots, sitemap};
use std::{fs, path::Path};

/// A file, and the facts of what must be read.
struct Case {
    name: String,
    bytes: Vec<u8>,
    facts: Vec<(String, String)>,
}

/// The files of a folder that have expectations.
fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/web")
        .join(folder);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut cases: Vec<Case> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let name = path.file_name()?.to_str()?.to_owned();
            let expected = path.with_file_name(format!("{name}.expect"));
            let facts = fs::read_to_string(expected).ok()?;
            let facts = facts.lines().map(|line| {
                let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
                (word.to_owned(), rest.to_owned())
            });
            Some(Case {
                name,
                bytes: fs::read(&path).ok()?,
                facts: facts.collect(),
            })
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// The facts of one word.
fn all<'f>(facts: &'f [(String, String)], word: &str) -> Vec<&'f str> {
    let of_word = facts.iter().filter(|(found, _)| found == word);
    of_word.map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn there_are_enough_of_each() {
    let counts = ["feeds", "sitemaps", "robots"].map(|folder| cases(folder).len());
    assert!(
        counts.iter().sum::<usize>() == 28 && counts.iter().all(|count| *count >= 7),
        "{counts:?}"
    );
}

#[test]
fn feeds() {
    for Case { name, bytes, facts } in cases("feeds") {
        let read = match feed(&bytes, "https://feed.example/feed", None) {
            Ok(read) => read,
            Err(error) => {
                assert_eq!(all(&facts, "error"), [error.code.as_str()], "{name}");
                continue;
            }
        };
        let texts: String = read
            .entries
            .iter()
            // Of Markdown, without its escapes.
            .map(|entry| entry.document.body.replace('\\', ""))
            .collect();
        assert_eq!(read.truncated, !all(&facts, "cut").is_empty(), "{name}");
        let addresses: Vec<&str> = read
            .entries
            .iter()
            .map(|entry| entry.document.url.as_str())
            .collect();
        for (word, rest) in &facts {
            match word.as_str() {
                "title" => assert_eq!(read.title, *rest, "{name}"),
                "entries" => assert_eq!(read.entries.len().to_string(), *rest, "{name}"),
                "address" => assert!(addresses.contains(&rest.as_str()), "{name}: {addresses:?}"),
                "language" => assert_eq!(read.entries[0].document.language, *rest, "{name}"),
                "has" => assert!(texts.contains(rest.as_str()), "{name}: {rest}\n{texts}"),
                "not" => assert!(!texts.contains(rest.as_str()), "{name}: {rest}\n{texts}"),
                "cut" => {}
                other => panic!("{name}: {other}"),
            }
        }
    }
}

#[test]
fn sitemaps() {
    for Case { name, bytes, facts } in cases("sitemaps") {
        let read = match sitemap(&bytes, "https://map.example/sitemap.xml") {
            Ok(read) => read,
            Err(error) => {
                assert_eq!(all(&facts, "error"), [error.code.as_str()], "{name}");
                continue;
            }
        };
        let pages: Vec<&str> = read.pages.iter().map(|entry| entry.url.as_str()).collect();
        let maps: Vec<&str> = read
            .sitemaps
            .iter()
            .map(|entry| entry.url.as_str())
            .collect();
        assert_eq!(pages, all(&facts, "page"), "{name}");
        assert_eq!(maps, all(&facts, "sitemap"), "{name}");
        let unreadable = all(&facts, "unreadable")
            .first()
            .map_or(0, |n| n.parse().unwrap());
        assert_eq!(
            (read.unreadable, read.truncated),
            (unreadable, !all(&facts, "cut").is_empty()),
            "{name}"
        );
    }
}

#[test]
fn robots_txt() {
    for Case { name, bytes, facts } in cases("robots") {
        let read = robots(&String::from_utf8_lossy(&bytes));
        for (word, rest) in &facts {
            match word.as_str() {
                "allow" => assert!(read.allows(rest), "{name}: {rest}"),
                "deny" => assert!(!read.allows(rest), "{name}: {rest}"),
                "delay" => assert_eq!(read.crawl_delay(), Some(rest.parse().unwrap()), "{name}"),
                "sitemap" => assert!(read.sitemaps().contains(rest), "{name}"),
                other => panic!("{name}: {other}"),
            }
        }
    }
}
