//! The content of the local database: the bots of the examples with their documents.

use bulle_edge_formats::{Document, File, UnreadableCode, read};
use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    knowledge::chunk::chunks,
    search::{Scope, index_columns},
    settings::BotSettings,
};
use serde::Deserialize;

/// `bulle.toml` of an example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    tenant: String,
    tenant_name: String,
    bot_id: String,
    site: String,
    origins: Vec<String>,
    bot: BotSettings,
}

/// SQL that fills a migrated database with the examples that have a `bulle.toml`, or with one of them; running it
/// again replaces the bots and their knowledge and leaves conversations alone. `url` is the origin of their pages,
/// `now_ms` the time to store.
pub fn sql(root: &Path, only: Option<&str>, url: &str, now_ms: u128) -> Result<String> {
    let mut out = String::new();
    let mut taken: Vec<(String, String)> = Vec::new();
    for folder in folders(&root.join("examples"))? {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let manifest = folder.join("bulle.toml");
        if !manifest.is_file() || only.is_some_and(|only| only != name) {
            continue;
        }
        let read = || anyhow::Ok(toml::from_str::<Example>(&fs::read_to_string(&manifest)?)?);
        let example = read().with_context(|| format!("reading {}", manifest.display()))?;
        for key in [
            format!("site = \"{}\"", example.site),
            format!(
                "tenant = \"{}\" with bot_id = \"{}\"",
                example.tenant, example.bot_id
            ),
        ] {
            if let Some((_, other)) = taken.iter().find(|(known, _)| *known == key) {
                bail!(
                    "examples/{other} and examples/{name} have the same {key}: change one of them"
                );
            }
            taken.push((key, name.clone()));
        }
        write(&folder, &example, url, now_ms, &mut out)
            .with_context(|| format!("seeding {}", folder.display()))?;
    }
    if let (Some(name), true) = (only, out.is_empty()) {
        bail!("there is no examples/{name}/bulle.toml");
    }
    Ok(out)
}

fn write(
    folder: &Path,
    example: &Example,
    url: &str,
    now_ms: u128,
    out: &mut String,
) -> Result<()> {
    let (tenant, bot) = (quote(&example.tenant), quote(&example.bot_id));
    let settings = quote(&serde_json::to_string(&example.bot)?);
    let origins = quote(&serde_json::to_string(&example.origins)?);
    let (site, name) = (quote(&example.site), quote(&example.tenant_name));
    let mine = format!("WHERE tenant_id = {tenant} AND bot_id = {bot}");
    out.push_str(&format!(
        "INSERT INTO tenant (id, name, created_at) VALUES ({tenant}, {name}, {now_ms})\n  \
           ON CONFLICT (id) DO UPDATE SET name = excluded.name;\n\
         INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ({tenant}, {bot}, {settings}, {now_ms})\n  \
           ON CONFLICT (tenant_id, id) DO UPDATE SET version = version + 1, settings = excluded.settings,\n    \
           updated_at = excluded.updated_at WHERE settings <> excluded.settings;\n\
         INSERT INTO site (key, tenant_id, bot_id, origins) VALUES ({site}, {tenant}, {bot}, {origins})\n  \
           ON CONFLICT (key) DO UPDATE SET tenant_id = excluded.tenant_id, bot_id = excluded.bot_id, origins = excluded.origins;\n\
         DELETE FROM site {mine} AND key <> {site};\n",
    ));
    let bot = (example.tenant.as_str(), example.bot_id.as_str());
    let knowledge = folder.join("knowledge");
    if knowledge.is_dir() {
        documents(&knowledge, bot, url, now_ms, out)?;
    }
    Ok(())
}

/// The document of a Markdown file, read as an upload is; `None` when it has no text.
fn document(file: &Path) -> Result<Option<Document>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let documents = read(&File {
        name: &name,
        content_type: Some("text/markdown"),
        url: "",
        bytes: &fs::read(file)?,
    });
    match documents {
        Ok(documents) => Ok(documents.into_iter().next()),
        Err(error) if error.code == UnreadableCode::NoText => Ok(None),
        Err(error) => bail!("{}: {}", file.display(), error.detail),
    }
}

