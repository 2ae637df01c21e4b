//! `cargo xtask knowledge`: manages the sources of a bot on a running edge, through the owner's API.

pub mod client;
mod folder;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulle_api::admin::source::{FailureCode, Source, SourceStatus};
use bulle_edge_formats::{File, read as read_file};
use bulle_edge_text::Document;
use lexopt::{Arg, Parser, ValueExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::paths;
use client::{Bot, read};
use folder::{Found, files};

/// What `cargo xtask knowledge --help` shows.
pub const HELP: &str = "\
cargo xtask knowledge <command>

  add WHAT            have a bot of a running edge know a file, a folder or an address (https://…)
      --site, --feed  the address is that of a site or a feed
  list                what it knows
  status ID           how far one of them has come, and why it could not be read
  remove ID           forget one of them, by its id, its name or its address

      --to T/B        the bot B of the tenant T; without it the digital twin
      --edge URL      the edge; without it the local one, http://localhost:8787

Of a folder, documents are read: Markdown, text, HTML, PDF, Word, CSV, JSON, LinkedIn's export. Programs, settings and
hidden files are passed over. The key is ADMIN_KEY, of the environment or of edge/worker/.dev.vars.
";

/// How long to wait until an added source is ready.
const PATIENCE: Duration = Duration::from_secs(600);

/// The pause between two lines about the progress of a source.
const NEWS: Duration = Duration::from_secs(10);

/// Reads the rest of the command line and carries the command out.
pub fn run(parser: &mut Parser) -> Result<()> {
    let mut words: Vec<String> = Vec::new();
    let (mut to, mut edge, mut kind) = (None, None, "url");
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("to") => to = Some(parser.value()?.string()?),
            Arg::Long("edge") => edge = Some(parser.value()?.string()?),
            Arg::Long("site") => kind = "site",
            Arg::Long("feed") => kind = "feed",
            Arg::Value(word) => words.push(word.string()?),
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    let edge = edge.unwrap_or_else(|| "http://localhost:8787".to_owned());
    let bot = Bot::find(edge.trim_end_matches('/'), to.as_deref())?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["add", what] => bot.add(what, kind),
        ["list"] => bot.list(),
        ["status", id] => {
            println!("{}", line(&bot.source(id)?));
            Ok(())
        }
        ["remove", what] => bot.remove(what),
        [] | ["help"] => {
            print!("{HELP}");
            Ok(())
        }
        [other, ..] => bail!("`{other}` is no command, or not all of one\n\n{HELP}"),
    }
}

impl Bot {
    /// The bot `TENANT/BOT`, or the digital twin, with the operator's key of this machine.
    fn find(edge: &str, to: Option<&str>) -> Result<Self> {
        let to = match to {
            Some(to) => to.to_owned(),
            None => {
                let manifest = paths::root().join("examples/digital-twin/bulle.toml");
                let text = fs::read_to_string(&manifest)?;
                let example: toml::Table = text.parse()?;
                let word = |name: &str| {
                    example
                        .get(name)
                        .and_then(|v| v.as_str())
                        .unwrap_or_default()
                };
                format!("{}/{}", word("tenant"), word("bot_id"))
            }
        };
        if !to.contains('/') {
            bail!("--to takes TENANT/BOT, and `{to}` has no `/`");
        }
        Ok(Self {
            edge: edge.to_owned(),
            name: to,
            key: operator_key()?,
            seconds: 60,
        })
    }

    fn add(&self, what: &str, kind: &str) -> Result<()> {
        if what.starts_with("https://") || what.starts_with("http://") {
            let body = json!({ "kind": kind, "url": what }).to_string();
            let file = paths::cache().join(format!("knowledge-{}.json", std::process::id()));
            crate::compress::write(&file, body.as_bytes())?;
            let made = self.call("POST", "/sources", Some(("application/json", &file)));
            fs::remove_file(&file)?;
            let source = self.wait(read(&made?)?)?;
            if source.status != SourceStatus::Ready {
                bail!("`{what}` could not be read");
            }
            return Ok(());
        }
        let path = Path::new(what);
        if !path.exists() {
            bail!("there is no file or folder `{what}`; an address begins with https://");
        }
        let Found { files, passed_over } = files(path)?;
        if !passed_over.is_empty() {
            println!("passed over, as no documents: {}", some_of(&passed_over));
        }
        if files.is_empty() {
            bail!(
                "there is no document in `{what}`; a file that is named by itself is tried whatever it is"
            );
        }
        let mut failed = 0;
        for (file, name) in &files {
            let source = self.upload(file, name, content_type(name))?;
            let mut source = self.wait(source)?;
            if source.status == SourceStatus::Queued {
                failed += 1;
                continue;
            }
            // Files that are too large for the Worker to read are read on this machine.
            let code = source.failure.as_ref().map(|failure| failure.code);
            if matches!(
                code,
                Some(FailureCode::UseTheCommandLine | FailureCode::TooMuchWork)
            ) {
                println!("  read on this machine");
                self.call("DELETE", &format!("/sources/{}", source.id), None)?;
                source = self.wait(self.upload_read(file, name)?)?;
            }
            failed += u32::from(source.status == SourceStatus::Failed);
        }
        if failed > 0 {
            bail!("{failed} of {} could not be read", files.len());
        }
        Ok(())
    }

    /// Uploads a file, in place of the source with its name.
    fn upload(&self, file: &Path, name: &str, content_type: &str) -> Result<Source> {
        let query = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let known = self.sources()?.into_iter();
        let known = known
            .into_iter()
            .find(|source| source.name.as_deref() == Some(name));
        let body = Some((content_type, file));
        let answer = match known {
            Some(source) => self.call(
                "PUT",
                &format!("/sources/{}/file?name={query}", source.id),
                body,
            )?,
            None => self.call("POST", &format!("/files?name={query}"), body)?,
        };
        read(&answer)
    }

    /// Uploads the documents that this machine reads from a file.
    fn upload_read(&self, file: &Path, name: &str) -> Result<Source> {
        let bytes = fs::read(file)?;
        let documents = read_file(&File {
            name,
            content_type: None,
            url: "",
            bytes: &bytes,
        });
        let documents = documents.map_err(|e| anyhow::anyhow!("{name}: {}", e.detail))?;
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let document = bulle_edge_core::sources::content::merge(documents, stem)
            .with_context(|| format!("{name} holds no text"))?;
        let copy = paths::cache().join(format!("knowledge-{}.md", std::process::id()));
        crate::compress::write(&copy, markdown(&document).as_bytes())?;
        let made = self.upload(&copy, &format!("{name}.md"), "text/markdown");
        fs::remove_file(&copy)?;
        made
    }

    fn list(&self) -> Result<()> {
        for source in self.sources()? {
            println!("{}", line(&source));
        }
        Ok(())
    }

    fn remove(&self, what: &str) -> Result<()> {
        let sources = self.sources()?;
        let found: Vec<_> = sources
            .iter()
            .filter(|source| {
                source.id == what
                    || source.name.as_deref() == Some(what)
                    || source.address.as_deref() == Some(what)
            })
            .collect();
        if found.is_empty() {
            bail!(
                "no source has the id, the name or the address `{what}`; `cargo xtask knowledge list` shows them"
            );
        }
        for source in found {
            self.call("DELETE", &format!("/sources/{}", source.id), None)?;
            println!("removed {}", line(source));
        }
        Ok(())
    }

    fn source(&self, id: &str) -> Result<Source> {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        let answer = self.call("GET", &format!("/sources/{id}"), None)?;
        read(&answer)
    }

    fn sources(&self) -> Result<Vec<Source>> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let answer = self.call("GET", &format!("/sources?limit=100&after={after}"), None)?;
            let page: bulle_api::admin::Page<Source> = read(&answer)?;
            all.extend(page.items);
            let Some(next) = page.next else {
                return Ok(all);
            };
            after = utf8_percent_encode(&next, NON_ALPHANUMERIC).to_string();
        }
    }

    /// Waits until a source is ready or its first attempt has failed, and prints its progress.
    fn wait(&self, source: Source) -> Result<Source> {
        let started = Instant::now();
        let mut source = source;
        let mut said = Instant::now();
        println!("{}", line(&source));
        loop {
            match progress(&source, started.elapsed()) {
                Waiting::Over => {
                    println!(
                        "{} ({:.1} s)",
                        line(&source),
                        started.elapsed().as_secs_f32()
                    );
                    return Ok(source);
                }
                Waiting::InBackground => {
                    println!(
                        "{}\n  the edge goes on by itself; `cargo xtask knowledge status {}` says how far it is",
                        line(&source),
                        source.id
                    );
                    return Ok(source);
                }
                Waiting::On if said.elapsed() > NEWS => {
                    said = Instant::now();
                    println!("{}", line(&source));
                }
                Waiting::On => {}
            }
            std::thread::sleep(Duration::from_millis(300));
            source = self.source(&source.id)?;
        }
    }
}

