//! `cargo xtask knowledge`: manages the sources of a bot on a running edge, through the owner's API.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulle_api::admin::source::{FailureCode, Source, SourceStatus};
use bulle_edge_formats::{File, read};
use bulle_edge_text::Document;
use lexopt::{Arg, Parser, ValueExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{paths, process};

const USAGE: &str = "say what: `cargo xtask knowledge add <file|folder|url>`, `list`, `status <id>` or `remove <id|name>`";

/// How long to wait until an added source is ready.
const PATIENCE: Duration = Duration::from_secs(600);

/// Makes a request with Node, which has TLS: method, address, key, type and file of the body are environment variables.
const CALL: &str = r"
const { METHOD, ADDRESS, KEY, TYPE, BODY } = process.env;
const body = BODY ? require('fs').readFileSync(BODY) : undefined;
const headers = { authorization: `Bearer ${KEY}`, 'if-match': '*', ...(TYPE ? { 'content-type': TYPE } : {}) };
fetch(ADDRESS, { method: METHOD, headers, body })
  .then(async (response) => console.log(JSON.stringify([response.status, await response.text()])))
  .catch((error) => { console.error(error.cause?.message ?? error.message); process.exit(1); });
";

/// The bot and its edge.
struct Bot {
    base: String,
    key: String,
}

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
            other => return Err(other.unexpected().into()),
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
        _ => bail!(USAGE),
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
        let Some((tenant, id)) = to.split_once('/') else {
            bail!("--to takes TENANT/BOT, and `{to}` has no `/`");
        };
        let file = paths::worker().join(".dev.vars");
        let vars = fs::read_to_string(&file).unwrap_or_default();
        let key = std::env::var("ADMIN_KEY").ok().or_else(|| admin_key(&vars));
        let key = key.context(
            "there is no ADMIN_KEY: run `cargo xtask dev` once, which writes .dev.vars, or set it in the environment",
        )?;
        Ok(Self {
            base: format!("{edge}/v1/admin/tenants/{tenant}/bots/{id}"),
            key,
        })
    }

    fn add(&self, what: &str, kind: &str) -> Result<()> {
        if what.starts_with("https://") || what.starts_with("http://") {
            let body = json!({ "kind": kind, "url": what }).to_string();
            let file = paths::cache().join(format!("knowledge-{}.json", std::process::id()));
            crate::compress::write(&file, body.as_bytes())?;
            let made = self.call("POST", "/sources", Some(("application/json", &file)));
            fs::remove_file(&file)?;
            return self.wait(serde_json::from_str(&made?)?).map(|_| ());
        }
        let path = Path::new(what);
        if !path.exists() {
            bail!("there is no file or folder `{what}`; an address begins with https://");
        }
        let files = files(path)?;
        if files.is_empty() {
            bail!("there is no file in `{what}`");
        }
        let mut failed = 0;
        for (file, name) in &files {
            let source = self.upload(file, name, content_type(name))?;
            let mut source = self.wait(source)?;
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
        Ok(serde_json::from_str(&answer)?)
    }

    /// Uploads the documents that this machine reads from a file.
    fn upload_read(&self, file: &Path, name: &str) -> Result<Source> {
        let bytes = fs::read(file)?;
        let documents = read(&File {
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
        Ok(serde_json::from_str(&answer)?)
    }

    fn sources(&self) -> Result<Vec<Source>> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let answer = self.call("GET", &format!("/sources?limit=100&after={after}"), None)?;
            let page: bulle_api::admin::Page<Source> = serde_json::from_str(&answer)?;
            all.extend(page.items);
            let Some(next) = page.next else {
                return Ok(all);
            };
            after = utf8_percent_encode(&next, NON_ALPHANUMERIC).to_string();
        }
    }

    /// Waits until a source is ready or has failed, and prints which.
    fn wait(&self, source: Source) -> Result<Source> {
        let started = Instant::now();
        let mut source = source;
        while !matches!(source.status, SourceStatus::Ready | SourceStatus::Failed) {
            if started.elapsed() > PATIENCE {
                println!("{} (it goes on in the background)", line(&source));
                return Ok(source);
            }
            std::thread::sleep(Duration::from_millis(300));
            source = self.source(&source.id)?;
        }
        println!(
            "{} ({:.1} s)",
            line(&source),
            started.elapsed().as_secs_f32()
        );
        Ok(source)
    }

    /// The body of an answer.
    fn call(&self, method: &str, path: &str, body: Option<(&str, &Path)>) -> Result<String> {
        let mut command = process::npm_tool("node");
        command
            .args(["-e", CALL])
            .env("METHOD", method)
            .env("ADDRESS", format!("{}{path}", self.base))
            .env("KEY", &self.key)
            .stdin(Stdio::null());
        if let Some((content_type, file)) = body {
            command
                .env("TYPE", content_type)
                .env("BODY", std::path::absolute(file)?);
        }
        let output = command.output().context("Node could not be started")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!(
                "{} does not answer: {}Is `cargo xtask dev` running?",
                self.base,
                why
            );
        }
        let (status, text): (u16, String) = serde_json::from_slice(&output.stdout)?;
        if status >= 400 {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let detail = problem.get("detail").and_then(Value::as_str);
            bail!("{method} {path}: {status} {}", detail.unwrap_or(&text));
        }
        Ok(text)
    }
}

/// The value of `ADMIN_KEY` in `.dev.vars`.
fn admin_key(vars: &str) -> Option<String> {
    let value = vars
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == "ADMIN_KEY")
        .map(|(_, value)| value.trim().trim_matches('"').to_owned());
    value.filter(|value| !value.is_empty())
}

/// The files of a folder, or the single file, each with the name of its source.
fn files(path: &Path) -> Result<Vec<(PathBuf, String)>> {
    if path.is_file() {
        let name = path.file_name().unwrap_or_default();
        return Ok(vec![(path.to_owned(), name.to_string_lossy().into_owned())]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?.path();
            let hidden = entry
                .file_name()
                .is_none_or(|n| n.to_string_lossy().starts_with('.'));
            if hidden {
                continue;
            }
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(path).unwrap_or(&entry);
                let name = name.to_string_lossy().replace('\\', "/");
                found.push((entry, name));
            }
        }
    }
    found.sort();
    Ok(found)
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
    fn a_folder_is_its_files_by_their_paths() {
        let folder = paths::root().join("examples/digital-twin/knowledge");
        let names: Vec<String> = files(&folder)
            .unwrap()
            .into_iter()
            .map(|(_, n)| n)
            .collect();
        assert!(names.contains(&"cv.md".to_owned()));
        assert_eq!(files(&folder.join("cv.md")).unwrap().len(), 1);
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
