//! A call of a visitor whom the guard has let in. One handler for all: which of them it is, is a value, because the
//! router's code grows with every type of handler.

use axum::{
    body::Body,
    extract::{FromRequestParts, RawPathParams},
    handler::Handler,
    http::{HeaderMap, Request, Response, Uri},
    response::IntoResponse,
};
use bulle_edge_core::guard::Admitted;
use bulle_protocol::Id;
use std::pin::Pin;
use worker::send::SendFuture;

use super::caller::admitted;
use crate::{
    adapters::Edge,
    http::{Answer, Refusal, path_id},
};

/// What a visitor asks.
pub struct Visit {
    /// The platform.
    pub edge: Edge,
    /// Who asks.
    pub admitted: Admitted,
    /// What is in the address, if anything.
    named: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, which nobody has read.
    pub body: Body,
}

impl Visit {
    /// The id in the address.
    ///
    /// # Errors
    /// `not_found`.
    pub fn id(&self) -> Result<Id, Refusal> {
        path_id(self.named.as_deref().unwrap_or_default())
    }
}

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What is done for a visitor.
pub type Deed = fn(Visit) -> Answering;

/// The answer of a deed.
pub fn answering(answer: impl Future<Output = Answer> + 'static) -> Answering {
    Box::pin(SendFuture::new(answer))
}

/// Lets the visitor in and does it.
#[derive(Clone, Copy)]
pub struct Visited(pub Deed);

impl Handler<(), Edge> for Visited {
    type Future = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

    fn call(self, request: Request<Body>, edge: Edge) -> Self::Future {
        Box::pin(SendFuture::new(async move {
            let answer = enter(self.0, edge, request).await;
            answer.into_response()
        }))
    }
}

async fn enter(deed: Deed, edge: Edge, request: Request<Body>) -> Answer {
    let (mut parts, body) = request.into_parts();
    let named = match RawPathParams::from_request_parts(&mut parts, &edge).await {
        Ok(params) => params.iter().next().map(|(_, value)| value.to_owned()),
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let admitted = admitted(&edge, &parts.headers).await?;
    let visit = Visit {
        edge,
        admitted,
        named,
        uri: parts.uri,
        headers: parts.headers,
        body,
    };
    deed(visit).await
}
