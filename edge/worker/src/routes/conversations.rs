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

use super::visit::Visit;
use crate::{
    conversation::{Command, command},
    http::{Answer, Refusal, json, nothing, read_json, storage_unavailable},
};

/// Starts an empty conversation. It is listed once it has a message.
#[cfg_attr(test, utoipa::path(post, path = "/v1/conversations", tag = "visitor", security(("session" = [])), responses(
    (status = 201, body = Created),
    (status = "4XX", description = "token_missing, token_invalid, token_expired, rate_limited, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn create(visit: Visit) -> Answer {
    let Visit { edge, admitted, .. } = visit;
    let id = Id::from_parts(edge.now_ms(), edge.random());
    guard::admit_conversation(&edge, &admitted, id).await?;
    command(
        &edge,
        id,
        Command::Open {
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
pub async fn list(visit: Visit) -> Answer {
    let Visit { edge, admitted, .. } = visit;
    offered(&admitted, Feature::History)?;
    remembered(&edge, &admitted).await?;
    let list = edge.conversations(&admitted.owner()).await;
    json(StatusCode::OK, &list.map_err(|e| storage_unavailable(&e))?)
}

/// Longest title, in characters.
const MAX_TITLE: usize = 120;

/// Calls a conversation otherwise.
#[cfg_attr(test, utoipa::path(patch, path = "/v1/conversations/{id}", tag = "visitor", operation_id = "conversation_rename", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), request_body = Rename, responses(
    (status = 204, description = "Renamed"),
    (status = "4XX", description = "not_found, invalid_json, invalid_value, feature_disabled, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn rename(visit: Visit) -> Answer {
    offered(&visit.admitted, Feature::History)?;
    let id = visit.id()?;
    let Rename { title } = read_json(visit.body).await?;
    let title = visible(&title.replace('\n', " "));
    let title = title.filter(|title| title.chars().count() <= MAX_TITLE);
    let title = title.ok_or_else(|| {
        let detail = format!("title: 1 to {MAX_TITLE} characters, at least one of them visible.");
        Problem::new(Code::InvalidValue, detail)
    })?;
    let owner = visit.admitted.owner();
    let renamed = visit.edge.rename(&owner, id, &title).await;
    match renamed.map_err(|e| storage_unavailable(&e))? {
        true => Ok(nothing()),
        false => Err(not_here()),
    }
}

/// Deletes a conversation with everything that was said in it; a running answer is stopped. What its answers have cost
/// stays, without a word of them.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/conversations/{id}", tag = "visitor", operation_id = "conversation_delete", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), responses(
    (status = 204, description = "Deleted"),
    (status = "4XX", description = "not_found, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn delete(visit: Visit) -> Answer {
    let id = visit.id()?;
    let (edge, owner) = (&visit.edge, visit.admitted.owner());
    let erase = Command::Erase {
        owner: owner.clone(),
    };
    // The object goes first, so that no running turn stores anything afterwards. Where it is gone already, an earlier
    // attempt may not have reached the database.
    let gone = match command(edge, id, erase).await {
        Ok(_) => true,
        Err(Refusal(problem)) if problem.code == Code::NotFound => false,
        Err(refused) => return Err(refused),
    };
    let deleted = edge.delete_conversation(&owner, id).await;
    match deleted.map_err(|e| storage_unavailable(&e))? || gone {
        true => Ok(nothing()),
        false => Err(not_here()),
    }
}

fn not_here() -> Refusal {
    Problem::new(Code::NotFound, "There is nothing at this address.").into()
}
