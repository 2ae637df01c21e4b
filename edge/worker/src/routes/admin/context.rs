//! The request of an owner.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, Uri},
};
use std::convert::Infallible;

use crate::adapters::Edge;

/// The arguments of a handler for an owner's request. One extractor serves all handlers, because the router's code
/// grows with every handler's parameters.
pub struct OwnerContext {
    /// The platform.
    pub edge: Edge,
    /// The headers.
    pub headers: HeaderMap,
    /// The address.
    pub uri: Uri,
    /// The body, unread.
    pub body: Body,
}

impl FromRequest<Edge> for OwnerContext {
    type Rejection = Infallible;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            edge: edge.clone().of_request(parts.extensions.get().cloned()),
            headers: parts.headers,
            uri: parts.uri,
            body,
        })
    }
}
