//! `/v1/admin/tenants/{tenant}/keys`: who may use this API for a tenant.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
use bulle_edge_core::ports::Clock;
use bulle_protocol::admin::{ApiKey, Scope};
#[cfg(test)]
use bulle_protocol::admin::{CreatedApiKey, NewApiKey, Page};
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{
    access::{authorize, unavailable},
    creation,
    query::Pairs,
    things,
};
use crate::{adapters::Edge, http::Answer};

/// A page of the tenant's API keys, oldest first, without their secret parts.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/keys", tag = "owner", operation_id = "key_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<ApiKey>), Refusals)))]
#[send]
pub async fn list(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    query: Pairs,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::KeysRead).await?;
    things::list::<ApiKey>(&edge, &tenant, query, &[]).await
}

/// Creates an API key, with no more scopes than that of the caller. The answer shows it once.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/keys", tag = "owner", operation_id = "key_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = NewApiKey, responses((status = 201, body = CreatedApiKey, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn create(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let caller = authorize(&edge, &headers, &tenant, Scope::KeysWrite).await?;
    creation::create::<ApiKey>(&edge, &caller, &tenant, &uri, &headers, body).await
}

/// An API key, without its secret part.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/keys/{id}", tag = "owner", operation_id = "key_get", security(("api_key" = [])),
    params(TenantPath, IdPath, IfNoneMatch), responses((status = 200, body = ApiKey, headers(("ETag" = String, description = "Its version"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::KeysRead).await?;
    things::show::<ApiKey>(&edge, &headers, &tenant, &id).await
}

/// Revokes an API key: it is refused from now on, and stays in the list.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/keys/{id}", tag = "owner", operation_id = "key_revoke", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Revoked"), Refusals)))]
#[send]
pub async fn revoke(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::KeysWrite).await?;
    let found = edge.revoke_key(&tenant, &id, edge.now_ms()).await;
    things::deleted(found.map_err(|e| unavailable(&e))?)
}
