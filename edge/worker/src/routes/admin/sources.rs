//! `/v1/admin/tenants/{tenant}/bots/{bot}/sources` and `…/files`: what a bot knows, and where it comes from.

use axum::{
    body::Body,
    extract::{Path, Query},
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
    admin::{Caller, nothing_here, precondition::failed},
    digest::sha256_hex,
    ports::Clock,
    sources::{
        MAX_FILE_BYTES,
        given::{Given, Upload},
    },
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::Deserialize;
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{
    Call,
    access::{authorize, unavailable},
    creation::{self, Order},
    things,
};
use crate::{
    adapters::{
        files,
        library::Shelf,
        owners::sources::{CHANGES, CREATION, KIND, LIST, Wanted},
    },
    http::{self, Answer, Refusal, read_text},
    librarian::ANNOUNCED_MS,
};

/// Filters of the list.
const FILTERS: [&str; 3] = ["status", "kind", "parent"];

/// A page of what a bot knows, oldest first. Pages of a site and entries of a feed are listed with `parent`.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources", tag = "owner", operation_id = "source_list", security(("api_key" = [])),
    params(TenantPath, BotPath, Paging, BySource), responses((status = 200, body = Page<Source>), Refusals)))]
#[send]
pub async fn list(Path((tenant, bot)): Path<(String, String)>, call: Call) -> Answer {
    authorize(&call, &tenant, Scope::KnowledgeRead).await?;
    let shelf = shelf(&call, tenant, bot).await?;
    let bot = Some(shelf.bot_id.as_str());
    things::list_of(&call, &LIST, &shelf.tenant_id, bot, &FILTERS).await
}

/// Adds a source that is fetched or written here. It is read in the background; `status` tells how that goes.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources", tag = "owner", operation_id = "source_create", security(("api_key" = [])),
    params(TenantPath, BotPath, IdempotencyKey), request_body = NewSource, responses((status = 201, body = Source, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn create(Path((tenant, bot)): Path<(String, String)>, mut call: Call) -> Answer {
    let caller = authorize(&call, &tenant, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, tenant, bot).await?;
    let said = read_text(std::mem::take(&mut call.body)).await?;
    let text = if said.is_empty() { "null" } else { &said };
    let new: New =
        serde_json::from_str(text).map_err(|e| Problem::new(Code::InvalidJson, format!("{e}.")))?;
    add(&call, &caller, &shelf, new, call.uri.path()).await
}

/// Adds a source to the list at this address, and has it read.
pub async fn add(call: &Call, caller: &Caller, shelf: &Shelf, new: New, path: &str) -> Answer {
    let wanted = Wanted {
        bot_id: shelf.bot_id.clone(),
        new: Some(new),
        upload: None,
    };
    let order = Order::new(&call.edge, json(&wanted)?, path);
    look(call, shelf, "", ANNOUNCED_MS).await?;
    let made = creation::create_ordered(call, &CREATION, caller, &shelf.tenant_id, order).await?;
    look(call, shelf, "", 0).await?;
    Ok(made)
}

/// Uploads a file, as it is: at most 20 MB.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/files", tag = "owner", operation_id = "source_upload", security(("api_key" = [])),
    params(TenantPath, BotPath, Uploading, IdempotencyKey), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, with the Content-Type that it has"), responses((status = 201, body = Source, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn upload(Path((tenant, bot)): Path<(String, String)>, mut call: Call) -> Answer {
    let caller = authorize(&call, &tenant, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, tenant, bot).await?;
    let given = given(&call.uri)?;
    let (given, bytes) = receive(&mut call, given).await?;
    let checksum = given.file.as_ref().map(|file| file.checksum.clone());
    let checksum = checksum.unwrap_or_default();
    let wanted = Wanted {
        bot_id: shelf.bot_id.clone(),
        new: None,
        upload: Some(given),
    };
    let path = call.uri.path();
    let path = path.strip_suffix("/files").unwrap_or(path);
    let order = Order::new(&call.edge, json(&wanted)?, &format!("{path}/sources"));
    // An object is found by the row of its source. Should the row never come, the object goes.
    let [random, ..] = order.random;
    let id = Id::from_parts(order.now_ms, random).to_string();
    look(&call, &shelf, &id, ANNOUNCED_MS).await?;
    let key = files::key(&shelf.tenant_id, &shelf.bot_id, &id, &checksum);
    let put = call.edge.put_file(&key, bytes).await;
    put.map_err(|e| unavailable(&e))?;
    let made = creation::create_ordered(&call, &CREATION, &caller, &shelf.tenant_id, order).await;
    look(&call, &shelf, &id, 0).await?;
    made
}

/// A source.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_get", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfNoneMatch), responses((status = 200, body = Source, headers(("ETag" = String, description = "Its version; progress alone does not change it"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path(path): Path<(String, String, String)>, call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeRead).await?;
    things::show(&call, &KIND, &path.0, &compound(&path)).await
}

