//! `/v1/admin/tenants/{tenant}/bots/{bot}/golden`: questions with the passage that the owner expects.

use axum::{extract::Path, http::StatusCode};
#[cfg(test)]
use bulle_api::admin::golden::GoldenReport;
use bulle_api::admin::{Scope, golden::NewGoldenQuestions};
use bulle_edge_core::{
    ports::{Clock, Entropy},
    retrieval::golden::{MAX_QUESTIONS, check, look},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    bots::voice,
    context::OwnerContext,
    crud,
};
use crate::{
    http::{Answer, json, path_id, read_json},
    repositories::golden::{Added, Looked},
};

/// Results of the last search of the bot's golden questions, and of the search before the documents changed.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/golden", tag = "owner", operation_id = "golden_report", security(("api_key" = [])),
    params(TenantPath, BotPath), responses((status = 200, body = GoldenReport), Refusals)))]
#[send]
pub async fn report(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeRead).await?;
    voice(&context, &tenant, &bot).await?;
    shown(&context, &tenant, &bot, StatusCode::OK).await
}

/// Adds golden questions, all or none.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/golden", tag = "owner", operation_id = "golden_add", security(("api_key" = [])),
    params(TenantPath, BotPath), request_body = NewGoldenQuestions, responses((status = 201, body = GoldenReport), Refusals)))]
#[send]
pub async fn add(Path((tenant, bot)): Path<(String, String)>, mut context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    voice(&context, &tenant, &bot).await?;
    let new: NewGoldenQuestions = read_json(std::mem::take(&mut context.body)).await?;
    if new.items.is_empty() {
        let detail = "items: name at least one question with what is expected.";
        return Err(Problem::new(Code::InvalidValue, detail).into());
    }
    for (n, item) in new.items.iter().enumerate() {
        check(item, n)?;
    }
    let now = context.edge.now_ms();
    // Ids of the same millisecond are sorted by the order in which the questions were given.
    let first = context.edge.random() >> 1;
    let added: Vec<Added<'_>> = (new.items.iter().zip(0_u128..))
        .map(|(new, n)| Added {
            id: Id::from_parts(now, first.wrapping_add(n)),
            new,
        })
        .collect();
    let stored = context.edge.golden().add(&tenant, &bot, &added).await;
    if !stored.map_err(|e| unavailable(&e))? {
        let detail = format!("A bot has at most {MAX_QUESTIONS} golden questions. Delete some.");
        return Err(Problem::new(Code::TooMany, detail).into());
    }
    shown(&context, &tenant, &bot, StatusCode::CREATED).await
}

/// Searches all golden questions now, one search each, and returns the results.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/golden/run", tag = "owner", operation_id = "golden_run", security(("api_key" = [])),
    params(TenantPath, BotPath), responses((status = 200, body = GoldenReport), Refusals)))]
#[send]
pub async fn run(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let (name, locale) = voice(&context, &tenant, &bot).await?;
    let (before, knowledge) = context
        .edge
        .golden()
        .report(&tenant, &bot)
        .await
        .map_err(|e| unavailable(&e))?;
    let mut looked = Vec::with_capacity(before.items.len());
    for item in &before.items {
        let whose = (tenant.as_str(), bot.as_str());
        let (place, first) = look(
            &context.edge,
            whose,
            (&name, &locale),
            &item.question,
            &item.expected,
        )
        .await
        .map_err(|e| unavailable(&e))?;
        looked.push(Looked {
            id: item.id,
            place: place.unwrap_or_default(),
            first,
        });
    }
    let now = context.edge.now_ms();
    let kept = context
        .edge
        .golden()
        .keep((&tenant, &bot), knowledge, &looked, now)
        .await;
    kept.map_err(|e| unavailable(&e))?;
    shown(&context, &tenant, &bot, StatusCode::OK).await
}

/// Deletes a golden question.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/bots/{bot}/golden/{id}", tag = "owner", operation_id = "golden_delete", security(("api_key" = [])),
    params(TenantPath, BotPath, IdPath), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(
    Path((tenant, bot, id)): Path<(String, String, String)>,
    context: OwnerContext,
) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let deleted = context
        .edge
        .golden()
        .delete(&tenant, &bot, path_id(&id)?)
        .await;
    crud::deleted(deleted.map_err(|e| unavailable(&e))?)
}

async fn shown(context: &OwnerContext, tenant: &str, bot: &str, status: StatusCode) -> Answer {
    let (report, _) = context
        .edge
        .golden()
        .report(tenant, bot)
        .await
        .map_err(|e| unavailable(&e))?;
    json(status, &report)
}
