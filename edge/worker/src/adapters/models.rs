//! Models over `fetch`.

use bulle_edge_core::ports::{ModelRequest, ModelResponse, Models, PortError};
use futures_util::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use worker::{
    AbortController, AbortSignal, ByteStream, Fetch, Headers, Method, Request, RequestInit,
};

use super::{Edge, port_error};

/// Longest wait that a vendor may ask for, in seconds.
const MAX_RETRY_AFTER: u32 = 3_600;

impl Models for Edge {
    type Body = ModelBody;

    async fn open(&self, request: ModelRequest) -> Result<ModelResponse<ModelBody>, PortError> {
        let headers = Headers::new();
        for (name, value) in &request.headers {
            headers.set(name, value).map_err(port_error)?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(request.body.into()));
        let fetched = Request::new_with_init(&request.url, &init).map_err(port_error)?;
        let (cancel, signal) = Cancel::new();
        let sent = Fetch::Request(fetched).send_with_signal(&signal).await;
        let mut response = sent.map_err(port_error)?;
        let retry_after = response.headers().get("retry-after").ok().flatten();
        Ok(ModelResponse {
            status: response.status_code(),
            retry_after: retry_after
                .and_then(|value| value.parse().ok())
                .map(|seconds: u32| seconds.min(MAX_RETRY_AFTER)),
            body: ModelBody {
                bytes: response.stream().map_err(port_error)?,
                _cancel: cancel,
            },
        })
    }
}

/// The body of a model's response. Dropping it cancels the request: nobody pays for words that nobody reads.
pub struct ModelBody {
    bytes: ByteStream,
    _cancel: Cancel,
}

/// Aborts when dropped, the wait for the head of the response included.
pub(super) struct Cancel(Option<AbortController>);

impl Cancel {
    pub(super) fn new() -> (Self, AbortSignal) {
        let controller = AbortController::default();
        let signal = controller.signal();
        (Self(Some(controller)), signal)
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

impl Stream for ModelBody {
    type Item = Result<Vec<u8>, PortError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.bytes)
            .poll_next(cx)
            .map(|item| item.map(|bytes| bytes.map_err(port_error)))
    }
}
