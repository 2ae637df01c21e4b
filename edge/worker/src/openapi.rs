//! `GET /openapi.json`: the contract, generated from the handlers and the types of the protocol.

use axum::{extract::State, http::StatusCode};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    adapters::Edge,
    http::{Answer, json},
    routes::{assets, conversations, health, loader, messages, sessions},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Bulle", description = "The HTTP contract of the edge. Errors are RFC 9457 problems with a stable `code`."),
    paths(
        loader::get, assets::get, sessions::post, conversations::create, conversations::list,
        messages::send, messages::history, messages::events, messages::cancel, health::get, get,
    ),
    modifiers(&Session),
)]
struct Document;

struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The token of POST /v1/sessions"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::Http(scheme));
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operator", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn get(State(_): State<Edge>) -> Answer {
    json(StatusCode::OK, &Document::openapi())
}
