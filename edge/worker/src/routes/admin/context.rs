//! The request of an owner, or of a person about their account.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, Uri},
};
use std::convert::Infallible;

use crate::{
    adapters::Edge,
    routes::{audit::Audited, person::Asked},
};

/// The arguments of a handler for an owner's or a person's request. One extractor serves all handlers, because the router's code
/// grows with every handler's parameters.
pub struct OwnerContext {
    /// The platform.
    pub edge: Edge,
    /// The method.
    pub method: Method,
    /// The headers.
    pub headers: HeaderMap,
    /// The address.
    pub uri: Uri,
    /// The body, unread.
    pub body: Body,
    /// What the audit says of the request.
    pub audited: Audited,
}

impl OwnerContext {
    /// What the request says about who made it.
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            method: &self.method,
            uri: &self.uri,
            headers: &self.headers,
        }
    }
}

impl FromRequest<Edge> for OwnerContext {
    type Rejection = Infallible;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            audited: parts.extensions.get().cloned().unwrap_or_default(),
            edge: edge.clone().of_request(parts.extensions.get().cloned()),
            method: parts.method,
            headers: parts.headers,
            uri: parts.uri,
            body,
        })
    }
}
