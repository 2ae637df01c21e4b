//! The Cloudflare Worker: thin routes over `bulle-edge-core`, the adapters that implement its ports, and the
//! Durable Object that owns a conversation. The only crate of the workspace that knows the platform.

mod adapters;
mod config;
mod conversation;
mod http;
mod librarian;
mod meter;
mod openapi;
mod routes;

use worker::{Context, Env, HttpRequest, event};

/// Every request comes in here and leaves with an answer: errors are problems, never exceptions.
///
/// # Errors
/// The platform refuses its own response.
#[event(fetch)]
async fn fetch(
    request: HttpRequest,
    env: Env,
    context: Context,
) -> worker::Result<worker::web_sys::Response> {
    http::raw(http::serve(request, env, context).await)
}
