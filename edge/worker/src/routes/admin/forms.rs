//! `/v1/admin/tenants/{tenant}/forms`: visitors' answers to forms.

use axum::extract::Path;
#[cfg(test)]
use bulle_api::admin::Page;
use bulle_api::admin::Scope;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{access::authorize, context::OwnerContext, crud};
use crate::{http::Answer, repositories::owners::forms};

/// Visitors' answers to forms, newest first.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/forms", tag = "owner", operation_id = "form_list", security(("api_key" = [])),
    params(TenantPath, Paging, ByBot), responses((status = 200, body = Page<FormAnswers>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::ConversationsRead).await?;
    crud::list(&context, &forms::KIND, &tenant, &["bot"]).await
}
