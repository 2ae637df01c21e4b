//! The Cloudflare Worker: thin routes over `bulle-edge-core`, the adapters that implement its ports, and the Durable Objects
//! of conversations, of meters, of ingestion and of passwords. The only crate of the workspace that knows the platform.

#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests read the migrations and write the contract"
    )
)]

mod adapters;
mod config;
mod conversation;
mod d1;
mod gate_do;
mod http;
mod ingest;
mod log;
mod meter_do;
mod repositories;
mod routes;
mod server;
mod tallies;

use bulle_edge_core::ports::Clock;
use worker::{Context, Env, HttpRequest, ScheduleContext, ScheduledEvent, event};

/// Answers every request: errors are problems, never exceptions.
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

/// The daily run: deletes expired data. A run that fails is made up for by the next one.
#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    let edge = adapters::Edge::new(env);
    let now_ms = edge.now_ms();
    for done in [
        edge.profiles().forget_old(now_ms).await,
        edge.people().forget_old(now_ms).await,
        edge.audit().forget_old(now_ms).await,
    ] {
        if let Err(error) = done {
            log::error("sweep", &error);
        }
    }
}
