//! A visitor's request that the guard has admitted. All handlers of visitors have one type, and which of them runs is a
//! value: the router's code grows with every type of handler.

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

/// The arguments of a handler for a visitor's request.
pub struct VisitorContext {
    /// The platform.
    pub edge: Edge,
    /// The visitor.
    pub admitted: Admitted,
    /// The parameter in the path, if the route has one.
    path_param: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unread.
    pub body: Body,
}

impl VisitorContext {
    /// The id in the path.
    ///
    /// # Errors
    /// `not_found`.
    pub fn id(&self) -> Result<Id, Refusal> {
        path_id(self.path_param.as_deref().unwrap_or_default())
    }
}

/// The future of an answer.
pub type BoxedAnswer = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A handler of visitors' requests.
pub type HandlerFn = fn(VisitorContext) -> BoxedAnswer;

/// Boxes the future of an answer.
pub fn boxed(answer: impl Future<Output = Answer> + 'static) -> BoxedAnswer {
    Box::pin(SendFuture::new(answer))
}

/// Admits the visitor, then runs the handler.
#[derive(Clone, Copy)]
pub struct VisitorHandler(pub HandlerFn);

impl Handler<(), Edge> for VisitorHandler {
    type Future = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

    fn call(self, request: Request<Body>, edge: Edge) -> Self::Future {
        Box::pin(SendFuture::new(async move {
            admit_and_run(self.0, edge, request).await.into_response()
        }))
    }
}

async fn admit_and_run(handler: HandlerFn, edge: Edge, request: Request<Body>) -> Answer {
    let (mut parts, body) = request.into_parts();
    let path_param = match RawPathParams::from_request_parts(&mut parts, &edge).await {
        Ok(params) => params.iter().next().map(|(_, value)| value.to_owned()),
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let edge = edge.of_request(parts.extensions.get().cloned());
    let admitted = admitted(&edge, &parts.headers).await?;
    handler(VisitorContext {
        edge,
        admitted,
        path_param,
        uri: parts.uri,
        headers: parts.headers,
        body,
    })
    .await
}
