//! The person behind a request: whoever is signed in with the cookie that it carries.

use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri, header};
use bulle_edge_core::{
    admin::Signed,
    guard::attempts::{self, Credential},
    people::{browser::BrowserRequest, session::Cookie},
    ports::Clock,
};
use bulle_protocol::problem::{Code, Problem};

use super::caller::address;
use crate::{
    adapters::Edge,
    config,
    http::{Refusal, header, requested},
    log,
};

/// What a request says about who made it.
#[derive(Clone, Copy)]
pub struct Asked<'r> {
    /// The method.
    pub method: &'r Method,
    /// The address.
    pub uri: &'r Uri,
    /// The headers.
    pub headers: &'r HeaderMap,
}

impl Asked<'_> {
    /// The cookie of sessions at the address of this request.
    pub fn cookie(&self) -> Cookie {
        Cookie::at(&requested(self.uri))
    }

    /// Whether the method changes nothing.
    pub fn is_safe(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// Checks that the request comes from a page of the console.
    ///
    /// # Errors
    /// `origin_not_allowed`.
    pub fn check_console(&self, edge: &Edge) -> Result<(), Refusal> {
        let console = config::console_origin(edge.env());
        let request = BrowserRequest {
            safe: self.is_safe(),
            fetch_site: header(self.headers, "sec-fetch-site"),
            origin: header(self.headers, "origin"),
            requested: &requested(self.uri),
            console: console.as_deref(),
        };
        Ok(request.check()?)
    }
}

/// Whoever is signed in, with their membership of the tenant. `None` when the request has no cookie of a session.
///
/// # Errors
/// `origin_not_allowed`, `token_invalid`, `rate_limited`, `misconfigured`, `storage_unavailable`.
pub async fn signed(
    edge: &Edge,
    asked: Asked<'_>,
    tenant_id: Option<&str>,
) -> Result<Option<Signed>, Refusal> {
    let cookie = asked.cookie();
    let Some(cookies) = header(asked.headers, "cookie").filter(|text| text.contains(cookie.name()))
    else {
        return Ok(None);
    };
    config::sign_in(edge.env())?;
    asked.check_console(edge)?;
    let secret = config::session_secret(edge.env())?;
    let address = address(edge, &secret, asked.headers);
    attempts::check(edge, Credential::PersonSession, &address)?;
    let now_ms = edge.now_ms();
    let signed = match cookie.read(cookies) {
        Some(token) => edge
            .people()
            .signed(&token, tenant_id, now_ms)
            .await
            .map_err(|e| unavailable(&e))?,
        None => None,
    };
    let Some(signed) = signed else {
        let kind = Credential::PersonSession;
        return Err(attempts::failed(edge, kind, &address, ended()).await.into());
    };
    if signed.times.is_stale(now_ms)
        && let Err(error) = edge.people().seen(signed.session_id, now_ms).await
    {
        // The session is valid nevertheless.
        log::error("error", &error);
    }
    Ok(Some(signed))
}

/// The answer to a cookie of no session: unknown, ended or expired.
pub fn ended() -> Problem {
    Problem::new(
        Code::TokenInvalid,
        "This session has ended. Sign in with POST /v1/account/sign-in.",
    )
}

/// Adds a `Set-Cookie` header.
pub fn set_cookie<B>(response: &mut Response<B>, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The refusal when the database failed; the error goes to the log.
pub fn unavailable(error: &bulle_edge_core::ports::PortError) -> Refusal {
    log::error("error", error);
    Problem::new(
        Code::StorageUnavailable,
        "The database cannot be reached now. Try again in a few seconds.",
    )
    .retry_after(5)
    .into()
}