/// Whether the command waits for a source.
#[derive(Debug, PartialEq, Eq)]
enum Waiting {
    /// The source is ready or has failed.
    Over,
    /// The source takes too long, or its first attempt has failed: the edge continues in the background.
    InBackground,
    /// The command waits.
    On,
}

fn progress(source: &Source, waited: Duration) -> Waiting {
    match source.status {
        SourceStatus::Ready | SourceStatus::Failed => Waiting::Over,
        SourceStatus::Queued if source.failure.is_some() => Waiting::InBackground,
        _ if waited > PATIENCE => Waiting::InBackground,
        _ => Waiting::On,
    }
}

/// The first names of a list, and how many there are besides.
fn some_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    let more = names.len() - shown.len();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The value of `ADMIN_KEY` in `.dev.vars`.
/// The operator's key: `ADMIN_KEY` of the environment, or of the local Worker.
pub fn operator_key() -> Result<String> {
    let file = paths::worker().join(".dev.vars");
    let vars = fs::read_to_string(&file).unwrap_or_default();
    let key = std::env::var("ADMIN_KEY").ok().or_else(|| admin_key(&vars));
    key.context(
        "there is no ADMIN_KEY: run `cargo xtask dev` once, which writes .dev.vars, or set it in the environment",
    )
}

