//! `/v1/conversations`.

use axum::http::StatusCode;
use bulle_edge_core::{
    guard::{
        self,
        visitor::{Feature, offered, remembered},
    },
    ports::{Clock, Entropy},
};
use bulle_edge_text::visible;
#[cfg(test)]
use bulle_protocol::conversation::ConversationList;
use bulle_protocol::{
    Id,
    conversation::{Created, Rename},
    problem::{Code, Problem},
};

use super::context::VisitorContext;
use crate::{
    conversation::{ConversationCommand, command},
    http::{Answer, Refusal, json, nothing, read_json, storage_unavailable},
};

/// Starts an empty conversation. The conversation is listed once it has a message.
#[cfg_attr(test, utoipa::path(post, path = "/v1/conversations", tag = "visitor", security(("session" = [])), responses(
    (status = 201, body = Created),
    (status = "4XX", description = "token_missing, token_invalid, token_expired, rate_limited, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn create(context: VisitorContext) -> Answer {
    let VisitorContext { edge, admitted, .. } = context;
    let id = Id::from_parts(edge.now_ms(), edge.random());
    guard::admit_conversation(&edge, &admitted, id).await?;
    command(
        &edge,
        id,
        ConversationCommand::Open {
            owner: admitted.owner(),
        },
    )
    .await?;
    json(StatusCode::CREATED, &Created { id })
}

/// The visitor's own conversations, newest first.
#[cfg_attr(test, utoipa::path(get, path = "/v1/conversations", tag = "visitor", security(("session" = [])), responses(
    (status = 200, body = ConversationList),
    (status = "4XX", description = "token_missing, token_invalid, token_expired, feature_disabled, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn list(context: VisitorContext) -> Answer {
    let VisitorContext { edge, admitted, .. } = context;
    offered(&admitted, Feature::History)?;
    remembered(&edge, &admitted).await?;
    let list = edge.conversations().list(&admitted.owner()).await;
    json(StatusCode::OK, &list.map_err(|e| storage_unavailable(&e))?)
}

/// Longest title, in characters.
const MAX_TITLE: usize = 120;

/// Renames a conversation.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/conversations/{id}", tag = "visitor", operation_id = "conversation_rename", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), request_body = Rename, responses(
    (status = 204, description = "Renamed"),
    (status = "4XX", description = "not_found, invalid_json, invalid_value, feature_disabled, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn rename(context: VisitorContext) -> Answer {
    offered(&context.admitted, Feature::History)?;
    let id = context.id()?;
    let Rename { title } = read_json(context.body).await?;
    let title = visible(&title.replace('\n', " "))
        .filter(|title| title.chars().count() <= MAX_TITLE)
        .ok_or_else(|| {
            let detail =
                format!("title: 1 to {MAX_TITLE} characters, at least one of them visible.");
            Problem::new(Code::InvalidValue, detail)
        })?;
    let owner = context.admitted.owner();
    let renamed = context
        .edge
        .conversations()
        .rename(&owner, id, &title)
        .await
        .map_err(|e| storage_unavailable(&e))?;
    if renamed {
        Ok(nothing())
    } else {
        Err(not_here())
    }
}

/// Deletes a conversation with all its messages; a running answer is stopped. The costs of its answers are kept, without
/// their text.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/conversations/{id}", tag = "visitor", operation_id = "conversation_delete", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), responses(
    (status = 204, description = "Deleted"),
    (status = "4XX", description = "not_found, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn delete(context: VisitorContext) -> Answer {
    let id = context.id()?;
    let (edge, owner) = (&context.edge, context.admitted.owner());
    let erase = ConversationCommand::Erase {
        owner: owner.clone(),
    };
    // The object is erased first, so that no running turn stores anything afterwards. Where it is gone already, an earlier
    // attempt may have failed before the database.
    let gone = match command(edge, id, erase).await {
        Ok(_) => true,
        Err(Refusal(problem)) if problem.code == Code::NotFound => false,
        Err(refused) => return Err(refused),
    };
    let deleted = edge
        .conversations()
        .delete(&owner, id)
        .await
        .map_err(|e| storage_unavailable(&e))?;
    if deleted || gone {
        Ok(nothing())
    } else {
        Err(not_here())
    }
}

fn not_here() -> Refusal {
    Problem::new(Code::NotFound, "There is nothing at this address.").into()
}
