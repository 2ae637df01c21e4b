//! Signing in and out, and proving the password again.

use axum::http::StatusCode;
use bulle_api::people::{PasswordChange, SignIn, StepUp};
use bulle_edge_core::{
    admin::Signed,
    people::{email, password, step_up_required, wrong_credentials},
    ports::Clock,
};
use worker::send;

#[cfg(test)]
use crate::routes::admin::openapi_types::*;
#[cfg(test)]
use bulle_api::people::Account;

use super::{
    OwnerContext, attempting, done, failed, new_session, new_token, own, show, unavailable,
};
use crate::{
    config,
    http::{Answer, Refusal, read_json},
};

/// Signs a person in: the answer sets the cookie of a session. It takes as long for an address without an account.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/sign-in", tag = "account", operation_id = "sign_in",
    request_body = SignIn, responses((status = 200, body = Account, headers(("Set-Cookie" = String, description = "The session"))), Refusals)))]
#[send]
pub async fn sign_in(mut context: OwnerContext) -> Answer {
    let pepper = config::sign_in(context.edge.env())?;
    context.asked().check_console(&context.edge)?;
    let request: SignIn = read_json(std::mem::take(&mut context.body)).await?;
    let address = attempting(&context)?;
    let edge = &context.edge;
    // An address that no mail could reach has no account, and gets the same work and the same answer.
    let email = email::spelled(&request.email).unwrap_or_default();
    let known = edge
        .people()
        .credentials(&email)
        .await
        .map_err(|e| unavailable(&e))?;
    let (person_id, stored) = known.map(|known| (known.id, known.password)).unzip();
    let verified = edge
        .verify_password(&pepper, &email, &address, &request.password, stored)
        .await?;
    let person_id = person_id
        .filter(|_| verified)
        .and_then(|id| id.parse().ok());
    let Some(person_id) = person_id else {
        return Err(failed(edge, &address, wrong_credentials()).await);
    };
    let session = new_session(&context);
    edge.people()
        .open(person_id, &session)
        .await
        .map_err(|e| unavailable(&e))?;
    let ids = (person_id, session.token.id);
    show(&context, StatusCode::OK, ids, Some(&session.token)).await
}

/// Ends the session. Without one, there is nothing to end, and the answer is the same.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/sign-out", tag = "account", operation_id = "sign_out", security(("person" = [])),
    responses((status = 204, description = "Signed out", headers(("Set-Cookie" = String, description = "An empty cookie"))), Refusals)))]
#[send]
pub async fn sign_out(context: OwnerContext) -> Answer {
    context.asked().check_console(&context.edge)?;
    if let Ok(signed) = own(&context).await {
        context
            .edge
            .people()
            .close(signed.person_id, signed.session_id)
            .await
            .map_err(|e| unavailable(&e))?;
    }
    Ok(done(&context, None))
}

/// Proves the password again, for what needs it within the next 10 minutes. The session gets another token.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/step-up", tag = "account", operation_id = "step_up", security(("person" = [])),
    request_body = StepUp, responses((status = 200, body = Account, headers(("Set-Cookie" = String, description = "The session"))), Refusals)))]
#[send]
pub async fn step_up(mut context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let request: StepUp = read_json(std::mem::take(&mut context.body)).await?;
    confirm(&context, &signed, &request.password).await?;
    let edge = &context.edge;
    let token = new_token(edge, signed.session_id);
    let proved = edge
        .people()
        .prove(signed.session_id, &token, edge.now_ms())
        .await;
    if !proved.map_err(|e| unavailable(&e))? {
        return Err(step_up_required().into());
    }
    let ids = (signed.person_id, signed.session_id);
    show(&context, StatusCode::OK, ids, Some(&token)).await
}

/// Changes the password. All other sessions of the person end.
#[cfg_attr(test, utoipa::path(put, path = "/v1/account/password", tag = "account", operation_id = "password_change", security(("person" = [])),
    request_body = PasswordChange, responses((status = 204, description = "Changed", headers(("Set-Cookie" = String, description = "The session"))), Refusals)))]
#[send]
pub async fn change_password(mut context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let request: PasswordChange = read_json(std::mem::take(&mut context.body)).await?;
    let address = confirm(&context, &signed, &request.password).await?;
    password::check(&request.new_password, &address)?;
    let edge = &context.edge;
    let pepper = config::sign_in(edge.env())?;
    let hash = edge
        .hash_password(&pepper, &address, &request.new_password)
        .await?;
    let token = new_token(edge, signed.session_id);
    edge.people()
        .change_password(&signed, &hash, &token, edge.now_ms())
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(done(&context, Some(&token)))
}

/// Verifies the password of whoever is signed in: the address of their account.
///
/// # Errors
/// `credentials_invalid`, `rate_limited`, `storage_unavailable`.
async fn confirm(
    context: &OwnerContext,
    signed: &Signed,
    password: &str,
) -> Result<String, Refusal> {
    let edge = &context.edge;
    let pepper = config::sign_in(edge.env())?;
    let network = attempting(context)?;
    let known = edge
        .people()
        .password(signed.person_id)
        .await
        .map_err(|e| unavailable(&e))?;
    let known = known.ok_or_else(super::ended)?;
    let verified = edge
        .verify_password(
            &pepper,
            &known.email,
            &network,
            password,
            Some(known.password),
        )
        .await?;
    if !verified {
        return Err(failed(edge, &network, wrong_credentials()).await);
    }
    Ok(known.email)
}
