//! Listing, showing, changing and deleting resources of any kind.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use bulle_edge_core::{
    admin::{
        Principal, nothing_here,
        precondition::{covers, etag, failed, required},
    },
    guard::directory,
    ports::Clock,
};
use bulle_protocol::Id;
use serde_json::Value;

use super::{access::unavailable, context::OwnerContext, query::filter};
use crate::{
    adapters::Edge,
    config,
    http::{Answer, Refusal, json, read_json},
    log,
    repositories::owners::{ChangeContext, Changes, Filter, ResourceKind, ResourceRow},
};

/// How often a change with `If-Match: *` is tried when other changes come between.
pub const ATTEMPTS: u32 = 5;

/// Lists the resources of a kind; `filters` are the parameters that its list knows.
pub async fn list(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    filters: &[&str],
) -> Answer {
    list_of(context, kind, tenant_id, None, filters).await
}

/// Lists the resources of a kind that belong to a bot, or all of the tenant.
pub async fn list_of(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    bot_id: Option<&str>,
    filters: &[&str],
) -> Answer {
    let mut filter = filter(&context.uri, filters)?;
    if let Some(bot_id) = bot_id {
        filter.bot = Some(bot_id.to_owned());
    }
    page(context, kind, tenant_id, &filter).await
}

/// Shows a page of resources.
pub async fn page(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    filter: &Filter,
) -> Answer {
    let list = context.edge.owned().page(kind, tenant_id, filter).await;
    json(StatusCode::OK, &list.map_err(|e| unavailable(&e))?)
}

/// Shows a resource.
pub async fn show(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    id: &str,
) -> Answer {
    let found = load(context, kind, tenant_id, id).await?;
    let known = field(&context.headers, &header::IF_NONE_MATCH);
    if known.is_some_and(|known| covers(&known, found.version())) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        tag(&mut response, found.version());
        return Ok(response);
    }
    answer(kind, &found)
}

/// Changes a resource by a JSON merge patch.
pub async fn change(
    mut context: OwnerContext,
    caller: Principal,
    changes: &Changes,
    tenant_id: &str,
    id: &str,
) -> Answer {
    let patch: Value = read_json(std::mem::take(&mut context.body)).await?;
    let edge = &context.edge;
    let now_ms = edge.now_ms();
    let checked = ChangeContext {
        caller,
        now_ms,
        policy: config::address_policy(edge.env()),
    };
    let mut tried = None;
    for _ in 0..ATTEMPTS {
        let found = precondition(&context, changes.kind, tenant_id, id).await?;
        let version = found.version();
        let Some(change) = (changes.apply)(&found.item, patch.clone(), &checked)? else {
            return answer(changes.kind, &found);
        };
        // The version matches, and yet the statement refused the change.
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

/// Deletes a resource and all that belongs to it.
pub async fn delete(
    context: &OwnerContext,
    changes: &Changes,
    tenant_id: &str,
    id: &str,
) -> Answer {
    let edge = &context.edge;
    for _ in 0..ATTEMPTS {
        let found = precondition(context, changes.kind, tenant_id, id).await?;
        let owned = edge.owned();
        let done = owned.delete(changes, (tenant_id, id, found.version()));
        if let Some(sites) = done.await.map_err(|e| unavailable(&e))? {
            forget(edge, &sites).await;
            return Ok(empty(StatusCode::NO_CONTENT));
        }
    }
    Err(failed().into())
}

/// 204 when a resource was deleted, else `not_found`.
pub fn deleted(found: bool) -> Answer {
    if found {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    Err(nothing_here().into())
}

/// Deletes sites from the cache, so that a change takes effect at once. Where that fails, it takes effect when the
/// cache expires.
pub async fn forget(edge: &Edge, sites: &[String]) {
    let keys: Vec<&str> = sites.iter().map(String::as_str).collect();
    if !directory::forget(edge, &keys).await {
        let line =
            serde_json::json!({ "error": "a change shows late: the cache failed", "sites": keys });
        log::error_line(&line);
    }
}

/// Sets the address of something new, below the path that made it.
pub fn located(response: &mut Response<Body>, path: &str, id: Id) {
    if let Ok(value) = HeaderValue::from_str(&format!("{path}/{id}")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
}

/// Sets the `ETag` of the resource that an answer shows.
fn tag(response: &mut Response<Body>, version: u64) {
    if let Ok(value) = HeaderValue::from_str(&etag(version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// The values of a header that may come in several lines, as one list.
fn field(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// Loads a resource, or refuses with `not_found`.
pub async fn load(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    id: &str,
) -> Result<ResourceRow, Refusal> {
    let found = context
        .edge
        .owned()
        .get(kind, tenant_id, id)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(found.ok_or_else(nothing_here)?)
}

/// Loads a resource whose version is the one that the caller has read.
pub async fn precondition(
    context: &OwnerContext,
    kind: &ResourceKind,
    tenant_id: &str,
    id: &str,
) -> Result<ResourceRow, Refusal> {
    let found = load(context, kind, tenant_id, id).await?;
    let wanted = field(&context.headers, &header::IF_MATCH);
    if !covers(required(wanted.as_deref())?, found.version()) {
        return Err(failed().into());
    }
    Ok(found)
}

/// Shows a resource that was loaded.
pub fn answer(kind: &ResourceKind, found: &ResourceRow) -> Answer {
    let shown = (kind.show)(&found.item).map_err(|e| unavailable(&e))?;
    let mut response = text(StatusCode::OK, shown);
    tag(&mut response, found.version());
    Ok(response)
}

/// JSON in an answer that no cache keeps.
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
