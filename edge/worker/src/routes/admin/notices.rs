//! `/v1/admin/tenants/{tenant}/notices`: notices to owners, with their deliveries.

use axum::{extract::Path, http::StatusCode};
#[cfg(test)]
use bulle_api::{admin::Page, notice::Notice};
use bulle_api::{
    admin::{Scope, Tenant},
    notice::NoticeSecret,
};
use bulle_edge_core::notice::{Recipient, test as send_test, webhook};
use bulle_protocol::problem::{Code, Problem};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    crud,
};
use crate::{
    adapters::notices::log,
    config,
    http::{Answer, json},
    repositories::owners::{notices, tenants},
};

/// Notices to the owner, newest first: budgets that are used up, models that do not answer, tests; each with its
/// deliveries.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/notices", tag = "owner", operation_id = "notice_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<Notice>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::NoticesRead).await?;
    crud::list(&context, &notices::KIND, &tenant, &[]).await
}

/// Sends a test notice to the addresses in `settings.notices` and returns its deliveries, within about 20 seconds when no
/// server answers there. At most 10 an hour.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/notices/test", tag = "owner", operation_id = "notice_test", security(("api_key" = [])),
    params(TenantPath), responses((status = 200, body = Notice), Refusals)))]
#[send]
pub async fn test(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::NoticesWrite).await?;
    let edge = &context.edge;
    let found = edge
        .owned()
        .get(&tenants::KIND, &tenant, &tenant)
        .await
        .map_err(|e| unavailable(&e))?;
    let item = found.ok_or_else(bulle_edge_core::admin::nothing_here)?.item;
    let owner: Tenant = bulle_edge_core::json::read(&item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    let to = Recipient {
        tenant_id: &tenant,
        settings: &owner.settings.notices,
        locale: "en",
    };
    let told = send_test(edge, to).await?;
    log(&told);
    let detail = "The notice could not be stored, so it was not sent. Try again in a few seconds.";
    let lost = || Problem::new(Code::StorageUnavailable, detail).retry_after(5);
    json(StatusCode::OK, &told.notice.ok_or_else(lost)?)
}

/// The key that signs the tenant's webhooks, as the libraries of Standard Webhooks take it.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/notices/secret", tag = "owner", operation_id = "notice_secret", security(("api_key" = [])),
    params(TenantPath), responses((status = 200, body = NoticeSecret), Refusals)))]
#[send]
pub async fn secret(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::NoticesWrite).await?;
    let secret = config::session_secret(context.edge.env())?;
    let secret = webhook::secret(&secret, &tenant);
    json(StatusCode::OK, &NoticeSecret { secret })
}
