//! Recovery codes: making them, and signing in with one.

use axum::http::StatusCode;
use bulle_api::people::{RecoveryCodes, RecoverySignIn};
use bulle_edge_core::{
    people::{email, password, recovery, step_up_required, wrong_credentials},
    ports::{Clock, Entropy},
};
use worker::send;

#[cfg(test)]
use crate::routes::admin::openapi_types::*;
#[cfg(test)]
use bulle_api::people::Account;

use super::{OwnerContext, attempting, failed, new_session, own, show, unavailable};
use crate::{
    config,
    http::{Answer, json, read_json},
};

/// Makes ten recovery codes, which are shown once; those of before are good for nothing. Needs a proof of the last 10
/// minutes.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/recovery-codes", tag = "account", operation_id = "recovery_codes_create", security(("person" = [])),
    responses((status = 201, body = RecoveryCodes), Refusals)))]
#[send]
pub async fn create(context: OwnerContext) -> Answer {
    let signed = own(&context).await?;
    let edge = &context.edge;
    let now_ms = edge.now_ms();
    if now_ms >= signed.times.proved_until() {
        return Err(step_up_required().into());
    }
    let pepper = config::sign_in(edge.env())?;
    let codes: Vec<String> = (0..recovery::CODES)
        .map(|_| recovery::code(edge.random()))
        .collect();
    let hashes: Vec<String> = codes
        .iter()
        .map(|code| recovery::stored(&pepper, code))
        .collect();
    edge.people()
        .replace_recovery_codes(signed.person_id, &hashes, now_ms)
        .await
        .map_err(|e| unavailable(&e))?;
    json(StatusCode::CREATED, &RecoveryCodes { codes })
}

/// Signs a person in with a recovery code, once, and sets another password where one is given. The answer tells how many
/// codes are left.
#[cfg_attr(test, utoipa::path(post, path = "/v1/account/sign-in/recovery", tag = "account", operation_id = "sign_in_recovery",
    request_body = RecoverySignIn, responses((status = 200, body = Account, headers(("Set-Cookie" = String, description = "The session"))), Refusals)))]
#[send]
pub async fn sign_in(mut context: OwnerContext) -> Answer {
    let pepper = config::sign_in(context.edge.env())?;
    context.asked().check_console(&context.edge)?;
    let request: RecoverySignIn = read_json(std::mem::take(&mut context.body)).await?;
    let address = attempting(&context)?;
    let edge = &context.edge;
    let email = email::spelled(&request.email).unwrap_or_default();
    // A password that is refused does not use up the code.
    let hash = match &request.new_password {
        Some(new) => {
            password::check(new, &email)?;
            Some(edge.hash_password(&pepper, &email, new).await?)
        }
        None => None,
    };
    let known = edge.people().credentials(&email).await;
    let known = known.map_err(|e| unavailable(&e))?;
    let person_id = known.and_then(|known| known.id.parse().ok());
    let session = new_session(&context);
    let recovered = match person_id {
        Some(person_id) => {
            let code = recovery::stored(&pepper, &request.code);
            let people = edge.people();
            let used = people.recover(person_id, &code, hash.as_deref(), &session);
            used.await.map_err(|e| unavailable(&e))?
        }
        None => false,
    };
    match person_id.filter(|_| recovered) {
        Some(person_id) => {
            let ids = (person_id, session.token.id);
            show(&context, StatusCode::OK, ids, Some(&session.token)).await
        }
        None => Err(failed(edge, &address, wrong_credentials()).await),
    }
}
