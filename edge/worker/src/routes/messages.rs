//! Messages, their answers and their history: `/v1/conversations/{id}/…`.

use axum::{
    extract::Query,
    http::{StatusCode, Uri},
};
use bulle_edge_core::{guard, model::Owner};
use bulle_protocol::{
    Id,
    conversation::{History, Message, SendMessage},
    problem::{Code, Problem},
};
use futures_util::future::join;
use serde::{Deserialize, de::DeserializeOwned};

use super::context::VisitorContext;
use crate::{
    adapters::Edge,
    conversation::{ConversationCommand, command, unrecorded},
    http::{Answer, Refusal, header, json, read_json, storage_unavailable},
    log,
};

/// Default number of messages in a page of history.
const DEFAULT_PAGE: u32 = 50;

/// Most messages of a page of history.
const MAX_PAGE: u32 = 100;

/// Query of `GET …/messages`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
pub struct HistoryQuery {
    /// `next` of the page after the wanted one.
    before: Option<String>,
    /// 1 to 100.
    limit: Option<String>,
}

/// Query of `GET …/events`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
pub struct EventsQuery {
    /// Id of the last event that arrived; wins over the header `Last-Event-ID`.
    after: Option<String>,
}

/// Sends a message and streams the answer. The same id again attaches to the same turn.
#[cfg_attr(test, utoipa::path(post, path = "/v1/conversations/{id}/messages", tag = "visitor", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), request_body = SendMessage, responses(
    (status = 200, description = "Server events, see ServerEvent", body = bulle_protocol::event::ServerEvent, content_type = "text/event-stream"),
    (status = "4XX", description = "message_empty, message_too_long, rate_limited, quota_exceeded, paused, turn_in_progress, not_found, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn send(context: VisitorContext) -> Answer {
    let id = context.id()?;
    let VisitorContext {
        edge,
        admitted,
        body,
        ..
    } = context;
    let message: SendMessage = read_json(body).await?;
    let question = guard::admit_message(&edge, admitted, id, message).await?;
    let question = Box::new(question);
    command(&edge, id, ConversationCommand::Ask { question }).await
}

/// Attaches to the running or last turn and replays what was missed.
#[cfg_attr(test, utoipa::path(get, path = "/v1/conversations/{id}/events", tag = "visitor", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation"), EventsQuery), responses(
    (status = 200, description = "Server events, see ServerEvent", body = bulle_protocol::event::ServerEvent, content_type = "text/event-stream"),
    (status = "4XX", description = "not_found, no_turn, invalid_parameter, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn events(context: VisitorContext) -> Answer {
    let (id, owner) = (context.id()?, context.admitted.owner());
    let EventsQuery { after } = query(&context.uri)?;
    let last = header(&context.headers, "last-event-id");
    let after = after.as_deref().or(last);
    if after.is_some_and(|after| after.parse::<bulle_protocol::event::EventId>().is_err()) {
        return Err(parameter("after is the id of an event: {turn}:{seq}."));
    }
    let after = after.map(str::to_owned);
    command(
        &context.edge,
        id,
        ConversationCommand::Attach { owner, after },
    )
    .await
}

/// Stops the running turn; what was written is kept. Nothing happens when none is running.
#[cfg_attr(test, utoipa::path(post, path = "/v1/conversations/{id}/cancel", tag = "visitor", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation")), responses(
    (status = 204, description = "Stopped, or nothing to stop"),
    (status = "4XX", description = "not_found, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn cancel(context: VisitorContext) -> Answer {
    let (id, owner) = (context.id()?, context.admitted.owner());
    command(&context.edge, id, ConversationCommand::Cancel { owner }).await
}

/// A page of the conversation, oldest message first.
#[cfg_attr(test, utoipa::path(get, path = "/v1/conversations/{id}/messages", tag = "visitor", security(("session" = [])),
    params(("id" = String, Path, description = "Conversation"), HistoryQuery), responses(
    (status = 200, body = History),
    (status = "4XX", description = "not_found, invalid_parameter, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn history(context: VisitorContext) -> Answer {
    let (id, owner) = (context.id()?, context.admitted.owner());
    let (edge, page): (_, HistoryQuery) = (&context.edge, query(&context.uri)?);
    let before = page
        .before
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| parameter("before is the \"next\" of another page."))?;
    let limit = page
        .limit
        .map_or(Ok(DEFAULT_PAGE), |text| text.parse())
        .ok()
        .filter(|limit| (1..=MAX_PAGE).contains(limit))
        .ok_or_else(|| parameter("limit is a number from 1 to 100."))?;
    let stored = edge.conversations();
    let reading = stored.messages(&owner, id, before, limit);
    let (found, missing) = match before {
        Some(_) => (reading.await, Ok(Vec::new())),
        None => join(reading, unrecorded(edge, id, owner.clone())).await,
    };
    let history = match (found.map_err(|e| storage_unavailable(&e))?, missing) {
        (Some(history), Ok(missing)) => with_missing(edge, &owner, id, history, missing).await,
        // The conversation's object cannot be reached, or has deleted what it had.
        (Some(history), Err(_)) => history,
        (None, Ok(missing)) => {
            // The archive has no message of this conversation: it has none yet, belongs to another visitor, or does not
            // exist.
            if before.is_some() {
                command(
                    edge,
                    id,
                    ConversationCommand::Check {
                        owner: owner.clone(),
                    },
                )
                .await?;
            }
            let none = History {
                items: Vec::new(),
                next: None,
            };
            with_missing(edge, &owner, id, none, missing).await
        }
        (None, Err(refused)) => return Err(refused),
    };
    json(StatusCode::OK, &history)
}

/// Adds the messages that the archive does not have yet to the newest page of a conversation.
async fn with_missing(
    edge: &Edge,
    owner: &Owner,
    conversation: Id,
    mut history: History,
    missing: Vec<Message>,
) -> History {
    let is_new = |message: &Message| !history.items.iter().any(|known| known.id == message.id);
    let missing: Vec<Message> = missing.into_iter().filter(is_new).collect();
    for mut message in missing {
        let stored = edge.conversations();
        let files = stored.attachments(owner, conversation, message.id).await;
        message.attachments = files.unwrap_or_else(|error| {
            log::error("error", &error);
            Vec::new()
        });
        history.items.push(message);
    }
    history
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let query = Query::try_from_uri(uri);
    query
        .map(|Query(query)| query)
        .map_err(|_| parameter("The query cannot be read."))
}

fn parameter(detail: &str) -> Refusal {
    Problem::new(Code::InvalidParameter, detail).into()
}
