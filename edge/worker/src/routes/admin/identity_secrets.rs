//! `/v1/admin/tenants/{tenant}/identity-secrets`: the secrets with which a site's server signs visitors' identities.

use axum::extract::Path;
use bulle_api::admin::Scope;
#[cfg(test)]
use bulle_api::admin::{CreatedIdentitySecret, IdentitySecret, NewIdentitySecret, Page};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    create, crud,
};
use crate::{http::Answer, repositories::owners::identity_secrets};

/// The tenant's identity secrets, oldest first, without the secrets themselves.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/identity-secrets", tag = "owner", operation_id = "identity_secret_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<IdentitySecret>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::IdentityRead).await?;
    crud::list(&context, &identity_secrets::KIND, &tenant, &[]).await
}

/// Creates an identity secret: at most two at a time, so that servers can change from the old to the new one. The answer
/// shows it once.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/identity-secrets", tag = "owner", operation_id = "identity_secret_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = Option<NewIdentitySecret>, responses((status = 201, body = CreatedIdentitySecret, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::IdentityWrite).await?;
    create::create(context, &identity_secrets::CREATION, &caller, &tenant).await
}

/// Deletes an identity secret: identities that were signed with it are refused from then on, and their sessions end.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/identity-secrets/{id}", tag = "owner", operation_id = "identity_secret_delete", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::IdentityWrite).await?;
    let found = context
        .edge
        .owned()
        .delete_identity_secret(&tenant, &id)
        .await
        .map_err(|e| unavailable(&e))?;
    let sites = context.edge.owned().all_site_keys(&tenant).await;
    crud::forget(&context.edge, &sites.map_err(|e| unavailable(&e))?).await;
    crud::deleted(found)
}