/// Changes a source by a JSON merge patch. When what it says may change, it is read again; what it said before answers
/// until then.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_change", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfMatch), request_body(content = SourceChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Source, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn change(Path(path): Path<(String, String, String)>, call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, path.0.clone(), path.1.clone()).await?;
    look(&call, &shelf, "", ANNOUNCED_MS).await?;
    let (edge, uri) = (call.edge.clone(), call.uri.clone());
    let changed = things::change(call, &CHANGES, &path.0, &compound(&path)).await?;
    let looked = edge.look(&shelf, &origin(&uri), "", 0).await;
    looked.map_err(|e| unavailable(&e))?;
    Ok(changed)
}

/// Replaces the file of a source. The old one answers until the new one is read.
#[cfg_attr(test, utoipa::path(put, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/file", tag = "owner", operation_id = "source_replace", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, Uploading, IfMatch), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, with the Content-Type that it has"), responses((status = 200, body = Source, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn replace(Path(path): Path<(String, String, String)>, mut call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, path.0.clone(), path.1.clone()).await?;
    let given = given(&call.uri)?;
    let compound = compound(&path);
    let found = things::precondition(&call, &KIND, &path.0, &compound).await?;
    if !is_file(&found.item)? {
        let detail = "This source is no file that was uploaded. Change it, or add another.";
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    let (given, bytes) = receive(&mut call, given).await?;
    let checksum = given.file.as_ref().map(|file| file.checksum.clone());
    let checksum = checksum.unwrap_or_default();
    let id = path.2.as_str();
    look(&call, &shelf, id, ANNOUNCED_MS).await?;
    let key = files::key(&shelf.tenant_id, &shelf.bot_id, id, &checksum);
    let put = call.edge.put_file(&key, bytes).await;
    put.map_err(|e| unavailable(&e))?;
    let found = things::precondition(&call, &KIND, &path.0, &compound).await?;
    let now = call.edge.now_ms();
    let replaced = call
        .edge
        .replace_file(&shelf, (id, found.version()), &given, now)
        .await
        .map_err(|e| unavailable(&e))?;
    look(&call, &shelf, id, 0).await?;
    if !replaced {
        return Err(failed().into());
    }
    let found = things::load(&call, &KIND, &path.0, &compound).await?;
    things::answer(&KIND, &found)
}

/// Has a source fetched or read again, now. What is fetched and has not changed is not indexed again.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/refresh", tag = "owner", operation_id = "source_refresh", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath), responses((status = 200, body = Source, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn refresh(Path(path): Path<(String, String, String)>, call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, path.0.clone(), path.1.clone()).await?;
    look(&call, &shelf, "", ANNOUNCED_MS).await?;
    let now = call.edge.now_ms();
    let done = call.edge.refresh_source(&shelf, &path.2, now).await;
    if !done.map_err(|e| unavailable(&e))? {
        return Err(nothing_here().into());
    }
    look(&call, &shelf, "", 0).await?;
    let found = things::load(&call, &KIND, &path.0, &compound(&path)).await?;
    things::answer(&KIND, &found)
}

