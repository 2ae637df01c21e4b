//! Sources of bots' documents. Their ids are unique within their bot, so the id of a source is `{bot}/{id}` in the
//! statements of this file.

use bulle_api::admin::source::{
    NewSource, Progress, Source, SourceChange, SourceKind, SourceStatus,
};
use bulle_edge_core::{
    admin::{rules, rules::Rules},
    ports::PortError,
    sources::{
        MAX_SOURCES,
        address::AddressPolicy,
        spec::{SourceFields, SourceSpec, check_upload},
    },
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    AffectedSites, Change, Changes, CreateContext, Creation, NewResource, Owned, ResourceKind,
    answer,
};
use crate::d1::{Database, Statement, values};

/// The columns of a row; the parameter is the expression for `given`.
macro_rules! row {
    ($given:literal) => {
        concat!(
            "id, version, json_patch('{}', json_object('source', json_object('id', id, 'kind', kind, 'status', status, 'title', title, \
             'language', language, 'url', url, 'address', CASE WHEN kind IN ('url', 'site', 'feed') \
             THEN coalesce(given ->> 'url', url) END, 'name', given ->> '$.file.name', \
             'failure', CASE WHEN reason <> '' THEN json_object('code', reason, 'detail', detail) END, \
             'progress', json_object('done', done, 'total', total), 'checksum', nullif(checksum, ''), 'bytes', bytes, \
             'parent', parent, 'refresh_seconds', refresh_seconds, \
             'next_at', CASE WHEN status IN ('ready', 'failed') OR reason <> '' THEN next_at END, \
             'indexed_at', indexed_at, 'created_at', created_at, 'updated_at', updated_at), 'given', ",
            $given,
            ")) AS item"
        )
    };
}

/// Bot and id of `?2`.
macro_rules! this {
    ($id:literal) => {
        concat!(
            "bot_id = substr(?2, 1, instr(?2, '/') - 1) AND ",
            $id,
            " = substr(?2, instr(?2, '/') + 1)"
        )
    };
}

/// The chunks and texts of the source and of its parts, of the version `?3`.
macro_rules! parts {
    () => {
        "bot_id = substr(?2, 1, instr(?2, '/') - 1) AND source_id IN (SELECT part.id FROM source AS part \
         JOIN source AS whole ON whole.tenant_id = ?1 AND whole.bot_id = substr(?2, 1, instr(?2, '/') - 1) \
         AND whole.id = substr(?2, instr(?2, '/') + 1) AND whole.version = ?3 \
         WHERE part.tenant_id = ?1 AND part.bot_id = whole.bot_id AND (part.id = whole.id OR part.parent = whole.id))"
    };
}

/// The statements that show a source.
pub static KIND: ResourceKind = ResourceKind {
    row: row!("json(given)"),
    one: concat!("FROM source WHERE tenant_id = ?1 AND ", this!("id")),
    page: "",
    show,
};

/// The statements that list sources. `?6` is the kind, `?7` the collection of which they are parts.
pub static LIST: ResourceKind = ResourceKind {
    row: row!("json_object()"),
    one: "",
    page: "FROM source WHERE tenant_id = ?1 AND bot_id = ?4 AND parent IS ?7 AND id > ?2 \
        AND (?3 IS NULL OR status = ?3) AND (?6 IS NULL OR kind = ?6) ORDER BY id LIMIT ?5",
    show,
};

/// The statements that change and delete sources.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: concat!(
        "UPDATE source SET version = version + 1, updated_at = ?4, given = ?5, refresh_seconds = ?6, \
         next_at = CASE WHEN ?7 OR status IN ('queued', 'indexing') THEN ?4 \
         WHEN ?6 IS NOT NULL THEN ?4 + ?6 * 1000 END, \
         revision = revision + ?7, attempts = 0, status = CASE WHEN ?7 THEN 'queued' ELSE status END, \
         checksum = CASE WHEN ?7 THEN '' ELSE checksum END, etag = CASE WHEN ?7 THEN '' ELSE etag END, \
         last_modified = CASE WHEN ?7 THEN '' ELSE last_modified END, \
         reason = CASE WHEN ?7 THEN '' ELSE reason END WHERE tenant_id = ?1 AND version = ?3 AND parent IS NULL AND ",
        this!("id")
    ),
    delete: || DELETE.map(Into::into).to_vec(),
    apply,
    affected_sites,
};

