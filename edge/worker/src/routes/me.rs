//! `/v1/me`: the stored data of the visitor.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use bulle_api::settings::check_answers;
use bulle_edge_core::{
    guard::{
        limit,
        visitor::{Feature, form, offered, remembered},
    },
    ports::{Clock, Entropy},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
    session::Answers,
};
use futures_util::{StreamExt, stream};

use super::context::VisitorContext;
#[cfg(test)]
use super::openapi_types::Export;
use crate::{
    conversation::{ConversationCommand, command},
    http::{Answer, Refusal, nothing, read_json, storage_unavailable},
    log,
};

/// Conversations that are erased at the same time.
const AT_ONCE: usize = 10;

/// Fills in the bot's form, or replaces earlier answers.
#[cfg_attr(test, utoipa::path(put, path = "/v1/me", tag = "visitor", operation_id = "me_put", security(("session" = [])), request_body = Answers, responses(
    (status = 204, description = "Kept"),
    (status = "4XX", description = "not_found when the bot has no form, invalid_value, token_invalid, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn put(context: VisitorContext) -> Answer {
    let VisitorContext {
        edge,
        admitted,
        body,
        ..
    } = context;
    let given: Answers = read_json(body).await?;
    let form =
        form(&admitted).ok_or_else(|| Problem::new(Code::NotFound, "This bot has no form."))?;
    let invalid = |detail: String| Problem::new(Code::InvalidValue, detail);
    let fields = check_answers(&form, given).map_err(invalid)?;
    remembered(&edge, &admitted).await?;
    let id = Id::from_parts(edge.now_ms(), edge.random());
    let kept = edge
        .profiles()
        .keep_form(
            &admitted.owner(),
            id,
            &fields,
            form.consent.as_deref(),
            edge.now_ms(),
        )
        .await;
    kept.map_err(|e| storage_unavailable(&e))?;
    Ok(nothing())
}

/// Everything that is stored of the visitor, with all bots of the owner, as a file of JSON.
#[cfg_attr(test, utoipa::path(get, path = "/v1/me/export", tag = "visitor", operation_id = "me_export", security(("session" = [])), responses(
    (status = 200, body = Export),
    (status = "4XX", description = "feature_disabled, token_invalid, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn export(context: VisitorContext) -> Answer {
    let VisitorContext { edge, admitted, .. } = context;
    offered(&admitted, Feature::Export)?;
    remembered(&edge, &admitted).await?;
    let counted = limit::today(&edge, &admitted)
        .await
        .map_err(|e| storage_unavailable(&e))?;
    let owner = admitted.owner();
    let exported = edge
        .profiles()
        .export(&owner.tenant_id, owner.visitor_id, counted, edge.now_ms())
        .await;
    let mut response = Response::new(Body::from(exported.map_err(|e| storage_unavailable(&e))?));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"conversations.json\"",
        ),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Erases everything that is stored of the visitor, with all bots of the owner. The visitor's tokens are refused from
/// then on (`token_invalid`), and a session that resumes one belongs to a new visitor. The costs of answers are kept,
/// without their text.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/me", tag = "visitor", operation_id = "me_delete", security(("session" = [])), responses(
    (status = 204, description = "Erased"),
    (status = "4XX", description = "token_missing, token_invalid, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable: not all is erased; ask again", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn delete(context: VisitorContext) -> Answer {
    let (edge, owner) = (context.edge, context.admitted.owner());
    let (tenant, visitor) = (owner.tenant_id.as_str(), owner.visitor_id);
    let conversations = edge
        .profiles()
        .begin_erasing(tenant, visitor, edge.now_ms())
        .await
        .map_err(|e| storage_unavailable(&e))?;
    // The objects are erased first: they end running turns, which would store more of the visitor.
    let erase = |(id, owner)| {
        let edge = edge.clone();
        async move { command(&edge, id, ConversationCommand::Erase { owner }).await }
    };
    let erased: Vec<Answer> = stream::iter(conversations)
        .map(erase)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut refused = None;
    for Refusal(problem) in erased.into_iter().filter_map(Result::err) {
        // The object has no owner any more: it was erased before.
        if problem.code != Code::NotFound {
            refused = Some(problem);
        }
    }
    if let Some(problem) = refused {
        log::error("erase", &problem.detail);
        let detail = "Not everything could be erased now. Try again in a few seconds.";
        let problem = Problem::new(Code::StorageUnavailable, detail);
        return Err(problem.retry_after(5).into());
    }
    let erased = edge.profiles().erase(tenant, visitor).await;
    erased.map_err(|e| storage_unavailable(&e))?;
    Ok(nothing())
}
