//! Reading requests: headers, addresses, bodies.

use axum::{
    body::Body,
    extract::Query,
    http::{HeaderMap, Uri},
};
use bulle_edge_core::{guard::input::MAX_BODY_BYTES, json};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::de::DeserializeOwned;

use super::problem::Refusal;
use crate::{adapters::Edge, config};

/// Header of requests whose origin is the edge itself. The server sets it, after it has removed what a client sent
/// under this name.
pub const OWN: &str = "x-bulle-own";

/// A header as text.
pub fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The edge's own address, for the answer to a request.
///
/// # Errors
/// `misconfigured`: the request's host is unknown, and no address is configured.
pub fn own_address(edge: &Edge, uri: &Uri) -> Result<String, Problem> {
    let own = config::own_addresses(edge.env())?;
    own.for_request(&requested(uri)).ok_or_else(|| {
        let detail = "The edge does not know this address as its own. Set the variable PUBLIC_URL to the address under which \
                      it is reached.";
        Problem::new(Code::Misconfigured, detail)
    })
}

/// The origin to which a request was sent, according to its `Host` header.
pub fn requested(uri: &Uri) -> String {
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    format!("{}://{authority}", uri.scheme_str().unwrap_or("https"))
}

/// Parses a ULID of a path. Text that is none answers like an unknown id.
///
/// # Errors
/// `not_found`.
pub fn path_id(text: &str) -> Result<Id, Refusal> {
    text.parse()
        .map_err(|_| Problem::new(Code::NotFound, "There is nothing at this address.").into())
}

/// The parameters of a query, in their order.
///
/// # Errors
/// `invalid_parameter`: the query is not UTF-8.
pub fn query_pairs(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    Query::try_from_uri(uri)
        .map(|Query(pairs)| pairs)
        .map_err(|_| Problem::new(Code::InvalidParameter, "The query cannot be read.").into())
}

/// Reads a JSON body, at most [`MAX_BODY_BYTES`] of it.
///
/// # Errors
/// Those of [`read_text`]; `invalid_json`.
pub async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    Ok(parse_json(&read_text(body).await?)?)
}

/// Reads the JSON of a body, whose structs are objects: [`json::read`].
///
/// # Errors
/// `invalid_json`.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    json::read(text).map_err(|e| Problem::new(Code::InvalidJson, format!("{e}.")))
}

/// Reads a body, at most [`MAX_BODY_BYTES`] of it.
///
/// # Errors
/// `body_too_large`, `not_utf8`.
pub async fn read_text(body: Body) -> Result<String, Refusal> {
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| Problem::new(Code::BodyTooLarge, at_most(MAX_BODY_BYTES)))?;
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(Code::NotUtf8, "Encode the body as UTF-8.").into())
}

/// The detail of `body_too_large`.
pub fn at_most(max_bytes: usize) -> String {
    format!("At most {max_bytes} bytes.")
}