const DELETE: [&str; 6] = [
    concat!(
        "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1 AND generation >= 0 AND ",
        parts!(),
        ")"
    ),
    // A chunk that an answer quoted stays until its bot is deleted.
    concat!(
        "DELETE FROM chunk WHERE tenant_id = ?1 AND id NOT IN (SELECT json_each.value \
         FROM message, json_each(message.evidence, '$.prompt.passages') \
         WHERE message.tenant_id = ?1 AND message.role = 'assistant') AND ",
        parts!()
    ),
    concat!(
        "UPDATE chunk SET generation = -1, retired_title = coalesce(retired_title, (SELECT title FROM source \
         WHERE source.tenant_id = ?1 AND source.bot_id = chunk.bot_id AND source.id = chunk.source_id)) WHERE tenant_id = ?1 AND ",
        parts!()
    ),
    concat!(
        "DELETE FROM source_text WHERE tenant_id = ?1 AND ",
        parts!()
    ),
    concat!(
        "DELETE FROM source WHERE tenant_id = ?1 AND ",
        this!("parent"),
        " AND EXISTS (SELECT 1 FROM source WHERE tenant_id = ?1 AND version = ?3 AND ",
        this!("id"),
        ")"
    ),
    concat!(
        "DELETE FROM source WHERE tenant_id = ?1 AND version = ?3 AND ",
        this!("id"),
        " RETURNING id"
    ),
];

/// The statements that create sources: `?3` is the bot.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many sources, the insertion fails. The bot is a foreign key.
    insert: "INSERT INTO source (tenant_id, id, bot_id, kind, status, title, url, language, given, refresh_seconds, \
        next_at, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, ?10, \
        CASE WHEN (SELECT count(*) FROM source WHERE tenant_id = ?1 AND bot_id = ?3 AND parent IS NULL) < ?11 THEN ?10 END)",
    obstacle: "SELECT CASE \
        WHEN NOT EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) THEN 'bot' \
        WHEN (SELECT count(*) FROM source WHERE tenant_id = ?1 AND bot_id = ?3 AND parent IS NULL) >= ?11 THEN 'full' \
        END AS obstacle",
    noticed: false,
    make,
    refusal,
};

/// A row of `source` as owners see it.
#[derive(Deserialize)]
struct Shown {
    source: Box<RawValue>,
}

/// The fields of a row that may be changed.
#[derive(Deserialize)]
struct Stored {
    source: Changeable,
    given: SourceFields,
}

#[derive(Deserialize)]
struct Changeable {
    kind: SourceKind,
    parent: Option<String>,
    refresh_seconds: Option<u32>,
}

/// A new source, as the handler of the request describes it: the handler knows the bot, the caller and the address
/// policy.
#[derive(Serialize, Deserialize)]
pub struct Wanted {
    /// The bot.
    pub bot_id: String,
    /// The owner's values for a source that is not uploaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new: Option<NewSource>,
    /// The owner's values for an uploaded file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upload: Option<SourceFields>,
}

/// The JSON of the row is passed on unread: reading and writing it again would be kilobytes more Worker.
fn show(item: &str) -> Result<String, PortError> {
    let shown: Shown = serde_json::from_str(item).map_err(|e| PortError(e.to_string()))?;
    Ok(shown.source.get().to_owned())
}

fn apply(item: &str, patch: Value, now_ms: u64) -> Result<Option<Change>, Problem> {
    let broken = |_| Problem::new(Code::Internal, "What is stored cannot be read.");
    let stored: Stored = serde_json::from_str(item).map_err(broken)?;
    if stored.source.parent.is_some() {
        return Err(rules::invalid(
            "parent: what belongs to a site or a feed is as the site or feed says. Change those.",
        ));
    }
    let said = SourceSpec {
        kind: stored.source.kind,
        given: stored.given,
        refresh_seconds: stored.source.refresh_seconds,
    };
    let current = said.clone().editable();
    let change: SourceChange = bulle_edge_core::admin::merge::apply(&current, patch)?;
    change.check(now_ms)?;
    if change == current {
        return Ok(None);
    }
    let changed = said.changed(change);
    // Addresses that only the operator's settings allow are checked when they are fetched.
    if changed.given.url != said.given.url || !said.kind.is_fetched() {
        changed.check(&AddressPolicy::default())?;
    } else {
        let mut others = changed.clone();
        others.given.url = Some("https://example.com/".to_owned());
        others.check(&AddressPolicy::default())?;
    }
    Ok(Some(Change {
        values: values![
            answer(&changed.given)?,
            changed.refresh_seconds,
            changed.given != said.given,
        ],
        refusal: None,
    }))
}

