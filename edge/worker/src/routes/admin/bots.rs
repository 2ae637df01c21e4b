//! `/v1/admin/tenants/{tenant}/bots`: bots.

use axum::extract::Path;
use bulle_api::admin::{Bot, Scope};
#[cfg(test)]
use bulle_api::admin::{BotChange, NewBot, Page};
use bulle_edge_core::json;
use bulle_protocol::problem::{Code, Problem};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, authorize_selected},
    context::OwnerContext,
    create, crud,
    query::filter,
    sources,
};
use crate::{
    http::{Answer, Refusal},
    repositories::owners::bots,
};

/// A page of the tenant's bots, in the order of their ids; of a person who is limited to some, these.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots", tag = "owner", operation_id = "bot_list", security(("api_key" = [])),
    params(TenantPath, Paging, ByStatus), responses((status = 200, body = Page<Bot>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize_selected(&context, &tenant, Scope::BotsRead).await?;
    let mut filter = filter(&context.uri, &["status"])?;
    filter.bots = caller.bots().map(<[String]>::to_vec);
    crud::page(&context, &bots::KIND, &tenant, &filter).await
}

/// Creates a bot.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots", tag = "owner", operation_id = "bot_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = NewBot, responses((status = 201, body = Bot, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn create(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::BotsWrite).await?;
    create::create(context, &bots::CREATION, &caller, &tenant).await
}

/// A bot.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_get", security(("api_key" = [])),
    params(TenantPath, BotPath, IfNoneMatch), responses((status = 200, body = Bot, headers(("ETag" = String, description = "Version of the resource"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::BotsRead).await?;
    crud::show(&context, &bots::KIND, &tenant, &bot).await
}

/// Changes a bot by a JSON merge patch. Visitors see the change at once, in other regions within about a minute.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_change", security(("api_key" = [])),
    params(TenantPath, BotPath, IfMatch), request_body(content = BotChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Bot, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn change(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::BotsWrite).await?;
    crud::change(context, caller, &bots::CHANGES, &tenant, &bot).await
}

/// Deletes a bot with its sites, documents and conversations.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_delete", security(("api_key" = [])),
    params(TenantPath, BotPath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::BotsWrite).await?;
    let gone = crud::delete(&context, &bots::CHANGES, &tenant, &bot).await?;
    sources::bot_is_gone(&context, tenant, bot).await;
    Ok(gone)
}

/// Name and locale of an existing bot.
pub async fn voice(
    context: &OwnerContext,
    tenant: &str,
    bot: &str,
) -> Result<(String, String), Refusal> {
    let found = crud::load(context, &bots::KIND, tenant, bot).await?;
    let bot: Bot = json::read(&found.item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    Ok((bot.settings.name, bot.settings.locale))
}
