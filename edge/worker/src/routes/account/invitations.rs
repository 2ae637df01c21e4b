//! Using an invitation: how people get an account, and how they come into a tenant.

use axum::http::StatusCode;
use bulle_api::people::Acceptance;
use bulle_edge_core::{
    people::{email, invalid_invitation, password, token::InvitationToken, wrong_credentials},
    ports::{Clock, Entropy},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use worker::send;

#[cfg(test)]
use crate::routes::admin::openapi_types::*;
#[cfg(test)]
use bulle_api::people::Account;

use super::{OwnerContext, attempting, failed, new_session, show, signed, unavailable};
use crate::{
    config,
    http::{Answer, Refusal, read_json},
    repositories::people::{Guest, OpenInvitation},
};

/// Longest name, in characters.
const MAX_NAME: usize = 80;

/// Uses an invitation, once, and signs the person in. Whoever is signed in gets the membership; the address of an account
/// needs its password; a new address gets an account with the password. A link of the operator sets the password of an
/// account and ends its other sessions.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/invitations", tag = "account", operation_id = "invitation_accept",
    request_body = Acceptance, responses((status = 201, body = Account, headers(("Set-Cookie" = String, description = "The session"))), Refusals)))]
#[send]
pub async fn accept(mut context: OwnerContext) -> Answer {
    config::sign_in(context.edge.env())?;
    context.asked().check_console(&context.edge)?;
    let request: Acceptance = read_json(std::mem::take(&mut context.body)).await?;
    let address = attempting(&context)?;
    let edge = &context.edge;
    let token = InvitationToken::parse(&request.token);
    let found = match &token {
        Some(token) => edge.people().invitation(token, edge.now_ms()).await,
        None => Ok(None),
    };
    let Some(invitation) = found.map_err(|e| unavailable(&e))? else {
        return Err(failed(edge, &address, invalid_invitation()).await);
    };
    let (known, hash) = who(&context, &invitation, request.password.as_deref()).await?;
    let name = name(request.name.as_deref(), &invitation.email)?;
    let guest = match (known, &hash) {
        (Some(person_id), _) => Guest::Known(person_id),
        (None, hash) => Guest::Password {
            fresh_id: Id::from_parts(edge.now_ms(), edge.random()),
            name: &name,
            password: hash.as_deref().unwrap_or_default(),
        },
    };
    let session = new_session(&context);
    let used = edge.people().accept(&invitation, &guest, &session).await;
    if !used.map_err(|e| unavailable(&e))? {
        return Err(failed(edge, &address, invalid_invitation()).await);
    }
    let person_id = match known {
        Some(person_id) => person_id,
        None => person(&context, &invitation.email).await?,
    };
    let tenant_id = Some(invitation.tenant_id.as_str());
    context.audited.by_person(person_id, tenant_id);
    let ids = (person_id, session.token.id);
    show(&context, StatusCode::CREATED, ids, Some(&session.token)).await
}

/// Who uses the invitation: a person who has proved who they are, or the stored form of a new password.
async fn who(
    context: &OwnerContext,
    invitation: &OpenInvitation,
    given: Option<&str>,
) -> Result<(Option<Id>, Option<String>), Refusal> {
    let edge = &context.edge;
    let pepper = config::sign_in(edge.env())?;
    let of_operator = invitation.tenant_id.is_empty();
    // A cookie of a session that has ended is no obstacle.
    if !of_operator && let Ok(Some(signed)) = signed(edge, context.asked(), None).await {
        return Ok((Some(signed.person_id), None));
    }
    let given = given.ok_or_else(|| {
        Problem::new(
            Code::InvalidValue,
            "password: choose one, or sign in first to use the link with your account.",
        )
    })?;
    let known = edge
        .people()
        .credentials(&invitation.email)
        .await
        .map_err(|e| unavailable(&e))?;
    if let Some(known) = known
        && !of_operator
    {
        let network = attempting(context)?;
        let stored = Some(known.password);
        let verified = edge
            .verify_password(&pepper, &invitation.email, &network, given, stored)
            .await?;
        return match known.id.parse().ok().filter(|_| verified) {
            Some(person_id) => Ok((Some(person_id), None)),
            None => Err(failed(edge, &network, wrong_credentials()).await),
        };
    }
    password::check(given, &invitation.email)?;
    let hash = edge
        .hash_password(&pepper, &invitation.email, given)
        .await?;
    Ok((None, Some(hash)))
}

/// The id of the person with this address.
async fn person(context: &OwnerContext, email: &str) -> Result<Id, Refusal> {
    let known = context.edge.people().credentials(email).await;
    let known = known.map_err(|e| unavailable(&e))?;
    let id = known.and_then(|known| known.id.parse().ok());
    Ok(id.ok_or_else(super::ended)?)
}

fn name(given: Option<&str>, address: &str) -> Result<String, Problem> {
    let Some(name) = given.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(email::name_of(address));
    };
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        let detail = format!("name: at most {MAX_NAME} characters, on one line.");
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    Ok(name.to_owned())
}
