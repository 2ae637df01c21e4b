//! The content of the local database: the bots of the examples and what they know.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use bulle_edge_core::{
    retrieval::{chunk::Document, query::scope},
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

/// SQL that fills a migrated database with every example that has a `bulle.toml`; running it again replaces
/// the bots and their knowledge and leaves conversations alone. `examples_url` is the origin that serves the
/// examples, `now_ms` the time to store.
pub fn sql(root: &Path, examples_url: &str, now_ms: u128) -> Result<String> {
    let mut out = String::new();
    for folder in folders(&root.join("examples"))? {
        let manifest = folder.join("bulle.toml");
        if manifest.is_file() {
            example(&folder, &manifest, examples_url, now_ms, &mut out)
                .with_context(|| format!("seeding {}", folder.display()))?;
        }
    }
    Ok(out)
}

fn example(
    folder: &Path,
    manifest: &Path,
    examples_url: &str,
    now_ms: u128,
    out: &mut String,
) -> Result<()> {
    let example: Example = toml::from_str(&fs::read_to_string(manifest)?)?;
    let (tenant, bot) = (quote(&example.tenant), quote(&example.bot_id));
    let settings = quote(&serde_json::to_string(&example.bot)?);
    let origins = quote(&serde_json::to_string(&example.origins)?);
    let (site, name) = (quote(&example.site), quote(&example.tenant_name));
    let mine = format!("WHERE tenant_id = {tenant} AND bot_id = {bot}");
    out.push_str(&format!(
        "INSERT INTO tenant (id, name, created_at) VALUES ({tenant}, {name}, {now_ms})\n  \
           ON CONFLICT (id) DO UPDATE SET name = excluded.name;\n\
         INSERT INTO bot (tenant_id, id, settings, updated_at) VALUES ({tenant}, {bot}, {settings}, {now_ms})\n  \
           ON CONFLICT (tenant_id, id) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at;\n\
         INSERT INTO site (key, tenant_id, bot_id, origins) VALUES ({site}, {tenant}, {bot}, {origins})\n  \
           ON CONFLICT (key) DO UPDATE SET origins = excluded.origins;\n\
         DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk {mine});\n\
         DELETE FROM chunk {mine};\n\
         DELETE FROM source {mine};\n",
    ));
    let scope = quote(&scope(&example.tenant, &example.bot_id));
    for file in files(&folder.join("knowledge"))? {
        let id = file.file_name().unwrap_or_default().to_string_lossy();
        let id = quote(&id);
        let document = Document::parse(&fs::read_to_string(&file)?);
        let title = quote(&document.title);
        let language = quote(&document.language);
        let url = match document.url.as_str() {
            "" => String::new(),
            path if path.starts_with('/') => format!("{examples_url}{path}"),
            url => url.to_owned(),
        };
        out.push_str(&format!(
            "INSERT INTO source (tenant_id, bot_id, id, title, url, language, updated_at) \
             VALUES ({tenant}, {bot}, {id}, {title}, {url}, {language}, {now_ms});\n",
            url = quote(&url),
        ));
        for (chunk, position) in document.chunks().iter().zip(0..) {
            let (heading, text) = (quote(&chunk.heading), quote(&chunk.text));
            let anchor = quote(&chunk.anchor);
            out.push_str(&format!(
                "INSERT INTO chunk (tenant_id, bot_id, source_id, position, heading, anchor, text) \
                 VALUES ({tenant}, {bot}, {id}, {position}, {heading}, {anchor}, {text});\n\
                 INSERT INTO chunk_fts (rowid, scope, title, heading, body) \
                 VALUES (last_insert_rowid(), {scope}, {title}, {heading}, {text});\n",
            ));
        }
    }
    Ok(())
}

/// A text literal of SQL.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

fn folders(parent: &Path) -> Result<Vec<std::path::PathBuf>> {
    entries(parent, Path::is_dir)
}

fn files(parent: &Path) -> Result<Vec<std::path::PathBuf>> {
    entries(parent, |path| path.extension().is_some_and(|e| e == "md"))
}

/// The wanted entries of a folder, by name.
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
        let sql = sql(&root, "http://localhost:1", 0).unwrap();
        assert!(sql.contains("'http://localhost:1/digital-twin/experience.html'"));
        assert!(sql.matches("INSERT INTO chunk (").count() > 50);
        assert!(!sql.contains("{{"));
    }

    #[test]
    fn quotes_end_nothing_early() {
        assert_eq!(quote("l'été"), "'l''été'");
    }
}
