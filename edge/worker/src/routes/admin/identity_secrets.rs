//! `/v1/admin/tenants/{tenant}/identity-secrets`: with what a site's server vouches for visitors.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
#[cfg(test)]
use bulle_protocol::admin::{CreatedIdentitySecret, NewIdentitySecret, Page};
use bulle_protocol::admin::{IdentitySecret, Scope};
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

/// The tenant's identity secrets, oldest first, without the secrets themselves.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/identity-secrets", tag = "owner", operation_id = "identity_secret_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<IdentitySecret>), Refusals)))]
#[send]
pub async fn list(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    query: Pairs,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::IdentityRead).await?;
    things::list::<IdentitySecret>(&edge, &tenant, query, &[]).await
}

/// Creates an identity secret: at most two at a time, so that servers can change from the old to the new one. The answer
/// shows it once.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/identity-secrets", tag = "owner", operation_id = "identity_secret_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = Option<NewIdentitySecret>, responses((status = 201, body = CreatedIdentitySecret, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn create(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let caller = authorize(&edge, &headers, &tenant, Scope::IdentityWrite).await?;
    creation::create::<IdentitySecret>(&edge, &caller, &tenant, &uri, &headers, body).await
}

/// Deletes an identity secret: nothing that was signed with it is accepted any more.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/identity-secrets/{id}", tag = "owner", operation_id = "identity_secret_delete", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::IdentityWrite).await?;
    let found = edge.delete_identity_secret(&tenant, &id).await;
    let found = found.map_err(|e| unavailable(&e))?;
    let sites = edge.all_site_keys(&tenant).await;
    things::forget(&edge, &sites.map_err(|e| unavailable(&e))?).await;
    things::deleted(found)
}
