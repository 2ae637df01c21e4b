//! Writing responses.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use bulle_protocol::problem::{Code, Problem};
use worker::{
    ResponseBody,
    send::SendWrapper,
    web_sys::{self, ReadableStream},
};

use super::problem::Refusal;

/// The result of a handler.
pub type Answer = Result<Response<Body>, Refusal>;

/// A response with a value as JSON, which no cache keeps.
///
/// # Errors
/// `internal` when the value cannot be serialised.
pub fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Answer {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// 204, without a body.
pub fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A stream of the platform that passes through the Worker unread.
#[derive(Clone)]
struct Native(SendWrapper<ReadableStream>);

/// A response of the platform in the form that the router takes. A streamed body is set aside; [`raw`] puts it back.
pub fn passed_on(response: worker::Response) -> Response<Body> {
    let (builder, body) = response.into_parts();
    match body {
        ResponseBody::Stream(stream) => {
            let mut head: Response<Body> = builder.empty().into();
            head.extensions_mut().insert(Native(SendWrapper(stream)));
            head
        }
        body => builder.body(body).into(),
    }
}

/// The response in the form that the platform takes.
///
/// # Errors
/// The platform refuses it.
pub fn raw(mut response: Response<Body>) -> worker::Result<web_sys::Response> {
    if let Some(Native(stream)) = response.extensions_mut().remove() {
        let (builder, _) = worker::Response::try_from(response)?.into_parts();
        return Ok(builder.stream(stream.0).into());
    }
    worker::IntoResponse::into_raw(response)
        .map_err(|error| worker::Error::RustError(error.into().to_string()))
}
