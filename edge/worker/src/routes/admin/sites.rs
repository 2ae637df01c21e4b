//! `/v1/admin/tenants/{tenant}/sites`: sites that show bots.

use axum::{extract::Path, http::StatusCode};
#[cfg(test)]
use bulle_api::admin::{NewSite, Page, Site, SiteChange};
use bulle_api::admin::{Scope, snippet::Snippets};
use bulle_edge_core::admin::snippet;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{access::authorize, context::OwnerContext, create, crud};
use crate::{
    http::{Answer, json, own_address},
    repositories::owners::sites,
};

/// A page of the tenant's sites, in the order of their keys.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/sites", tag = "owner", operation_id = "site_list", security(("api_key" = [])),
    params(TenantPath, Paging, ByStatus, ByBot), responses((status = 200, body = Page<Site>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::SitesRead).await?;
    crud::list(&context, &sites::KIND, &tenant, &["status", "bot"]).await
}

/// Creates a site. Its key is made by the edge: the last part of `Location`.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/sites", tag = "owner", operation_id = "site_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = NewSite, responses((status = 201, body = Site, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::SitesWrite).await?;
    create::create(context, &sites::CREATION, &caller, &tenant).await
}

/// A site.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/sites/{key}", tag = "owner", operation_id = "site_get", security(("api_key" = [])),
    params(TenantPath, SitePath, IfNoneMatch), responses((status = 200, body = Site, headers(("ETag" = String, description = "Version of the resource"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path((tenant, key)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::SitesRead).await?;
    crud::show(&context, &sites::KIND, &tenant, &key).await
}

/// Changes a site by a JSON merge patch. Visitors see the change at once, in other regions within about a minute.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/sites/{key}", tag = "owner", operation_id = "site_change", security(("api_key" = [])),
    params(TenantPath, SitePath, IfMatch), request_body(content = SiteChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Site, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn change(Path((tenant, key)): Path<(String, String)>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::SitesWrite).await?;
    crud::change(context, caller, &sites::CHANGES, &tenant, &key).await
}

/// Deletes a site. Its bot and the bot's conversations stay.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/sites/{key}", tag = "owner", operation_id = "site_delete", security(("api_key" = [])),
    params(TenantPath, SitePath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path((tenant, key)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::SitesWrite).await?;
    crud::delete(&context, &sites::CHANGES, &tenant, &key).await
}

/// Code that puts the bubble onto a site's pages: the script tag, and components for frameworks, with the key and this
/// edge's address.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/sites/{key}/snippets", tag = "owner", operation_id = "site_snippets", security(("api_key" = [])),
    params(TenantPath, SitePath), responses((status = 200, body = Snippets), Refusals)))]
#[send]
pub async fn snippets(
    Path((tenant, key)): Path<(String, String)>,
    context: OwnerContext,
) -> Answer {
    authorize(&context, &tenant, Scope::SitesRead).await?;
    crud::load(&context, &sites::KIND, &tenant, &key).await?;
    let items = snippet::snippets(&own_address(&context.edge, &context.uri)?, &key);
    json(StatusCode::OK, &Snippets { items })
}
