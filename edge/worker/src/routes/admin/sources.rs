//! `/v1/admin/tenants/{tenant}/bots/{bot}/sources` and `…/files`: the sources of a bot's documents.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, Uri, header},
};
#[cfg(test)]
use bulle_api::admin::{
    Page,
    source::{NewSource, Source, SourceChange},
};
use bulle_api::admin::{
    Scope,
    source::{NewSource as New, SourceKind},
};
use bulle_edge_core::{
    admin::{Principal, nothing_here, precondition::failed},
    digest::sha256_hex,
    ports::Clock,
    sources::{
        MAX_FILE_BYTES,
        spec::{SourceFields, Upload},
    },
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::Deserialize;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    create::{self, CreateRequest},
    crud,
};
use crate::{
    adapters::{Edge, files, ingest::ANNOUNCED_MS},
    http::{self, Answer, Refusal, at_most, own_address, parse_json, query_pairs, read_text},
    log,
    repositories::{
        library::BotKey,
        owners::sources::{CHANGES, CREATION, KIND, LIST, Wanted},
    },
};

/// Filters of the list.
const FILTERS: [&str; 3] = ["status", "kind", "parent"];

/// A page of the bot's sources, oldest first. Pages of a site and entries of a feed are listed with `parent`.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources", tag = "owner", operation_id = "source_list", security(("api_key" = [])),
    params(TenantPath, BotPath, Paging, BySource), responses((status = 200, body = Page<Source>), Refusals)))]
#[send]
pub async fn list(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeRead).await?;
    let bot_key = bot_key(&context, tenant, bot).await?;
    let bot = Some(bot_key.bot_id.as_str());
    crud::list_of(&context, &LIST, &bot_key.tenant_id, bot, &FILTERS).await
}

/// Adds a source: an address to fetch, a text or questions. The edge reads it in the background; `status` shows how far
/// it is.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources", tag = "owner", operation_id = "source_create", security(("api_key" = [])),
    params(TenantPath, BotPath, IdempotencyKey), request_body = NewSource, responses((status = 201, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(
    Path((tenant, bot)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let caller = authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, tenant, bot).await?;
    let said = read_text(std::mem::take(&mut context.body)).await?;
    let text = if said.is_empty() { "null" } else { &said };
    let new: New = parse_json(text)?;
    add(&context, &caller, &bot_key, new, context.uri.path()).await
}

/// Adds a source to the list at this path, and has it ingested.
pub async fn add(
    context: &OwnerContext,
    caller: &Principal,
    bot_key: &BotKey,
    new: New,
    path: &str,
) -> Answer {
    let wanted = Wanted {
        bot_id: bot_key.bot_id.clone(),
        new: Some(new),
        upload: None,
    };
    let request = CreateRequest::new(&context.edge, json(&wanted)?, path);
    announce(context, bot_key, "").await?;
    let made = create::create_from(context, &CREATION, caller, &bot_key.tenant_id, request).await?;
    ingest(context, bot_key, "").await?;
    Ok(made)
}

/// Uploads a file as the body of the request: at most 20 MB.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/files", tag = "owner", operation_id = "source_upload", security(("api_key" = [])),
    params(TenantPath, BotPath, Uploading, IdempotencyKey), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, with its own Content-Type"), responses((status = 201, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn upload(
    Path((tenant, bot)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let caller = authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, tenant, bot).await?;
    let given = given(&context.uri)?;
    let (given, bytes) = receive(&mut context, given).await?;
    let checksum = checksum(&given);
    let wanted = Wanted {
        bot_id: bot_key.bot_id.clone(),
        new: None,
        upload: Some(given),
    };
    let path = context.uri.path();
    let bot_path = path.strip_suffix("/files").unwrap_or(path);
    let list = format!("{bot_path}/sources");
    let request = CreateRequest::new(&context.edge, json(&wanted)?, &list);
    // The file is stored before the row of its source. If the row is never stored, the cleanup deletes the file.
    let [random, ..] = request.random;
    let id = Id::from_parts(request.now_ms, random).to_string();
    announce(&context, &bot_key, &id).await?;
    let key = files::key(&bot_key.tenant_id, &bot_key.bot_id, &id, &checksum);
    let put = context.edge.put_file(&key, bytes).await;
    put.map_err(|e| unavailable(&e))?;
    let made = create::create_from(&context, &CREATION, &caller, &bot_key.tenant_id, request).await;
    ingest(&context, &bot_key, &id).await?;
    made
}

/// A source.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_get", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfNoneMatch), responses((status = 200, body = Source, headers(("ETag" = String, description = "Version of the source; progress alone does not change it"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path(path): Path<(String, String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &path.0, Scope::KnowledgeRead).await?;
    crud::show(&context, &KIND, &path.0, &compound(&path)).await
}

