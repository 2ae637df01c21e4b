//! The routes of the edge as a table. One file a resource, with thin handlers.

pub mod account;
pub mod admin;
pub mod assets;
pub mod attachments;
pub mod audit;
mod caller;
pub mod completions;
mod context;
pub mod conversations;
pub mod feedback;
pub mod health;
pub mod hosted;
pub mod loader;
pub mod me;
pub mod messages;
mod openapi;
#[cfg(test)]
pub mod openapi_types;
mod person;
pub mod route;
pub mod sessions;
pub mod strings;

use axum::routing::{get, patch, post, put};
use bulle_edge_core::attachments::MAX_BYTES;

use context::{VisitorHandler, boxed};
use route::{
    Audience::{Operator, OwnerServer, Page, Visitor},
    Route,
};

/// A handler of visitors' requests.
macro_rules! visitor {
    ($handler:path) => {
        VisitorHandler(|context| boxed($handler(context)))
    };
}

/// Every route of the edge.
pub fn all() -> Vec<Route> {
    let mut routes = vec![
        Page.at("/s/{file}", get(loader::get)),
        Page.at("/a/{file}", get(assets::get)),
        Page.at("/element.js", get(assets::element)),
        Page.at("/hosted.js", get(assets::hosted)),
        Page.at("/c/{site}", get(hosted::get)),
        Page.at("/c/{site}/manifest.webmanifest", get(hosted::manifest)),
        Page.at("/c/{site}/icon.svg", get(hosted::icon)),
        Page.at("/v1/strings/{locale}", get(strings::get)),
        Visitor.at("/v1/sessions", post(sessions::post)),
        Visitor.at(
            "/v1/conversations",
            get(visitor!(conversations::list)).post(visitor!(conversations::create)),
        ),
        Visitor.at(
            "/v1/conversations/{id}",
            patch(visitor!(conversations::rename)).delete(visitor!(conversations::delete)),
        ),
        Visitor.at(
            "/v1/conversations/{id}/messages",
            get(visitor!(messages::history)).post(visitor!(messages::send)),
        ),
        Visitor.at(
            "/v1/conversations/{id}/events",
            get(visitor!(messages::events)),
        ),
        Visitor.at(
            "/v1/conversations/{id}/cancel",
            post(visitor!(messages::cancel)),
        ),
        Visitor.at("/v1/messages/{id}/feedback", post(visitor!(feedback::post))),
        Visitor
            .at("/v1/attachments", post(visitor!(attachments::post)))
            .max_upload(MAX_BYTES),
        Visitor.at(
            "/v1/me",
            put(visitor!(me::put)).delete(visitor!(me::delete)),
        ),
        Visitor.at("/v1/me/export", get(visitor!(me::export))),
        OwnerServer.at("/v1/chat/completions", post(completions::create)),
        OwnerServer.at("/v1/models", get(completions::models)),
        OwnerServer.at("/v1/models/{id}", get(completions::model)),
        Operator.at("/bot", get(bot)),
        Operator.at("/health", get(health::get)),
        Operator.at("/openapi.json", get(openapi::get)),
    ];
    routes.extend(account::all());
    routes.extend(admin::all());
    routes
}

/// The page for operators of sites about the crawler; the crawler's `User-Agent` in their logs links to it.
async fn bot() -> &'static str {
    "BulleBot reads pages for the owners of chat assistants, who have named them as what their assistant is to know. It \
     makes one request at a time, obeys robots.txt with its crawl-delay, and follows noindex and nofollow.\n\nTo keep it \
     away, write into your robots.txt:\n\nUser-agent: BulleBot\nDisallow: /\n"
}
