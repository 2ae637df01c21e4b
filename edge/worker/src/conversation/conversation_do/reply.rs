//! The object's answer to a command: a response, or the events of a turn whose message is being counted.

use axum::http::{HeaderMap, HeaderValue};
use bulle_protocol::problem::{Code, Problem};
use futures_channel::oneshot;
use futures_util::stream::LocalBoxStream;
use std::rc::Rc;
use worker::Response;

use super::{
    super::{
        live::Verdict,
        stream::{self, KEEP_ALIVE_AFTER},
    },
    internal,
};
use crate::http::limit_headers;

/// Header of a response whose turn was begun by an earlier request.
pub(super) const REPLAYED: &str = "bulle-replayed";

/// The answer to a command.
pub(super) enum Reply {
    /// A response that is ready.
    Now(Response),
    /// The events of a turn, once its message is accepted; whether an earlier request has begun it.
    Accepted(
        oneshot::Receiver<Verdict>,
        LocalBoxStream<'static, Rc<str>>,
        bool,
    ),
}

impl Reply {
    /// The response, once the verdict is there.
    pub async fn response(self) -> Result<Response, Problem> {
        let (verdict, frames, replayed) = match self {
            Self::Now(response) => return Ok(response),
            Self::Accepted(verdict, frames, replayed) => (verdict, frames, replayed),
        };
        let limits = verdict.await.unwrap_or_else(|_| Err(not_begun()))?;
        let response = stream::respond(frames, KEEP_ALIVE_AFTER).map_err(|e| internal(&e))?;
        let mut headers = HeaderMap::new();
        limit_headers(&mut headers, &limits);
        if replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        for (name, value) in &headers {
            let value = value.to_str().unwrap_or_default();
            let set = response.headers().set(name.as_str(), value);
            set.map_err(|e| internal(&e))?;
        }
        Ok(response)
    }
}

fn not_begun() -> Problem {
    let detail = "The message was not accepted. Send it again.";
    Problem::new(Code::Internal, detail)
}
