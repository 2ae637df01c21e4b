//! `/v1/admin/tenants/{tenant}/forms`: what visitors have answered to forms.

use axum::extract::Path;
#[cfg(test)]
use bulle_api::admin::Page;
use bulle_api::admin::Scope;
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{Call, access::authorize, things};
use crate::{adapters::owners::forms, http::Answer};

/// What visitors have answered to forms, newest first.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/forms", tag = "owner", operation_id = "form_list", security(("api_key" = [])),
    params(TenantPath, Paging, ByBot), responses((status = 200, body = Page<FormAnswers>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, call: Call) -> Answer {
    authorize(&call, &tenant, Scope::ConversationsRead).await?;
    things::list(&call, &forms::KIND, &tenant, &["bot"]).await
}
