//! Refusals: problems (RFC 9457) on their way to the client.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode},
    response::IntoResponse,
};
use bulle_edge_core::ports::PortError;
use bulle_protocol::problem::{Code, Limit, Problem};

use crate::log;

/// A handler's refusal. The server writes its body, because only the server knows the request id and whether the
/// route speaks the language of OpenAI's API.
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self.0);
        response
    }
}

/// The parameter that a problem is about; errors in OpenAI's form name it.
#[derive(Clone)]
pub struct Param(pub String);

/// The status of a problem; 500 for a number that is not an HTTP status.
pub fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// `RateLimit-Policy` and `RateLimit`, as in the IETF draft "RateLimit header fields for HTTP": quota and window, what
/// is left and the seconds until there is more.
pub fn limit_headers(headers: &mut HeaderMap, limits: &[Limit]) {
    let list = |item: fn(&Limit) -> String| limits.iter().map(item).collect::<Vec<_>>().join(", ");
    for (name, value) in [
        (
            "ratelimit-policy",
            list(|l| format!("\"{}\";q={};w={}", l.name, l.quota, l.window)),
        ),
        (
            "ratelimit",
            list(|l| format!("\"{}\";r={};t={}", l.name, l.remaining, l.reset)),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value)
            && !limits.is_empty()
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The refusal when the archive of conversations cannot be read; the error goes to the log.
pub fn storage_unavailable(error: &PortError) -> Refusal {
    log::error("error", error);
    Problem::new(
        Code::StorageUnavailable,
        "The conversations cannot be read now. Try again in a few seconds.",
    )
    .retry_after(5)
    .into()
}
