//! `/v1/admin/tenants/{tenant}/bots`: who answers.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
use bulle_protocol::admin::{Bot, Scope};
#[cfg(test)]
use bulle_protocol::admin::{BotChange, NewBot, Page};
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{access::authorize, creation, query::Pairs, things};
use crate::{adapters::Edge, http::Answer};

/// A page of the tenant's bots, in the order of their ids.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots", tag = "owner", operation_id = "bot_list", security(("api_key" = [])),
    params(TenantPath, Paging, ByStatus), responses((status = 200, body = Page<Bot>), Refusals)))]
#[send]
pub async fn list(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    query: Pairs,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::BotsRead).await?;
    things::list::<Bot>(&edge, &tenant, query, &["status"]).await
}

/// Creates a bot.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots", tag = "owner", operation_id = "bot_create", security(("api_key" = [])),
    params(TenantPath, IdempotencyKey), request_body = NewBot, responses((status = 201, body = Bot, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn create(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let caller = authorize(&edge, &headers, &tenant, Scope::BotsWrite).await?;
    creation::create::<Bot>(&edge, &caller, &tenant, &uri, &headers, body).await
}

/// A bot.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_get", security(("api_key" = [])),
    params(TenantPath, BotPath, IfNoneMatch), responses((status = 200, body = Bot, headers(("ETag" = String, description = "Its version"))), (status = 304, description = "Not modified"), Refusals)))]
#[send]
pub async fn get(
    State(edge): State<Edge>,
    Path((tenant, bot)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::BotsRead).await?;
    things::show::<Bot>(&edge, &headers, &tenant, &bot).await
}

/// Changes a bot by a JSON merge patch. Visitors notice at once, far away within about a minute.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_change", security(("api_key" = [])),
    params(TenantPath, BotPath, IfMatch), request_body(content = BotChange, content_type = "application/merge-patch+json"), responses((status = 200, body = Bot, headers(("ETag" = String, description = "Its version"))), Refusals)))]
#[send]
pub async fn change(
    State(edge): State<Edge>,
    Path((tenant, bot)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::BotsWrite).await?;
    things::change::<Bot>(&edge, &headers, &tenant, &bot, body).await
}

/// Deletes a bot with its sites, documents and conversations.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/bots/{bot}", tag = "owner", operation_id = "bot_delete", security(("api_key" = [])),
    params(TenantPath, BotPath, IfMatch), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(
    State(edge): State<Edge>,
    Path((tenant, bot)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authorize(&edge, &headers, &tenant, Scope::BotsWrite).await?;
    things::delete::<Bot>(&edge, &headers, &tenant, &bot).await
}