/// What was extracted of a source and answers now, as Markdown.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/content", tag = "owner", operation_id = "source_content", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath), responses((status = 200, body = String, content_type = "text/markdown"), Refusals)))]
#[send]
pub async fn content(Path(path): Path<(String, String, String)>, call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeRead).await?;
    things::load(&call, &KIND, &path.0, &compound(&path)).await?;
    let text = call.edge.extracted(&path.0, &path.1, &path.2).await;
    let mut response = things::text(StatusCode::OK, text.map_err(|e| unavailable(&e))?);
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Deletes a source and every trace of it, but for passages that answers have quoted: those stay with the answers.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}", tag = "owner", operation_id = "source_delete", security(("api_key" = [])),
    params(TenantPath, BotPath, SourcePath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path(path): Path<(String, String, String)>, call: Call) -> Answer {
    authorize(&call, &path.0, Scope::KnowledgeWrite).await?;
    let shelf = shelf(&call, path.0.clone(), path.1.clone()).await?;
    look(&call, &shelf, &path.2, ANNOUNCED_MS).await?;
    let deleted = things::delete(&call, &CHANGES, &path.0, &compound(&path)).await;
    look(&call, &shelf, &path.2, 0).await?;
    deleted
}

/// Has the files of a bot that was deleted taken away. What cannot be reached now stays in the bucket, out of reach of
/// everybody.
pub async fn bot_is_gone(call: &Call, tenant_id: String, bot_id: String) {
    let shelf = Shelf { tenant_id, bot_id };
    if let Err(Refusal(problem)) = look(call, &shelf, "", 0).await {
        let bot = format!("{}/{}", shelf.tenant_id, shelf.bot_id);
        let line = serde_json::json!({ "error": problem.detail, "files of": bot });
        worker::console_error!("{line}");
    }
}

/// Whether a file may come to this address, larger than any JSON.
pub fn is_upload(path: &str) -> bool {
    path.starts_with(super::PREFIX) && (path.ends_with("/files") || path.ends_with("/file"))
}

/// Whether a row is of an upload.
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

/// The shelf of a bot that there is.
pub async fn shelf(call: &Call, tenant_id: String, bot_id: String) -> Result<Shelf, Refusal> {
    let shelf = Shelf { tenant_id, bot_id };
    let exists = call.edge.bot_exists(&shelf).await;
    if !exists.map_err(|e| unavailable(&e))? {
        return Err(nothing_here().into());
    }
    Ok(shelf)
}

/// How a source is named within its tenant.
fn compound(path: &(String, String, String)) -> String {
    format!("{}/{}", path.1, path.2)
}

async fn look(call: &Call, shelf: &Shelf, about: &str, in_ms: u64) -> Result<(), Refusal> {
    let origin = origin(&call.uri);
    let looked = call.edge.look(shelf, &origin, about, in_ms).await;
    looked.map_err(|e| unavailable(&e))
}

/// Where this edge is.
fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.authority().map_or("", |authority| authority.as_str());
    format!("{scheme}://{host}")
}

/// What the query says of a file.
fn given(uri: &Uri) -> Result<Given, Refusal> {
    let invalid = |detail: &str| Refusal(Problem::new(Code::InvalidParameter, detail));
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = pairs.map_err(|_| invalid("The query cannot be read."))?;
    let mut given = Given::default();
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
    bulle_edge_core::sources::given::check_upload(&given)?;
    Ok(given)
}

/// The file, and what is known of it now.
async fn receive(call: &mut Call, mut given: Given) -> Result<(Given, Vec<u8>), Refusal> {
    let body = std::mem::replace(&mut call.body, Body::empty());
    let bytes = axum::body::to_bytes(body, MAX_FILE_BYTES).await;
    let too_large = |_| Problem::new(Code::BodyTooLarge, http::at_most(MAX_FILE_BYTES));
    let bytes: Vec<u8> = bytes.map_err(too_large)?.into();
    if bytes.is_empty() {
        let detail = "body: the file is empty. Send its bytes as the body of the request.";
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    let kind = http::header(&call.headers, "content-type").unwrap_or_default();
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