/// Changes a source by a JSON merge patch. When its content may change, the edge reads it again; the previous content
/// answers until then.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_change", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfMatch), request_body(content = SourceChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn change(Path(path): Path<(String, String, String)>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &path.0, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, path.0.clone(), path.1.clone()).await?;
    announce(&context, &bot_key, "").await?;
    let (edge, uri) = (context.edge.clone(), context.uri.clone());
    let changed = crud::change(context, caller, &CHANGES, &path.0, &compound(&path)).await?;
    let looked = edge
        .request_ingest(&bot_key, &crawler_origin(&edge, &uri), "", 0)
        .await;
    looked.map_err(|e| unavailable(&e))?;
    Ok(changed)
}

/// Replaces the file of a source. The old file answers until the new one is read.
#[cfg_attr(test, utoipa::path(put, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/file", tag = "owner", operation_id = "source_replace", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, Uploading, IfMatch), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, with its own Content-Type"), responses((status = 200, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn replace(
    Path(path): Path<(String, String, String)>,
    mut context: OwnerContext,
) -> Answer {
    authorize(&context, &path.0, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, path.0.clone(), path.1.clone()).await?;
    let given = given(&context.uri)?;
    let compound = compound(&path);
    let found = crud::precondition(&context, &KIND, &path.0, &compound).await?;
    if !is_file(&found.item)? {
        let detail = "This source is no file that was uploaded. Change it, or add another.";
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    let (given, bytes) = receive(&mut context, given).await?;
    let checksum = checksum(&given);
    let id = path.2.as_str();
    announce(&context, &bot_key, id).await?;
    let key = files::key(&bot_key.tenant_id, &bot_key.bot_id, id, &checksum);
    let put = context.edge.put_file(&key, bytes).await;
    put.map_err(|e| unavailable(&e))?;
    let found = crud::precondition(&context, &KIND, &path.0, &compound).await?;
    let now = context.edge.now_ms();
    let replaced = context
        .edge
        .library()
        .replace_file(&bot_key, (id, found.version()), &given, now)
        .await
        .map_err(|e| unavailable(&e))?;
    ingest(&context, &bot_key, id).await?;
    if !replaced {
        return Err(failed().into());
    }
    let found = crud::load(&context, &KIND, &path.0, &compound).await?;
    crud::answer(&KIND, &found)
}

/// Fetches or reads a source again, now. Unchanged content is not indexed again.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/refresh", tag = "owner", operation_id = "source_refresh", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath), responses((status = 200, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn refresh(Path(path): Path<(String, String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &path.0, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, path.0.clone(), path.1.clone()).await?;
    announce(&context, &bot_key, "").await?;
    let now = context.edge.now_ms();
    let done = context
        .edge
        .library()
        .refresh_source(&bot_key, &path.2, now)
        .await;
    if !done.map_err(|e| unavailable(&e))? {
        return Err(nothing_here().into());
    }
    ingest(&context, &bot_key, "").await?;
    let found = crud::load(&context, &KIND, &path.0, &compound(&path)).await?;
    crud::answer(&KIND, &found)
}

/// The text that was extracted from a source and answers now, as Markdown.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/content", tag = "owner", operation_id = "source_content", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath), responses((status = 200, body = String, content_type = "text/markdown"), Refusals)))]
#[send]
pub async fn content(Path(path): Path<(String, String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &path.0, Scope::KnowledgeRead).await?;
    crud::load(&context, &KIND, &path.0, &compound(&path)).await?;
    let text = context
        .edge
        .owned()
        .extracted(&path.0, &path.1, &path.2)
        .await;
    let mut response = crud::text(StatusCode::OK, text.map_err(|e| unavailable(&e))?);
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Deletes a source with its content, except passages that answers have quoted: those stay with the answers.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_delete", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path(path): Path<(String, String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &path.0, Scope::KnowledgeWrite).await?;
    let bot_key = bot_key(&context, path.0.clone(), path.1.clone()).await?;
    announce(&context, &bot_key, &path.2).await?;
    let deleted = crud::delete(&context, &CHANGES, &path.0, &compound(&path)).await;
    ingest(&context, &bot_key, &path.2).await?;
    deleted
}

/// Has the files of a deleted bot deleted. When its object cannot be reached they stay in the bucket, where no request
/// reads them.
pub async fn bot_is_gone(context: &OwnerContext, tenant_id: String, bot_id: String) {
    let bot_key = BotKey { tenant_id, bot_id };
    if let Err(Refusal(problem)) = ingest(context, &bot_key, "").await {
        let bot = format!("{}/{}", bot_key.tenant_id, bot_key.bot_id);
        let line = serde_json::json!({ "error": problem.detail, "files of": bot });
        log::error_line(&line);
    }
}

