//! Paths, and nothing but paths. One file a resource, with thin handlers.

pub mod admin;
pub mod assets;
pub mod attachments;
pub mod completions;
pub mod conversations;
#[cfg(test)]
pub mod documented;
pub mod feedback;
pub mod health;
pub mod hosted;
pub mod loader;
pub mod me;
pub mod messages;
pub mod sessions;
pub mod strings;
mod visit;

use axum::{
    Router,
    routing::{get, patch, post, put},
};
use bulle_protocol::problem::{Code, Problem};

use crate::{adapters::Edge, http::Refusal, openapi};
use visit::{Visited, answering};

/// The routes of the edge.
pub fn router(edge: Edge) -> Router {
    Router::new()
        .route("/s/{file}", get(loader::get))
        .route("/a/{file}", get(assets::get))
        .route("/element.js", get(assets::element))
        .route("/hosted.js", get(assets::hosted))
        .route("/c/{site}", get(hosted::get))
        .route("/c/{site}/manifest.webmanifest", get(hosted::manifest))
        .route("/c/{site}/icon.svg", get(hosted::icon))
        .route("/v1/sessions", post(sessions::post))
        .route("/v1/strings/{locale}", get(strings::get))
        .route(
            "/v1/conversations",
            get(Visited(|v| answering(conversations::list(v))))
                .post(Visited(|v| answering(conversations::create(v)))),
        )
        .route(
            "/v1/conversations/{id}",
            patch(Visited(|v| answering(conversations::rename(v))))
                .delete(Visited(|v| answering(conversations::delete(v)))),
        )
        .route(
            "/v1/conversations/{id}/messages",
            get(Visited(|v| answering(messages::history(v))))
                .post(Visited(|v| answering(messages::send(v)))),
        )
        .route(
            "/v1/conversations/{id}/events",
            get(Visited(|v| answering(messages::events(v)))),
        )
        .route(
            "/v1/conversations/{id}/cancel",
            post(Visited(|v| answering(messages::cancel(v)))),
        )
        .route(
            "/v1/messages/{id}/feedback",
            post(Visited(|v| answering(feedback::post(v)))),
        )
        .route(
            attachments::PATH,
            post(Visited(|v| answering(attachments::post(v)))),
        )
        .route(
            "/v1/me",
            put(Visited(|v| answering(me::put(v)))).delete(Visited(|v| answering(me::delete(v)))),
        )
        .route("/v1/me/export", get(Visited(|v| answering(me::export(v)))))
        .route("/v1/chat/completions", post(completions::create))
        .route("/v1/models", get(completions::models))
        .route("/v1/models/{id}", get(completions::model))
        .merge(admin::router())
        .route("/bot", get(bot))
        .route("/health", get(health::get))
        .route("/openapi.json", get(openapi::get))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(edge)
}

/// What sites are told of the crawler, whose name in their logs leads here.
async fn bot() -> &'static str {
    "BulleBot reads pages for the owners of chat assistants, who have named them as what their assistant is to know. It \
     makes one request at a time, obeys robots.txt with its crawl-delay, and follows noindex and nofollow.\n\nTo keep it \
     away, write into your robots.txt:\n\nUser-agent: BulleBot\nDisallow: /\n"
}

async fn not_found() -> Refusal {
    Problem::new(Code::NotFound, "There is nothing at this address.").into()
}

async fn method_not_allowed() -> Refusal {
    Problem::new(
        Code::MethodNotAllowed,
        "This address exists, but not for this method.",
    )
    .into()
}
