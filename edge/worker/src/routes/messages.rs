//! Messages, their answers and their history: `/v1/conversations/{id}/…`.

use axum::{
    extract::Query,
    http::{StatusCode, Uri},
};
use bulle_edge_core::{guard, model::Owner};
use bulle_protocol::{
    Id,
    conversation::{History, Message, Role, SendMessage},
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
    // Older ones belong to another page.
    let since = match (&history.next, history.items.first()) {
        (Some(_), Some(oldest)) => oldest.created_at,
        _ => 0,
    };
    let is_new = |message: &Message| {
        let known = history.items.iter().any(|known| known.id == message.id);
        !known && message.created_at >= since
    };
    let missing: Vec<Message> = missing.into_iter().filter(is_new).collect();
    for mut message in missing {
        let stored = edge.conversations();
        let files = stored.attachments(owner, conversation, message.id).await;
        message.attachments = files.unwrap_or_else(|error| {
            log::error("error", &error);
            Vec::new()
        });
        insert(&mut history.items, message);
    }
    history
}

/// Inserts a message before the next turn. A reply may be newer than later turns, because a retry has written it.
fn insert(items: &mut Vec<Message>, message: Message) {
    let question = message.reply_to.unwrap_or(message.id);
    let asked = items.iter().find(|item| item.id == question);
    let asked_at = asked.map_or(message.created_at, |question| question.created_at);
    let next = items
        .iter()
        .position(|item| item.role == Role::User && item.created_at > asked_at);
    items.insert(next.unwrap_or(items.len()), message);
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

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_protocol::conversation::Status;

    fn message(n: u128, created_at: u64, reply_to: Option<u128>) -> Message {
        Message {
            id: Id::from_parts(0, n),
            role: if reply_to.is_some() {
                Role::Assistant
            } else {
                Role::User
            },
            blocks: Vec::new(),
            text: String::new(),
            created_at,
            status: Status::Complete,
            sources: Vec::new(),
            reply_to: reply_to.map(|n| Id::from_parts(0, n)),
            finish: None,
            feedback: None,
            attachments: Vec::new(),
        }
    }

    #[test]
    fn what_the_archive_lacks_stands_in_its_turn() {
        // The first turn was tried again after the second one.
        let mut items = vec![
            message(1, 10, None),
            message(3, 20, None),
            message(4, 25, Some(3)),
        ];
        insert(&mut items, message(2, 99, Some(1)));
        insert(&mut items, message(5, 15, None));
        insert(&mut items, message(6, 30, Some(5)));
        insert(&mut items, message(7, 40, None));
        let order: Vec<Id> = items.iter().map(|item| item.id).collect();
        assert_eq!(order, [1, 2, 5, 6, 3, 4, 7].map(|n| Id::from_parts(0, n)));
    }
}