/// Whether the row is that of an uploaded file.
fn is_file(item: &str) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    struct Row {
        source: Kinded,
    }
    #[derive(Deserialize)]
    struct Kinded {
        kind: SourceKind,
        parent: Option<String>,
    }
    let broken = |_| Problem::new(Code::Internal, "What is stored cannot be read.");
    let row: Row = serde_json::from_str(item).map_err(broken)?;
    Ok(row.source.kind == SourceKind::File && row.source.parent.is_none())
}

/// The key of an existing bot.
pub async fn bot_key(
    context: &OwnerContext,
    tenant_id: String,
    bot_id: String,
) -> Result<BotKey, Refusal> {
    let bot_key = BotKey { tenant_id, bot_id };
    let exists = context.edge.library().bot_exists(&bot_key).await;
    if !exists.map_err(|e| unavailable(&e))? {
        return Err(nothing_here().into());
    }
    Ok(bot_key)
}

/// The id of a source within its tenant.
fn compound(path: &(String, String, String)) -> String {
    format!("{}/{}", path.1, path.2)
}

/// Announces a change of a source, or of any source when the id is empty, so that its traces are cleaned up even if the
/// request dies.
async fn announce(
    context: &OwnerContext,
    bot_key: &BotKey,
    source_id: &str,
) -> Result<(), Refusal> {
    request_ingest(context, bot_key, source_id, ANNOUNCED_MS).await
}

/// Has a changed source ingested, and its traces cleaned up.
async fn ingest(context: &OwnerContext, bot_key: &BotKey, source_id: &str) -> Result<(), Refusal> {
    request_ingest(context, bot_key, source_id, 0).await
}

async fn request_ingest(
    context: &OwnerContext,
    bot_key: &BotKey,
    source_id: &str,
    in_ms: u64,
) -> Result<(), Refusal> {
    context
        .edge
        .request_ingest(
            bot_key,
            &crawler_origin(&context.edge, &context.uri),
            source_id,
            in_ms,
        )
        .await
        .map_err(|e| unavailable(&e))
}

/// The origin whose `/bot` the crawler names; empty where the edge does not know its address.
fn crawler_origin(edge: &Edge, uri: &Uri) -> String {
    own_address(edge, uri).unwrap_or_default()
}

/// The description of a file in the query of an upload.
fn given(uri: &Uri) -> Result<SourceFields, Refusal> {
    let invalid = |detail: &str| Refusal(Problem::new(Code::InvalidParameter, detail));
    let pairs = query_pairs(uri)?;
    let mut given = SourceFields::default();
    let mut name = None;
    for (field, value) in pairs {
        let place = match field.as_str() {
            "name" => &mut name,
            "title" => &mut given.title,
            "language" => &mut given.language,
            "url" => &mut given.url,
            _ => return Err(invalid("An upload knows name, title, language and url.")),
        };
        if place.replace(value).is_some() {
            return Err(invalid(&format!("{field} stands twice.")));
        }
    }
    given.file = Some(Upload {
        name: name.unwrap_or_default(),
        content_type: String::new(),
        checksum: String::new(),
        bytes: 0,
    });
    bulle_edge_core::sources::spec::check_upload(&given)?;
    Ok(given)
}

fn checksum(given: &SourceFields) -> String {
    given
        .file
        .as_ref()
        .map(|file| file.checksum.clone())
        .unwrap_or_default()
}

/// Reads the uploaded file, and completes its description.
async fn receive(
    context: &mut OwnerContext,
    mut given: SourceFields,
) -> Result<(SourceFields, Vec<u8>), Refusal> {
    let body = std::mem::replace(&mut context.body, Body::empty());
    let bytes: Vec<u8> = axum::body::to_bytes(body, MAX_FILE_BYTES)
        .await
        .map_err(|_| Problem::new(Code::BodyTooLarge, at_most(MAX_FILE_BYTES)))?
        .into();
    if bytes.is_empty() {
        let detail = "body: the file is empty. Send its bytes as the body of the request.";
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    let kind = http::header(&context.headers, "content-type").unwrap_or_default();
    if let Some(file) = &mut given.file {
        file.content_type = kind.chars().take(200).collect();
        file.checksum = sha256_hex([bytes.as_slice()]);
        file.bytes = bytes.len() as u64;
    }
    Ok((given, bytes))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value)
        .map_err(|_| Problem::new(Code::Internal, "What was said could not be written."))
}
