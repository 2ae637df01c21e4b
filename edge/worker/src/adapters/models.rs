//! Models over `fetch`, and those of the Workers AI binding.

use bulle_edge_core::ports::{Destination, ModelRequest, ModelResponse, Models, PortError};
use futures_util::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use worker::{
    AbortController, AbortSignal, ByteStream, Fetch, Headers, Method, Request, RequestInit,
    Response,
    js_sys::{Function, JSON, Object, Promise, Reflect},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
    web_sys,
};

use super::{Edge, port_error};
use crate::config::AI_BINDING;

/// Longest wait that a vendor may ask for, in seconds.
const MAX_RETRY_AFTER: u32 = 3_600;

impl Models for Edge {
    type Body = ModelBody;

    async fn open(&self, request: ModelRequest) -> Result<ModelResponse<ModelBody>, PortError> {
        match request.to {
            Destination::Http { url, headers } => post(&url, &headers, request.body).await,
            Destination::Binding { model } => self.run(&model, &request.body).await,
        }
    }
}

async fn post(
    url: &str,
    named: &[(&'static str, String)],
    body: String,
) -> Result<ModelResponse<ModelBody>, PortError> {
    let headers = Headers::new();
    for (name, value) in named {
        headers.set(name, value).map_err(port_error)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body.into()));
    let fetched = Request::new_with_init(url, &init).map_err(port_error)?;
    let (cancel, signal) = Cancel::new();
    let sent = Fetch::Request(fetched).send_with_signal(&signal).await;
    answer(sent.map_err(port_error)?, cancel)
}

fn answer(mut response: Response, cancel: Cancel) -> Result<ModelResponse<ModelBody>, PortError> {
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

impl Edge {
    /// `env.AI.run(model, input, options)`, which gives the response with its stream and can be aborted. Declared here,
    /// because the type of the binding in the crate `worker` gives whole answers only.
    async fn run(&self, model: &str, input: &str) -> Result<ModelResponse<ModelBody>, PortError> {
        // The error's text may quote the prompt.
        let failed = |_: JsValue| PortError("the binding AI failed".to_owned());
        let ai = Reflect::get(self.env(), &AI_BINDING.into()).map_err(failed)?;
        let run = Reflect::get(&ai, &"run".into()).map_err(failed)?;
        let run: Function = run.dyn_into().map_err(|_| {
            let what = "there is no binding AI: add it to wrangler.toml";
            PortError(what.to_owned())
        })?;
        let input = JSON::parse(input).map_err(failed)?;
        let (cancel, signal) = Cancel::new();
        let options = Object::new();
        for (name, value) in [
            ("returnRawResponse", &JsValue::TRUE),
            ("signal", signal.as_ref()),
        ] {
            Reflect::set(&options, &name.into(), value).map_err(failed)?;
        }
        let promise = run.call3(&ai, &model.into(), &input, &options);
        let answered = JsFuture::from(Promise::resolve(&promise.map_err(failed)?)).await;
        let response = answered.map_err(failed)?.dyn_into::<web_sys::Response>();
        answer(response.map_err(failed)?.into(), cancel)
    }
}

/// The body of a model's response. Dropping it cancels the request, so that unread words are not paid for.
pub struct ModelBody {
    bytes: ByteStream,
    _cancel: Cancel,
}

/// Aborts when dropped, the wait for the head of the response included.
pub struct Cancel(Option<AbortController>);

impl Cancel {
    /// An abort controller with its signal.
    pub fn new() -> (Self, AbortSignal) {
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