fn admin_key(vars: &str) -> Option<String> {
    let value = vars
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == "ADMIN_KEY")
        .map(|(_, value)| value.trim().trim_matches('"').to_owned());
    value.filter(|value| !value.is_empty())
}

/// The type of a file by its ending; the edge checks the bytes first.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "md" | "markdown" => "text/markdown",
        "txt" => "text/plain",
        "html" | "htm" => "text/html",
        "pdf" => "application/pdf",
        "csv" => "text/csv",
        "json" => "application/json",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// A document as a file with front matter.
fn markdown(document: &Document) -> String {
    let one_line = |text: &str| text.replace(['\n', '"'], " ");
    format!(
        "---\ntitle: \"{}\"\nlang: {}\nurl: {}\n---\n{}",
        one_line(&document.title),
        document.language,
        document.url,
        document.body
    )
}

fn line(source: &Source) -> String {
    let status = match source.status {
        SourceStatus::Queued => "queued",
        SourceStatus::Indexing => "indexing",
        SourceStatus::Ready => "ready",
        SourceStatus::Failed => "failed",
    };
    let progress = source.progress;
    let name = source.name.as_deref().or(source.address.as_deref());
    let why = source
        .failure
        .as_ref()
        .map_or(String::new(), |failure| format!(": {}", failure.detail));
    format!(
        "{status:<8} {}  {}  {}/{}  {}{why}",
        source.id,
        name.unwrap_or(source.kind.as_str()),
        progress.done,
        progress.total,
        source.title
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_key_is_found() {
        let vars = "# ADMIN_KEY=\"no\"\nSESSION_SECRET=\"s\"\nADMIN_KEY = \"k\"\n";
        assert_eq!(admin_key(vars).as_deref(), Some("k"));
        assert_eq!(admin_key("ADMIN_KEY=\"\"\n"), None);
        assert_eq!(admin_key(""), None);
    }

    #[test]
    fn what_fails_once_is_told_at_once() {
        let source = |status: &str, failure: &str| -> Source {
            read(&format!(
                r#"{{"id":"a","kind":"url","status":"{status}","title":"t","language":"","url":"","progress":{{"done":0,"total":0}},"bytes":0,"created_at":0,"updated_at":0{failure}}}"#
            ))
            .unwrap()
        };
        let failure = r#","failure":{"code":"unreachable","detail":"The address could not be reached. It is tried again."}"#;
        let soon = Duration::from_secs(1);
        for (status, failure, waited, expected) in [
            ("queued", "", soon, Waiting::On),
            ("indexing", "", soon, Waiting::On),
            ("queued", failure, soon, Waiting::InBackground),
            ("indexing", failure, soon, Waiting::On),
            ("indexing", "", PATIENCE * 2, Waiting::InBackground),
            ("failed", failure, soon, Waiting::Over),
            ("ready", failure, soon, Waiting::Over),
        ] {
            assert_eq!(
                progress(&source(status, failure), waited),
                expected,
                "{status} {failure}"
            );
        }
        assert!(line(&source("queued", failure)).contains("could not be reached"));
    }

    #[test]
    fn many_names_are_counted() {
        let names = |count: usize| vec!["a.py".to_owned(); count];
        assert_eq!(some_of(&names(2)), "a.py, a.py");
        assert!(some_of(&names(9)).ends_with(" and 4 more"));
        assert_eq!(content_type("A.PDF"), "application/pdf");
    }

    #[test]
    fn what_was_read_here_is_read_again_there() {
        let document = Document {
            title: "A \"good\" title".into(),
            language: "fr".into(),
            url: "https://example.com".into(),
            body: "# Text\n".into(),
        };
        let again = Document::parse(&markdown(&document));
        assert_eq!(again.title, "A  good  title");
        assert_eq!(
            (again.language, again.url, again.body),
            (document.language, document.url, document.body)
        );
    }
}
