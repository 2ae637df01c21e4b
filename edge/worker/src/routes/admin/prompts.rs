//! `/v1/admin/tenants/{tenant}/answers/{reply_id}/prompt`: the prompt that a model got for an answer.

use axum::{extract::Path, http::StatusCode};
use bulle_api::admin::{
    Scope,
    prompt::{AnswerPrompt, Missing},
};
use bulle_edge_core::admin::nothing_here;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
};
use crate::http::{Answer, json, path_id};

/// The prompt of an answer, rebuilt from the bot's settings of that time, the documents that it quoted, and the
/// conversation. `reply_id` is that of the event `start` and of the message in the conversation's history.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/answers/{reply_id}/prompt", tag = "owner", operation_id = "answer_prompt", security(("api_key" = [])),
    params(TenantPath, ReplyPath), responses((status = 200, body = AnswerPrompt), Refusals)))]
#[send]
pub async fn get(Path((tenant, reply)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::ConversationsRead).await?;
    let found = context
        .edge
        .prompts()
        .answered(&tenant, path_id(&reply)?)
        .await
        .map_err(|e| unavailable(&e))?;
    let answer = found.ok_or_else(nothing_here)?;
    let Some(reference) = &answer.reference else {
        let why = "No model was asked for this answer, or it is older than the record of prompts.";
        let nothing = AnswerPrompt {
            exact: false,
            template: None,
            bot_version: None,
            messages: Vec::new(),
            missing: vec![Missing {
                what: "prompt".to_owned(),
                why: why.to_owned(),
            }],
        };
        return json(StatusCode::OK, &nothing);
    };
    let again = context
        .edge
        .prompts()
        .rebuild(&tenant, &answer, reference)
        .await
        .map_err(|e| unavailable(&e))?;
    let prompt = AnswerPrompt {
        exact: again.exact,
        template: Some(reference.template),
        bot_version: Some(reference.bot_version),
        messages: again.turns,
        missing: again.missing,
    };
    json(StatusCode::OK, &prompt)
}
