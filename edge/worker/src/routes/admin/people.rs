//! `/v1/admin/tenants/{tenant}/people`: who belongs to a tenant.

use axum::{body::Body, extract::Path};
#[cfg(test)]
use bulle_api::{admin::Page, people::MemberChange};
use bulle_api::{admin::Scope, people::Member};
use bulle_edge_core::{admin::precondition::failed, json, people::last_owner, ports::PortError};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    crud,
};
use crate::{
    http::{Answer, nothing, read_text},
    repositories::owners::members,
};

/// A page of the tenant's people, in the order in which they got their accounts.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/people", tag = "owner", operation_id = "person_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<Member>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::PeopleRead).await?;
    crud::list(&context, &members::KIND, &tenant, &[]).await
}

/// A person of the tenant.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/people/{id}", tag = "owner", operation_id = "person_get", security(("api_key" = [])),
    params(TenantPath, IdPath, IfNoneMatch), responses((status = 200, body = Member, headers(("ETag" = String, description = "Version of the resource"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::PeopleRead).await?;
    crud::show(&context, &members::KIND, &tenant, &id).await
}

/// Changes what a person may do, by a JSON merge patch; from their next request on. Only owners change owners, and the
/// last owner who reaches all of the tenant stays one.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/people/{id}", tag = "owner", operation_id = "person_change", security(("api_key" = [])),
    params(TenantPath, IdPath, IfMatch), request_body(content = MemberChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Member, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn change(
    Path((tenant, id)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let caller = authorize(&context, &tenant, Scope::PeopleWrite).await?;
    let patch = read_text(std::mem::take(&mut context.body)).await?;
    let audited = context.audited.clone();
    context.body = Body::from(patch.clone());
    let changed = crud::change(context, caller, &members::CHANGES, &tenant, &id).await?;
    // The patch was taken, so it holds a role, bots and rights, and nothing else.
    audited.detail(patch);
    Ok(changed)
}

/// Removes a person from the tenant: their keys are gone and their sessions end, at once. Whoever is left in no tenant has
/// no account any more. Only owners remove owners, and the last owner who reaches all of the tenant stays.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/people/{id}", tag = "owner", operation_id = "person_remove", security(("api_key" = [])),
    params(TenantPath, IdPath, IfMatch), responses((status = 204, description = "Removed"), Refusals)))]
#[send]
pub async fn remove(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::PeopleWrite).await?;
    let mut tried = None;
    for _ in 0..crud::ATTEMPTS {
        let found = crud::precondition(&context, &members::KIND, &tenant, &id).await?;
        let member: Member =
            json::read(&found.item).map_err(|e| unavailable(&PortError(e.to_string())))?;
        caller.may_give(member.role)?;
        // The version matches, and yet the statement refused the removal.
        if tried == Some(found.version()) {
            return Err(last_owner().into());
        }
        let owned = context.edge.owned();
        let removed = owned.remove_member(&tenant, &id, found.version()).await;
        if removed.map_err(|e| unavailable(&e))? {
            return Ok(nothing());
        }
        tried = Some(found.version());
    }
    Err(failed().into())
}
