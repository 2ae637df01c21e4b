//! `/v1/admin/tenants/{tenant}/keys`: the API keys of a tenant.

use axum::extract::Path;
use bulle_api::admin::Scope;
#[cfg(test)]
use bulle_api::admin::{ApiKey, CreatedApiKey, NewApiKey, Page};
use bulle_edge_core::ports::Clock;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    create, crud,
};
use crate::{http::Answer, repositories::owners::keys};

/// A page of the tenant's API keys, oldest first, without their secret parts.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/keys", tag = "owner", operation_id = "key_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<ApiKey>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KeysRead).await?;
    crud::list(&context, &keys::KIND, &tenant, &[]).await
}

/// Creates an API key, with no more scopes than that of the caller. The answer shows it once.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/keys", tag = "owner", operation_id = "key_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = NewApiKey, responses((status = 201, body = CreatedApiKey, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::KeysWrite).await?;
    create::create(context, &keys::CREATION, &caller, &tenant).await
}

/// An API key, without its secret part.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/keys/{id}", tag = "owner", operation_id = "key_get", security(("api_key" = [])),
    params(TenantPath, IdPath, IfNoneMatch), responses((status = 200, body = ApiKey, headers(("ETag" = String, description = "Version of the resource"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KeysRead).await?;
    crud::show(&context, &keys::KIND, &tenant, &id).await
}

/// Revokes an API key: it is refused from now on, and stays in the list.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/keys/{id}", tag = "owner", operation_id = "key_revoke", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Revoked"), Refusals)))]
#[send]
pub async fn revoke(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KeysWrite).await?;
    let found = context
        .edge
        .owned()
        .revoke_key(&tenant, &id, context.edge.now_ms())
        .await;
    crud::deleted(found.map_err(|e| unavailable(&e))?)
}
