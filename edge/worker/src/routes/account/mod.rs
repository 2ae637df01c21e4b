//! A person's own account: `/v1/account/…`, for people who sign in, in a browser. Keys have no account.

pub mod invitations;
pub mod recovery;
pub mod sessions;
pub mod sign_in;

use axum::{
    http::{Response, StatusCode},
    routing::{delete, get, post, put},
};
use bulle_api::people::Account;
use bulle_edge_core::{
    admin::Signed,
    guard::{
        address::Address,
        attempts::{self, Credential},
    },
    people::{
        session::{NewSession, user_agent},
        token::Token,
    },
    ports::{Clock, Entropy},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{
    admin::context::OwnerContext,
    caller,
    person::{ended, set_cookie, signed, unavailable},
    route::{Audience, Route},
};
use crate::{
    adapters::Edge,
    config,
    http::{Answer, Refusal, header, json},
};

/// The routes of accounts.
pub fn all() -> Vec<Route> {
    let at = |path: &str, methods| Audience::Account.at(format!("/v1/account{path}"), methods);
    vec![
        at("", get(sessions::account)),
        at("/sign-in", post(sign_in::sign_in)),
        at("/sign-in/recovery", post(recovery::sign_in)),
        at("/recovery-codes", post(recovery::create)),
        at("/sign-out", post(sign_in::sign_out)),
        at("/step-up", post(sign_in::step_up)),
        at("/password", put(sign_in::change_password)),
        at("/sessions", get(sessions::list).delete(sessions::close_all)),
        at("/sessions/{id}", delete(sessions::close)),
        at("/invitations", post(invitations::accept)),
    ]
}

/// The person whose account the request is about.
///
/// # Errors
/// `token_missing`, and those of [`signed`].
async fn own(context: &OwnerContext) -> Result<Signed, Refusal> {
    let found = signed(&context.edge, context.asked(), None).await?;
    let signed = found.ok_or_else(|| {
        let detail = "Nobody is signed in here. Sign in with POST /v1/account/sign-in.";
        Problem::new(Code::TokenMissing, detail)
    })?;
    context.audited.by_person(signed.person_id, None);
    Ok(signed)
}

/// The network that an attempt comes from, unless it has failed too often.
///
/// # Errors
/// `misconfigured`, `rate_limited`.
fn attempting(context: &OwnerContext) -> Result<Address, Refusal> {
    let secret = config::session_secret(context.edge.env())?;
    let address = caller::address(&context.edge, &secret, &context.headers);
    attempts::check(&context.edge, Credential::Password, &address)?;
    Ok(address)
}

/// Counts a failed attempt, and gives the problem to answer with.
async fn failed(edge: &Edge, address: &Address, problem: Problem) -> Refusal {
    attempts::failed(edge, Credential::Password, address, problem)
        .await
        .into()
}

/// A session that can be stored.
fn new_session(context: &OwnerContext) -> NewSession {
    let edge = &context.edge;
    let random = [edge.random(), edge.random(), edge.random()];
    let browser = user_agent(header(&context.headers, "user-agent"));
    NewSession::new(edge.now_ms(), random, browser)
}

/// Another token for a session.
fn new_token(edge: &Edge, session_id: Id) -> Token {
    Token::new(session_id, [edge.random(), edge.random()])
}

/// Shows the account, and sets the cookie of the session.
async fn show(
    context: &OwnerContext,
    status: StatusCode,
    (person_id, session_id): (Id, Id),
    token: Option<&Token>,
) -> Answer {
    let edge = &context.edge;
    context.audited.by_person(person_id, None);
    let found = edge
        .people()
        .account(person_id, session_id, edge.now_ms())
        .await
        .map_err(|e| unavailable(&e))?;
    let (person, memberships, sessions) = found.ok_or_else(ended)?;
    let session = sessions.into_iter().find(|session| session.current);
    let codes = edge.people().recovery_codes(person_id).await;
    let codes = codes.map_err(|e| unavailable(&e))?;
    let account = Account {
        person,
        memberships,
        session: session.ok_or_else(ended)?,
        recovery_codes: codes,
    };
    let mut response = json(status, &account)?;
    if let Some(token) = token {
        set_cookie(&mut response, &context.asked().cookie().set(token));
    }
    Ok(response)
}

/// 204, with the cookie of the session or without one.
fn done(context: &OwnerContext, token: Option<&Token>) -> Response<axum::body::Body> {
    let cookie = context.asked().cookie();
    let mut response = crate::http::nothing();
    let value = token.map_or_else(|| cookie.clear(), |token| cookie.set(token));
    set_cookie(&mut response, &value);
    response
}
