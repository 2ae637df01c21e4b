//! Inviting people: into a tenant, and, by the operator, to the edge.

use axum::{extract::Path, http::StatusCode};
use bulle_api::{
    admin::Scope,
    people::{CreatedInvitation, NewInvitation, NewOperatorInvitation, Role},
};
use bulle_edge_core::{
    admin::rules,
    model::is_id,
    people::{
        email,
        token::{InvitationToken, Token},
    },
    ports::{Clock, Entropy},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, operator, unavailable},
    context::OwnerContext,
};
use crate::{
    config,
    http::{Answer, Refusal, json, own_address, read_json},
    repositories::people,
};

/// Most invitations of a tenant, or of the operator, that can be used.
const MAX_INVITATIONS: u32 = 100;

/// Milliseconds for which an invitation can be used.
const VALID_MS: u64 = 7 * 86_400_000;

/// Milliseconds for which a link of the operator can be used: it makes an operator, or changes a password.
const OPERATORS_VALID_MS: u64 = 86_400_000;

/// Makes a link with which a person becomes an operator, or one for a person who is locked out. For the operator.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/invitations", tag = "owner", operation_id = "operator_invitation_create", security(("api_key" = [])),
    request_body = NewOperatorInvitation, responses((status = 201, body = CreatedInvitation), Refusals)))]
#[send]
pub async fn create_for_operator(mut context: OwnerContext) -> Answer {
    operator(&context, None).await?;
    let new: NewOperatorInvitation = read_json(std::mem::take(&mut context.body)).await?;
    let email = spelled(&new.email)?;
    if !new.operator {
        let known = context.edge.people().credentials(&email).await;
        if known.map_err(|e| unavailable(&e))?.is_none() {
            let detail = "email: no person has this address. Say \"operator\": true to make an operator of a new person.";
            return Err(Problem::new(Code::InvalidValue, detail).into());
        }
    }
    invite(&context, "", &email, None, new.operator).await
}

/// Makes a link with which a person becomes a member of the tenant.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/invitations", tag = "owner", operation_id = "invitation_create", security(("api_key" = [])),
    params(TenantPath), request_body = NewInvitation, responses((status = 201, body = CreatedInvitation), Refusals)))]
#[send]
pub async fn create(Path(tenant): Path<String>, mut context: OwnerContext) -> Answer {
    let caller = authorize(&context, &tenant, Scope::PeopleWrite).await?;
    let new: NewInvitation = read_json(std::mem::take(&mut context.body)).await?;
    let email = spelled(&new.email)?;
    caller.may_give(new.role)?;
    if let Some(bots) = &new.bots {
        let possible = !bots.is_empty() && bots.len() <= rules::MAX_BOTS as usize;
        if !possible || bots.iter().any(|bot| !is_id(bot)) {
            let detail =
                "bots: the ids of the bots that the person may reach, or leave it out for all.";
            return Err(Problem::new(Code::InvalidValue, detail).into());
        }
    }
    let grants = Some((new.role, new.bots.as_deref()));
    invite(&context, &tenant, &email, grants, false).await
}

async fn invite(
    context: &OwnerContext,
    tenant_id: &str,
    email: &str,
    grants: Option<(Role, Option<&[String]>)>,
    operator: bool,
) -> Answer {
    let edge = &context.edge;
    // Nobody could use it while sign-in is closed.
    config::sign_in(edge.env())?;
    let origin = match config::console_origin(edge.env()) {
        Some(origin) => origin,
        None => own_address(edge, &context.uri)?,
    };
    let now_ms = edge.now_ms();
    let id = Id::from_parts(now_ms, edge.random());
    let token = InvitationToken {
        tenant_id: tenant_id.to_owned(),
        token: Token::new(id, [edge.random(), edge.random()]),
    };
    let (role, bots) = grants.unzip();
    let invitation = people::NewInvitation {
        token: &token,
        email,
        operator,
        role,
        bots: bots.flatten(),
        created_at: now_ms,
        expires_at: now_ms
            + if grants.is_some() {
                VALID_MS
            } else {
                OPERATORS_VALID_MS
            },
    };
    let stored = edge.people().invite(&invitation, MAX_INVITATIONS).await;
    if !stored.map_err(|e| unavailable(&e))? {
        let advice = "Wait until some were used or have expired.";
        return Err(rules::too_many(MAX_INVITATIONS, "open invitations", advice).into());
    }
    let text = token.reveal();
    let created = CreatedInvitation {
        invitation: invitation.shown(),
        url: format!("{origin}/console/#invitation={text}"),
        token: text,
    };
    json(StatusCode::CREATED, &created)
}

fn spelled(text: &str) -> Result<String, Refusal> {
    email::spelled(text).ok_or_else(|| {
        let detail = "email: an address such as ada@example.com.";
        Problem::new(Code::InvalidValue, detail).into()
    })
}
