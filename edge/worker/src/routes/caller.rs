//! The caller of a request, in the form that the core's guard takes.

use axum::http::HeaderMap;
use bulle_edge_core::{
    guard::{self, Admitted, Caller, address::Address},
    model::Secret,
    ports::Clock,
};

use crate::{
    adapters::Edge,
    config,
    http::{OWN, Refusal, header},
};

/// The hash of the network address that a request came from. The platform sets the header; clients cannot.
pub fn address(edge: &Edge, secret: &Secret, headers: &HeaderMap) -> Address {
    Address::new(secret, header(headers, "cf-connecting-ip"), edge.now_ms())
}

/// The caller for the guard.
pub fn caller<'a>(headers: &'a HeaderMap, address: &'a Address) -> Caller<'a> {
    Caller {
        origin: header(headers, "origin"),
        is_own: headers.contains_key(OWN),
        address,
    }
}

/// Admits a request that carries a session token.
///
/// # Errors
/// Those of [`guard::admit`]; `misconfigured`.
pub async fn admitted(edge: &Edge, headers: &HeaderMap) -> Result<Admitted, Refusal> {
    let secret = config::session_secret(edge.env())?;
    let address = address(edge, &secret, headers);
    let authorization = header(headers, "authorization");
    Ok(guard::admit(edge, &secret, caller(headers, &address), authorization).await?)
}
