//! The Cloudflare Worker: thin routes over `bulle-edge-core`, the adapters that implement its ports, and the
//! Durable Object that owns a conversation. The only crate of the workspace that knows the platform.

mod adapters;
mod config;
mod conversation;
mod http;
mod ingest;
mod meter_do;
mod routes;
mod server;

use worker::{Context, Env, HttpRequest, ScheduleContext, ScheduledEvent, console_error, event};

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
    http::raw(server::serve(request, env, context).await)
}

/// Once a day: what is kept for a while goes. A failure is made good the next day.
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    if let Err(error) = adapters::Edge::new(env).forget_old().await {
        console_error!("{}", serde_json::json!({ "sweep": error.to_string() }));
    }
}
