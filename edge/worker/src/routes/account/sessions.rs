//! A person's account, and the list of their sessions.

use axum::{extract::Path, http::StatusCode};
use bulle_api::people::PersonSessions;
use bulle_edge_core::{admin::nothing_here, ports::Clock};
use worker::send;

#[cfg(test)]
use crate::routes::admin::openapi_types::*;
#[cfg(test)]
use bulle_api::people::Account;

use super::{OwnerContext, done, ended, own, show, unavailable};
use crate::http::{Answer, json, nothing, path_id};

/// Whoever is signed in, and what they may do where.
#[cfg_attr(test, utoipa::path(get, path = "/v1/account", tag = "account", operation_id = "account", security(("person" = [])),
    responses((status = 200, body = Account), Refusals)))]
#[send]
pub async fn account(context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let ids = (signed.person_id, signed.session_id);
    show(&context, StatusCode::OK, ids, None).await
}

/// The person's sessions, the last used first.
#[cfg_attr(test, utoipa::path(get, path = "/v1/account/sessions", tag = "account", operation_id = "session_list", security(("person" = [])),
    responses((status = 200, body = PersonSessions), Refusals)))]
#[send]
pub async fn list(context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let edge = &context.edge;
    let found = edge
        .people()
        .account(signed.person_id, signed.session_id, edge.now_ms())
        .await
        .map_err(|e| unavailable(&e))?;
    let (_, _, items) = found.ok_or_else(ended)?;
    json(StatusCode::OK, &PersonSessions { items })
}

/// Ends one of the person's sessions.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/account/sessions/{id}", tag = "account", operation_id = "session_end", security(("person" = [])),
    params(IdPath), responses((status = 204, description = "Ended"), Refusals)))]
#[send]
pub async fn close(Path(id): Path<String>, context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let id = path_id(&id)?;
    let closed = context.edge.people().close(signed.person_id, id).await;
    if !closed.map_err(|e| unavailable(&e))? {
        return Err(nothing_here().into());
    }
    if id == signed.session_id {
        return Ok(done(&context, None));
    }
    Ok(nothing())
}

/// Signs the person out everywhere, here too.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/account/sessions", tag = "account", operation_id = "session_end_all", security(("person" = [])),
    responses((status = 204, description = "Signed out everywhere"), Refusals)))]
#[send]
pub async fn close_all(context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    context
        .edge
        .people()
        .close_all(signed.person_id)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(done(&context, None))
}
