//! `/v1/admin/tenants/{tenant}/audit`: who did what.

use axum::extract::Path;
use bulle_api::admin::Scope;
#[cfg(test)]
use bulle_api::admin::{Page, audit::AuditEntry};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, operator},
    context::OwnerContext,
    crud,
};
use crate::{http::Answer, repositories::owners::audit};

/// Who changed what in the tenant, and who read conversations, prompts, forms or secrets; newest first, for a year.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/audit", tag = "owner", operation_id = "audit_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<AuditEntry>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::AuditRead).await?;
    crud::list(&context, &audit::KIND, &tenant, &[]).await
}

/// What was done that belongs to no tenant: sign-ins, links of the operator, tenants made and deleted; newest first, for a
/// year. For the operator.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/audit", tag = "owner", operation_id = "operator_audit_list", security(("api_key" = [])),
    params(Paging), responses((status = 200, body = Page<AuditEntry>), Refusals)))]
#[send]
pub async fn list_of_operator(context: OwnerContext) -> Answer {
    operator(&context, None).await?;
    crud::list(&context, &audit::KIND, "", &[]).await
}