/// SQL that stores the Markdown files of a folder as the sources of a bot. `bot` is the tenant and the bot.
pub fn documents(
    folder: &Path,
    bot: (&str, &str),
    url: &str,
    now_ms: u128,
    out: &mut String,
) -> Result<()> {
    let scope = Scope::of(bot.0, bot.1);
    let (tenant, bot) = (quote(bot.0), quote(bot.1));
    let mine = format!("WHERE tenant_id = {tenant} AND bot_id = {bot}");
    // Sources that were added over HTTP stay.
    let seeded = format!("source_id IN (SELECT id FROM source {mine} AND created_at = 0)");
    out.push_str(&format!(
        "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk {mine} AND retired_title IS NULL AND {seeded});\n\
         DELETE FROM chunk {mine} AND {seeded} AND id NOT IN (SELECT json_each.value\n  \
           FROM message, json_each(message.evidence, '$.prompt.passages') WHERE message.tenant_id = {tenant});\n\
         UPDATE chunk SET retired_title = (SELECT title FROM source {mine} AND id = chunk.source_id),\n  \
           generation = -1, words = NULL {mine} AND retired_title IS NULL AND {seeded};\n\
         DELETE FROM source {mine} AND created_at = 0;\n",
    ));
    for file in files(folder)? {
        let id = file.file_name().unwrap_or_default().to_string_lossy();
        let id = quote(&id);
        let Some(document) = document(&file)? else {
            continue;
        };
        let title = quote(&document.title);
        let language = quote(&document.language);
        let page = match document.url.as_str() {
            "" => String::new(),
            path if path.starts_with('/') => format!("{url}{path}"),
            page => page.to_owned(),
        };
        out.push_str(&format!(
            "INSERT INTO source (tenant_id, bot_id, id, title, url, language, updated_at) \
             VALUES ({tenant}, {bot}, {id}, {title}, {url}, {language}, {now_ms});\n",
            url = quote(&page),
        ));
        for (chunk, position) in chunks(&document).iter().zip(0..) {
            let (heading, text) = (quote(&chunk.heading), quote(&chunk.text));
            let anchor = quote(&chunk.anchor);
            let columns = index_columns(
                &scope,
                &document.title,
                &chunk.heading,
                &chunk.text,
                &document.language,
            );
            out.push_str(&format!(
                "INSERT INTO chunk (tenant_id, bot_id, source_id, position, heading, anchor, text, words) \
                 VALUES ({tenant}, {bot}, {id}, {position}, {heading}, {anchor}, {text}, {});\n\
                 INSERT INTO chunk_fts (rowid, scope, title, heading, body) \
                 VALUES (last_insert_rowid(), {}, {}, {}, {});\n",
                quote(&columns.words),
                quote(&columns.scope),
                quote(&columns.title),
                quote(&columns.heading),
                quote(&columns.body),
            ));
        }
    }
    Ok(())
}

/// A text literal of SQL.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

fn folders(parent: &Path) -> Result<Vec<std::path::PathBuf>> {
    entries(parent, Path::is_dir)
}

fn files(parent: &Path) -> Result<Vec<std::path::PathBuf>> {
    entries(parent, |path| path.extension().is_some_and(|e| e == "md"))
}

/// The entries of a folder that are wanted, by name.
fn entries(parent: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<std::path::PathBuf>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(parent).with_context(|| format!("reading {}", parent.display()))? {
        let path = entry?.path();
        if wanted(&path) {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_seeded_with_their_knowledge() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let sql = sql(&root, None, "http://localhost:1", 0).unwrap();
        assert!(sql.contains("'http://localhost:1/digital-twin/experience.html'"));
        assert!(sql.matches("INSERT INTO chunk (").count() > 50);
        assert!(!sql.contains("{{"));
        let mut into = String::new();
        let folder = root.join("examples/plain/knowledge");
        documents(&folder, ("acme", "guide"), "https://a.test", 0, &mut into).unwrap();
        assert!(into.contains("'acme'") && into.contains("'guide'") && !into.contains("INTO bot"));
        let one = super::sql(&root, Some("plain"), "https://a.test", 0).unwrap();
        assert!(one.contains("plain-demo") && !one.contains("twin-demo"));
        assert!(super::sql(&root, Some("nope"), "https://a.test", 0).is_err());
    }

    #[test]
    fn two_examples_cannot_share_a_site() {
        let root = std::env::temp_dir().join(format!("bulle-seed-{}", std::process::id()));
        let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plain/bulle.toml");
        for name in ["a", "b"] {
            let folder = root.join("examples").join(name);
            fs::create_dir_all(folder.join("knowledge")).unwrap();
            fs::copy(&plain, folder.join("bulle.toml")).unwrap();
        }
        let error = sql(&root, None, "", 0).unwrap_err().to_string();
        fs::remove_dir_all(&root).unwrap();
        assert!(
            error.contains("examples/a and examples/b have the same site"),
            "{error}"
        );
    }

    #[test]
    fn quotes_end_nothing_early() {
        assert_eq!(quote("l'été"), "'l''été'");
    }
}
