//! `/v1/admin/tenants/{tenant}/answers/{reply_id}/prompt`: what a model was given for an answer.

use axum::{extract::Path, http::StatusCode};
use bulle_api::admin::{
    Scope,
    prompt::{AnswerPrompt, Missing},
};
use bulle_edge_core::admin::nothing_here;
use worker::send;

#[cfg(test)]
use super::documented::*;
use super::{
    Call,
    access::{authorize, unavailable},
};
use crate::http::{Answer, json, path_id};

/// The prompt of an answer, made again from the bot's settings of that time, the documents that it quoted, and the
/// conversation. `reply_id` is that of the event `start` and of the message in the conversation's history.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/answers/{reply_id}/prompt", tag = "owner", operation_id = "answer_prompt", security(("api_key" = [])),
    params(TenantPath, ReplyPath), responses((status = 200, body = AnswerPrompt), Refusals)))]
#[send]
pub async fn get(Path((tenant, reply)): Path<(String, String)>, call: Call) -> Answer {
    authorize(&call, &tenant, Scope::ConversationsRead).await?;
    let found = call.edge.answered(&tenant, path_id(&reply)?).await;
    let found = found.map_err(|e| unavailable(&e))?;
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
    let again = call.edge.prompt_again(&tenant, &answer, reference).await;
    let again = again.map_err(|e| unavailable(&e))?;
    let prompt = AnswerPrompt {
        exact: again.exact,
        template: Some(reference.template),
        bot_version: Some(reference.bot_version),
        messages: again.turns,
        missing: again.missing,
    };
    json(StatusCode::OK, &prompt)
}
