//! `/v1/conversations`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use bulle_edge_core::{
    guard,
    ports::{Clock, Entropy},
};
use bulle_protocol::{Id, conversation::Created};
#[cfg(test)]
use bulle_protocol::{conversation::ConversationList, problem::Problem};
use worker::send;

use crate::{
    adapters::Edge,
    conversation::{Command, command},
    http::{Answer, admitted, json, storage_unavailable},
};

/// Starts an empty conversation. It is listed once it has a message.
#[cfg_attr(test, utoipa::path(post, path = "/v1/conversations", tag = "visitor", security(("session" = [])), responses(
    (status = 201, body = Created),
    (status = "4XX", description = "token_missing, token_invalid, token_expired, rate_limited, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn create(State(edge): State<Edge>, headers: HeaderMap) -> Answer {
    let admitted = admitted(&edge, &headers).await?;
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
    (status = "4XX", description = "token_missing, token_invalid, token_expired, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn list(State(edge): State<Edge>, headers: HeaderMap) -> Answer {
    let admitted = admitted(&edge, &headers).await?;
    let list = edge.conversations(&admitted.owner()).await;
    json(StatusCode::OK, &list.map_err(|e| storage_unavailable(&e))?)
}