/// The only effect of sources on sites' settings is the version of the documents, which the ingestion updates.
fn affected_sites(id: &str) -> AffectedSites<'_> {
    AffectedSites {
        bot: id.split_once('/').map(|(bot, _)| bot),
        site: None,
    }
}

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let broken = |_| Problem::new(Code::Internal, "What was said cannot be read.");
    let wanted: Wanted = serde_json::from_str(text).map_err(broken)?;
    let said = match (wanted.new, wanted.upload) {
        (Some(new), _) => {
            new.check(maker.now_ms)?;
            let said = SourceSpec::new(new);
            said.check(&maker.guard)?;
            said
        }
        (None, upload) => {
            let given = upload.unwrap_or_default();
            check_upload(&given)?;
            SourceSpec {
                kind: SourceKind::File,
                given,
                refresh_seconds: None,
            }
        }
    };
    let [random, ..] = maker.random;
    let id = Id::from_parts(maker.now_ms, random).to_string();
    let given = &said.given;
    let name = given.file.as_ref().map(|file| file.name.clone());
    let title = given.title.clone().or_else(|| name.clone());
    let title = title.or_else(|| given.url.clone());
    let source = Source {
        id: id.clone(),
        kind: said.kind,
        status: SourceStatus::Queued,
        title: title.unwrap_or_else(|| "Document".to_owned()),
        language: given.language.clone().unwrap_or_default(),
        url: given.url.clone().unwrap_or_default(),
        address: given.url.clone().filter(|_| said.kind.is_fetched()),
        name,
        failure: None,
        progress: Progress::default(),
        checksum: None,
        bytes: 0,
        parent: None,
        refresh_seconds: said.refresh_seconds,
        next_at: None,
        indexed_at: None,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = values![
        &wanted.bot_id,
        said.kind.as_str(),
        &source.title,
        &source.url,
        &source.language,
        answer(given)?,
        said.refresh_seconds,
        maker.now_ms,
        MAX_SOURCES,
    ];
    NewResource::open(id, values, &source)
}

fn refusal(obstacle: &str, _: &NewResource) -> Problem {
    match obstacle {
        "full" => Problem::new(
            Code::TooMany,
            format!("A bot has at most {MAX_SOURCES} sources. Delete one that is not used."),
        ),
        _ => bulle_edge_core::admin::nothing_here(),
    }
}

#[derive(Deserialize)]
struct TextRow {
    text: String,
}

#[derive(Deserialize)]
struct ChunkRow {
    heading: String,
    text: String,
}

impl<D: Database> Owned<D> {
    /// The extracted text of a source's present generation, as Markdown. A seeded source is put together from its
    /// chunks.
    ///
    /// # Errors
    /// The database failed.
    pub async fn extracted(
        &self,
        tenant_id: &str,
        bot_id: &str,
        id: &str,
    ) -> Result<String, PortError> {
        let texts = "SELECT source_text.text FROM source_text JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 \
                     AND source.id = ?3 AND source.generation = source_text.generation WHERE source_text.tenant_id = ?1 \
                     AND source_text.bot_id = ?2 AND source_text.source_id = ?3 ORDER BY source_text.part";
        let chunks = "SELECT chunk.heading, chunk.text FROM chunk JOIN source ON source.tenant_id = ?1 AND source.bot_id = ?2 \
                      AND source.id = ?3 AND source.generation = chunk.generation WHERE chunk.tenant_id = ?1 \
                      AND chunk.bot_id = ?2 AND chunk.source_id = ?3 AND source.created_at = 0 AND source.parent IS NULL \
                      ORDER BY chunk.position";
        let statements =
            [texts, chunks].map(|sql| Statement::new(sql, values![tenant_id, bot_id, id]));
        let [texts, chunks] = self.0.batch(statements).await?;
        if !texts.is_empty() {
            let texts: Vec<TextRow> = texts.list()?;
            return Ok(texts.into_iter().map(|row| row.text).collect());
        }
        let chunks: Vec<ChunkRow> = chunks.list()?;
        Ok(chunks
            .into_iter()
            .map(|row| format!("## {}\n\n{}\n", row.heading, row.text))
            .collect::<Vec<_>>()
            .join("\n"))
    }
}
