//! `/v1/admin/tenants`: owners. The operator creates, lists and deletes them.

use axum::extract::Path;
use bulle_api::admin::Scope;
#[cfg(test)]
use bulle_api::admin::{NewTenant, Page, Tenant, TenantChange};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, operator, unavailable},
    context::OwnerContext,
    create, crud, sources,
};
use crate::{http::Answer, repositories::owners::tenants};

/// The operator's creations belong to no tenant.
const NOBODY: &str = "";

/// A page of tenants, in the order of their ids. For the operator.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants", tag = "owner", operation_id = "tenant_list", security(("api_key" = [])),
    params(Paging, ByStatus), responses((status = 200, body = Page<Tenant>), Refusals)))]
#[send]
pub async fn list(context: OwnerContext) -> Answer {
    operator(&context, None).await?;
    crud::list(&context, &tenants::KIND, NOBODY, &["status"]).await
}

/// Creates a tenant. For the operator.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants", tag = "owner", operation_id = "tenant_create", security(("api_key" = [])),
    params(IdempotencyKey), request_body = NewTenant, responses((status = 201, body = Tenant, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(context: OwnerContext) -> Answer {
    let caller = operator(&context, None).await?;
    create::create(context, &tenants::CREATION, &caller, NOBODY).await
}

/// A tenant.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_get", security(("api_key" = [])),
    params(TenantPath, IfNoneMatch), responses((status = 200, body = Tenant, headers(("ETag" = String, description = "Version of the resource"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::TenantRead).await?;
    crud::show(&context, &tenants::KIND, &tenant, &tenant).await
}

/// Changes a tenant by a JSON merge patch.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_change", security(("api_key" = [])),
    params(TenantPath, IfMatch), request_body(content = TenantChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Tenant, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn change(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::TenantWrite).await?;
    crud::change(context, caller, &tenants::CHANGES, &tenant, &tenant).await
}

/// Deletes a tenant and all of the tenant's data in the database. For the operator.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}", tag = "owner", operation_id = "tenant_delete", security(("api_key" = [])),
    params(TenantPath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    operator(&context, Some(&tenant)).await?;
    let bots = context
        .edge
        .library()
        .bot_ids(&tenant)
        .await
        .map_err(|e| unavailable(&e))?;
    let gone = crud::delete(&context, &tenants::CHANGES, &tenant, &tenant).await?;
    for bot in bots {
        sources::bot_is_gone(&context, tenant.clone(), bot).await;
    }
    Ok(gone)
}
