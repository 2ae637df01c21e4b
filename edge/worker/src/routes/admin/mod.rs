//! The owner's API: `/v1/admin/…`. A handler says who may do what to which kind of thing; what happens then is the same
//! for all kinds and stands in [`things`] and [`creation`].

pub mod bots;
#[cfg(test)]
pub mod documented;
pub mod forms;
pub mod gaps;
pub mod golden;
pub mod identity_secrets;
pub mod keys;
pub mod notices;
pub mod prompts;
pub mod sites;
pub mod sources;
pub mod tenants;
pub mod usage;

pub mod access;
mod creation;
mod query;
mod things;

use axum::{
    Router,
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, Uri},
    routing::{get, post},
};
use std::convert::Infallible;

use crate::adapters::Edge;

/// Where every address of this API begins.
pub const PREFIX: &str = "/v1/admin";

/// A request of an owner. One extractor for all: the router's code grows with every handler's parameters.
pub struct Call {
    edge: Edge,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
}

impl FromRequest<Edge> for Call {
    type Rejection = Infallible;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            edge: edge.clone(),
            headers: parts.headers,
            uri: parts.uri,
            body,
        })
    }
}

/// The routes of owners.
pub fn router() -> Router<Edge> {
    Router::new()
        .route(
            "/v1/admin/tenants",
            get(tenants::list).post(tenants::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}",
            get(tenants::get)
                .patch(tenants::change)
                .delete(tenants::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots",
            get(bots::list).post(bots::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}",
            get(bots::get).patch(bots::change).delete(bots::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/sources",
            get(sources::list).post(sources::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/files",
            post(sources::upload),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}",
            get(sources::get)
                .patch(sources::change)
                .delete(sources::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/file",
            axum::routing::put(sources::replace),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/refresh",
            post(sources::refresh),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/sources/{source}/content",
            get(sources::content),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/gaps",
            get(gaps::list),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/gaps/{gap}/answer",
            post(gaps::answer),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/gaps/{gap}/dismiss",
            post(gaps::dismiss),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/golden",
            get(golden::report).post(golden::add),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/golden/run",
            post(golden::run),
        )
        .route(
            "/v1/admin/tenants/{tenant}/bots/{bot}/golden/{id}",
            axum::routing::delete(golden::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/sites",
            get(sites::list).post(sites::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}/sites/{key}",
            get(sites::get).patch(sites::change).delete(sites::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/sites/{key}/snippets",
            get(sites::snippets),
        )
        .route(
            "/v1/admin/tenants/{tenant}/keys",
            get(keys::list).post(keys::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}/keys/{id}",
            get(keys::get).delete(keys::revoke),
        )
        .route(
            "/v1/admin/tenants/{tenant}/identity-secrets",
            get(identity_secrets::list).post(identity_secrets::create),
        )
        .route(
            "/v1/admin/tenants/{tenant}/identity-secrets/{id}",
            axum::routing::delete(identity_secrets::delete),
        )
        .route(
            "/v1/admin/tenants/{tenant}/answers/{reply_id}/prompt",
            get(prompts::get),
        )
        .route("/v1/admin/tenants/{tenant}/forms", get(forms::list))
        .route("/v1/admin/tenants/{tenant}/notices", get(notices::list))
        .route(
            "/v1/admin/tenants/{tenant}/notices/test",
            post(notices::test),
        )
        .route(
            "/v1/admin/tenants/{tenant}/notices/secret",
            get(notices::secret),
        )
        .route("/v1/admin/tenants/{tenant}/usage", get(usage::report))
        .route(
            "/v1/admin/tenants/{tenant}/answers/{reply_id}",
            get(usage::answer),
        )
}
