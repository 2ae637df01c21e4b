//! What is done to things of every kind: listed, shown, changed, deleted.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use bulle_edge_core::{
    admin::{
        nothing_here,
        precondition::{covers, etag, failed, required},
    },
    guard::directory,
    ports::Clock,
};
use serde_json::Value;

use super::{access::unavailable, call::Call, query::filter};
use crate::{
    adapters::Edge,
    http::{Answer, Refusal, json, read_json},
    log,
    repositories::owners::{Changes, Kind, Row},
};

/// How often a change is tried that may be made to any version, while others make theirs.
const ATTEMPTS: u32 = 5;

/// Lists things of a kind; `filters` are those that it knows.
pub async fn list(call: &Call, kind: &Kind, tenant_id: &str, filters: &[&str]) -> Answer {
    list_of(call, kind, tenant_id, None, filters).await
}

/// Lists those of a bot.
pub async fn list_of(
    call: &Call,
    kind: &Kind,
    tenant_id: &str,
    bot_id: Option<&str>,
    filters: &[&str],
) -> Answer {
    let mut filter = filter(&call.uri, filters)?;
    if let Some(bot_id) = bot_id {
        filter.bot = Some(bot_id.to_owned());
    }
    let list = call.edge.owned().page(kind, tenant_id, &filter).await;
    json(StatusCode::OK, &list.map_err(|e| unavailable(&e))?)
}

/// Shows a thing.
pub async fn show(call: &Call, kind: &Kind, tenant_id: &str, id: &str) -> Answer {
    let found = load(call, kind, tenant_id, id).await?;
    let known = field(&call.headers, &header::IF_NONE_MATCH);
    if known.is_some_and(|known| covers(&known, found.version())) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        tag(&mut response, found.version());
        return Ok(response);
    }
    answer(kind, &found)
}

/// Applies a merge patch to a thing.
pub async fn change(mut call: Call, changes: &Changes, tenant_id: &str, id: &str) -> Answer {
    let patch: Value = read_json(std::mem::take(&mut call.body)).await?;
    let edge = &call.edge;
    let now_ms = edge.now_ms();
    let mut tried = None;
    for _ in 0..ATTEMPTS {
        let found = precondition(&call, changes.kind, tenant_id, id).await?;
        let version = found.version();
        let Some(change) = (changes.apply)(&found.item, patch.clone(), now_ms)? else {
            return answer(changes.kind, &found);
        };
        // The right version, and yet it could not be changed.
        if tried == Some(version)
            && let Some(problem) = change.refusal
        {
            return Err(problem.into());
        }
        let owned = edge.owned();
        let done = owned.change(changes, (tenant_id, id, version), &change, now_ms);
        if let Some((changed, sites)) = done.await.map_err(|e| unavailable(&e))? {
            forget(edge, &sites).await;
            return answer(changes.kind, &changed);
        }
        tried = Some(version);
    }
    Err(failed().into())
}

/// Deletes a thing and all that belongs to it.
pub async fn delete(call: &Call, changes: &Changes, tenant_id: &str, id: &str) -> Answer {
    let edge = &call.edge;
    for _ in 0..ATTEMPTS {
        let found = precondition(call, changes.kind, tenant_id, id).await?;
        let owned = edge.owned();
        let done = owned.delete(changes, (tenant_id, id, found.version()));
        if let Some(sites) = done.await.map_err(|e| unavailable(&e))? {
            forget(edge, &sites).await;
            return Ok(empty(StatusCode::NO_CONTENT));
        }
    }
    Err(failed().into())
}

/// An answer without a body, if there was something to delete.
pub fn deleted(found: bool) -> Answer {
    if found {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    Err(nothing_here().into())
}

/// Lets visitors notice. What cannot be forgotten now is forgotten when its time in the cache is up.
pub async fn forget(edge: &Edge, sites: &[String]) {
    let keys: Vec<&str> = sites.iter().map(String::as_str).collect();
    if !directory::forget(edge, &keys).await {
        let line =
            serde_json::json!({ "error": "a change shows late: the cache failed", "sites": keys });
        log::error_line(&line);
    }
}

/// Marks the version of the one thing that an answer shows.
fn tag(response: &mut Response<Body>, version: u64) {
    if let Ok(value) = HeaderValue::from_str(&etag(version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// A header whose lines make one list.
fn field(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let lines = headers.get_all(name).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// The thing, which is there.
pub async fn load(call: &Call, kind: &Kind, tenant_id: &str, id: &str) -> Result<Row, Refusal> {
    let found = call.edge.owned().get(kind, tenant_id, id).await;
    let found = found.map_err(|e| unavailable(&e))?;
    Ok(found.ok_or_else(nothing_here)?)
}

/// The thing, if it is what the caller has read.
pub async fn precondition(
    call: &Call,
    kind: &Kind,
    tenant_id: &str,
    id: &str,
) -> Result<Row, Refusal> {
    let found = load(call, kind, tenant_id, id).await?;
    let wanted = field(&call.headers, &header::IF_MATCH);
    if !covers(required(wanted.as_deref())?, found.version()) {
        return Err(failed().into());
    }
    Ok(found)
}

/// Shows a thing that was loaded.
pub fn answer(kind: &Kind, found: &Row) -> Answer {
    let shown = (kind.show)(&found.item).map_err(|e| unavailable(&e))?;
    let mut response = text(StatusCode::OK, shown);
    tag(&mut response, found.version());
    Ok(response)
}

/// JSON that nobody keeps.
pub fn text(status: StatusCode, json: String) -> Response<Body> {
    let mut response = empty(status);
    *response.body_mut() = Body::from(json);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
