//! Inviting people: into a tenant, and, by the operator, to the edge.

use axum::{extract::Path, http::StatusCode};
#[cfg(test)]
use bulle_api::admin::Page;
use bulle_api::{
    admin::{Scope, Tenant},
    people::{
        CreatedInvitation, Invitation, NewInvitation, NewOperatorInvitation, Renewal, Right, Role,
    },
};
use bulle_edge_core::{
    admin::rules,
    guard::address::DAY_MS,
    json::read,
    notice::{self, mail},
    people::{
        email,
        token::{InvitationToken, Token},
    },
    ports::{Clock, Entropy, PortError},
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
    crud,
};
use crate::{
    adapters::Edge,
    config,
    http::{Answer, Refusal, json, own_address, read_json},
    log,
    repositories::{
        owners::{invitations, tenants},
        people,
    },
    routes::hosted::languages,
};

/// Most invitations of a tenant, or of the operator, that can be used.
const MAX_INVITATIONS: u32 = 100;

/// Milliseconds for which an invitation can be used.
const VALID_MS: u64 = 7 * 86_400_000;

/// Milliseconds after which an invitation can be given another link, so that nobody's mailbox is flooded.
const RENEWED_EVERY_MS: u64 = 60_000;

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
    if new.first {
        let known = context.edge.people().has_operator().await;
        if known.map_err(|e| unavailable(&e))? {
            let detail = "first: somebody is an operator already. They invite others, or leave \"first\" out.";
            return Err(Problem::new(Code::AlreadyExists, detail).into());
        }
    }
    if !new.operator {
        let known = context.edge.people().credentials(&email).await;
        if known.map_err(|e| unavailable(&e))?.is_none() {
            let detail = "email: no person has this address. Say \"operator\": true to make an operator of a new person.";
            return Err(Problem::new(Code::InvalidValue, detail).into());
        }
    }
    let grants = Grants {
        operator: new.operator,
        ..Grants::default()
    };
    invite(&context, "", &email, grants, false).await
}

/// A page of the operator's links that nobody has used, oldest first. For the operator.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/invitations", tag = "owner", operation_id = "operator_invitation_list", security(("api_key" = [])),
    params(Paging), responses((status = 200, body = Page<Invitation>), Refusals)))]
#[send]
pub async fn list_of_operator(context: OwnerContext) -> Answer {
    operator(&context, None).await?;
    crud::list(&context, &invitations::KIND, "", &[]).await
}

/// Revokes a link of the operator. For the operator.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/invitations/{id}", tag = "owner", operation_id = "operator_invitation_revoke", security(("api_key" = [])),
    params(IdPath), responses((status = 204, description = "Revoked"), Refusals)))]
#[send]
pub async fn revoke_of_operator(Path(id): Path<String>, context: OwnerContext) -> Answer {
    operator(&context, None).await?;
    let found = context.edge.people().revoke("", &id).await;
    crud::deleted(found.map_err(|e| unavailable(&e))?)
}

/// A page of the tenant's invitations that nobody has used, oldest first; those that have expired, too.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/invitations", tag = "owner", operation_id = "invitation_list", security(("api_key" = [])),
    params(TenantPath, Paging), responses((status = 200, body = Page<Invitation>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::PeopleRead).await?;
    crud::list(&context, &invitations::KIND, &tenant, &[]).await
}

/// Revokes an invitation: its link is refused from now on.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/invitations/{id}", tag = "owner", operation_id = "invitation_revoke", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Revoked"), Refusals)))]
#[send]
pub async fn revoke(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::PeopleWrite).await?;
    let found = context.edge.people().revoke(&tenant, &id).await;
    crud::deleted(found.map_err(|e| unavailable(&e))?)
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
    rules::limited(new.bots.as_deref())?;
    let rights = new.rights.unwrap_or_else(|| rights_of(new.role));
    rules::rights(&rights)?;
    caller.may_give_rights(&rights)?;
    let grants = Grants {
        operator: false,
        role: Some(new.role),
        bots: new.bots.as_deref(),
        rights: &rights,
    };
    invite(&context, &tenant, &email, grants, new.mail).await
}

/// Gives an invitation that nobody has used another link, valid for a week from now: the old one is refused. At most once
/// a minute.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/invitations/{id}/renew", tag = "owner", operation_id = "invitation_renew", security(("api_key" = [])),
    params(TenantPath, IdPath), request_body = Renewal, responses((status = 200, body = CreatedInvitation), Refusals)))]
