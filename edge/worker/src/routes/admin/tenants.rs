//! `/v1/admin/tenants`: owners. The operator creates, lists and deletes them.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
#[cfg(test)]
use bulle_protocol::admin::{NewTenant, Page, TenantChange};
use bulle_protocol::admin::{Scope, Tenant};
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{
    access::{authorize, operator},
    creation,
    query::Pairs,
    things,
};
use crate::{adapters::Edge, http::Answer};

/// The operator's creations belong to no tenant.
const NOBODY: &str = "";

/// A page of tenants, in the order of their ids. For the operator.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants", tag = "owner", operation_id = "tenant_list", security(("api_key" = [])),
    params(Paging, ByStatus), responses((status = 200, body = Page<Tenant>), Refusals)))]
#[send]
pub async fn list(State(edge): State<Edge>, query: Pairs, headers: HeaderMap) -> Answer {
    operator(&edge, &headers, None).await?;
    things::list::<Tenant>(&edge, NOBODY, query, &["status"]).await
}

/// Creates a tenant. For the operator.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants", tag = "owner", operation_id = "tenant_create", security(("api_key" = [])),
    params(IdempotencyKey), request_body = NewTenant, responses((status = 201, body = Tenant, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn create(State(edge): State<Edge>, uri: Uri, headers: HeaderMap, body: Body) -> Answer {
    let caller = operator(&edge, &headers, None).await?;
    creation::create::<Tenant>(&edge, &caller, NOBODY, &uri, &headers, body).await
}

/// A tenant.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_get", security(("api_key" = [])),
    params(TenantPath, IfNoneMatch), responses((status = 200, body = Tenant, headers(("ETag" = String, description = "Its version"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::TenantRead).await?;
    things::show::<Tenant>(&edge, &headers, &tenant, &tenant).await
}

/// Changes a tenant by a JSON merge patch.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_change", security(("api_key" = [])),
    params(TenantPath, IfMatch), request_body(content = TenantChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Tenant, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn change(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::TenantWrite).await?;
    things::change::<Tenant>(&edge, &headers, &tenant, &tenant, body).await
}

/// Deletes a tenant and everything that is theirs. For the operator.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_delete", security(("api_key" = [])),
    params(TenantPath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Answer {
    operator(&edge, &headers, Some(&tenant)).await?;
    things::delete::<Tenant>(&edge, &headers, &tenant, &tenant).await
}