#[send]
pub async fn renew(
    Path((tenant, id)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let caller = authorize(&context, &tenant, Scope::PeopleWrite).await?;
    let renewal: Renewal = read_json(std::mem::take(&mut context.body)).await?;
    let edge = &context.edge;
    let found = crud::load(&context, &invitations::KIND, &tenant, &id).await?;
    let mut invitation: Invitation =
        read(&found.item).map_err(|e| unavailable(&PortError(e.to_string())))?;
    // Whoever renews it sees its link.
    if let Some(role) = invitation.role {
        caller.may_give(role)?;
    }
    caller.may_give_rights(&invitation.rights)?;
    can_mail(edge, renewal.mail)?;
    let origin = console(&context)?;
    let now_ms = edge.now_ms();
    let token = InvitationToken {
        tenant_id: tenant.clone(),
        token: Token::new(invitation.id, [edge.random(), edge.random()]),
    };
    invitation.created_at = now_ms;
    invitation.expires_at = now_ms + VALID_MS;
    let times = (invitation.created_at, invitation.expires_at);
    let before = now_ms.saturating_sub(RENEWED_EVERY_MS);
    let renewed = edge.people().renew(&token, times, before).await;
    if !renewed.map_err(|e| unavailable(&e))? {
        let detail = "This invitation's link was made less than a minute ago. Wait a minute.";
        return Err(Problem::new(Code::RateLimited, detail)
            .retry_after(60)
            .into());
    }
    show(
        &context,
        StatusCode::OK,
        invitation,
        &token,
        &origin,
        renewal.mail,
    )
    .await
}

/// What an invitation gives.
#[derive(Default)]
struct Grants<'g> {
    operator: bool,
    role: Option<Role>,
    bots: Option<&'g [String]>,
    rights: &'g [Right],
}

async fn invite(
    context: &OwnerContext,
    tenant_id: &str,
    email: &str,
    grants: Grants<'_>,
    mail: bool,
) -> Answer {
    let edge = &context.edge;
    can_mail(edge, mail)?;
    let origin = console(context)?;
    let now_ms = edge.now_ms();
    let id = Id::from_parts(now_ms, edge.random());
    let token = InvitationToken {
        tenant_id: tenant_id.to_owned(),
        token: Token::new(id, [edge.random(), edge.random()]),
    };
    let valid_ms = if tenant_id.is_empty() {
        OPERATORS_VALID_MS
    } else {
        VALID_MS
    };
    let invitation = people::NewInvitation {
        token: &token,
        email,
        operator: grants.operator,
        role: grants.role,
        bots: grants.bots,
        rights: grants.rights,
        created_at: now_ms,
        expires_at: now_ms + valid_ms,
    };
    let stored = edge.people().invite(&invitation, MAX_INVITATIONS).await;
    if !stored.map_err(|e| unavailable(&e))? {
        let advice = "Revoke one, or wait until some were used or have expired.";
        return Err(rules::too_many(MAX_INVITATIONS, "open invitations", advice).into());
    }
    show(
        context,
        StatusCode::CREATED,
        invitation.shown(),
        &token,
        &origin,
        mail,
    )
    .await
}

/// Shows the link of an invitation, once, and mails it where that is wanted.
async fn show(
    context: &OwnerContext,
    status: StatusCode,
    invitation: Invitation,
    token: &InvitationToken,
    origin: &str,
    mail: bool,
) -> Answer {
    let text = token.reveal();
    let mut created = CreatedInvitation {
        invitation,
        url: format!("{origin}/console/#invitation={text}"),
        token: text,
        mailed: false,
    };
    if mail {
        created.mailed = mailed(context, &token.tenant_id, &created).await?;
    }
    let id = created.invitation.id;
    let mut response = json(status, &created)?;
    if status == StatusCode::CREATED {
        crud::located(&mut response, context.uri.path(), id);
    }
    Ok(response)
}

/// Mails a link to its address: whether the mail service has taken it.
async fn mailed(
    context: &OwnerContext,
    tenant_id: &str,
    created: &CreatedInvitation,
) -> Result<bool, Refusal> {
    let edge = &context.edge;
    let tenant = crud::load(context, &tenants::KIND, tenant_id, tenant_id).await?;
    let tenant: Tenant = read(&tenant.item).map_err(|e| unavailable(&PortError(e.to_string())))?;
    let letter = mail::invitation(
        config::mailer(edge.env()).as_ref(),
        &languages("", &context.headers),
        &created.invitation.email,
        (&tenant.name, &created.url, VALID_MS / DAY_MS),
        // Another letter of the same invitation is another one.
        &format!(
            "{}-{}",
            created.invitation.id, created.invitation.created_at
        ),
    );
    match letter {
        Ok(letter) => Ok(notice::mailed(edge, letter).await),
        Err(why) => {
            log::error("invitation", &why);
            Ok(false)
        }
    }
}

/// Checks that the edge can send mail, where that is wanted.
fn can_mail(edge: &Edge, wanted: bool) -> Result<(), Problem> {
    if wanted && config::mailer(edge.env()).is_none() {
        let detail = "mail: this edge sends no mail. Hand the link over yourself, or ask its operator to set EMAIL_URL \
                      and EMAIL_FROM (docs/notices.md).";
        return Err(Problem::new(Code::InvalidValue, detail));
    }
    Ok(())
}

/// The origin of the console. While sign-in is closed nobody could use a link to it.
fn console(context: &OwnerContext) -> Result<String, Problem> {
    let edge = &context.edge;
    config::sign_in(edge.env())?;
    match config::console_origin(edge.env()) {
        Some(origin) => Ok(origin),
        None => own_address(edge, &context.uri),
    }
}

/// The rights that come with a role where none are named.
fn rights_of(role: Role) -> Vec<Right> {
    match role {
        Role::Owner => Right::ALL.to_vec(),
        Role::Admin | Role::Editor | Role::Agent | Role::Analyst => Vec::new(),
    }
}

fn spelled(text: &str) -> Result<String, Refusal> {
    email::spelled(text).ok_or_else(|| {
        let detail = "email: an address such as ada@example.com.";
        Problem::new(Code::InvalidValue, detail).into()
    })
}
