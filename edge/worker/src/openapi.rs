//! `GET /openapi.json`: the contract. The document is generated from the handlers and the types of the protocol
//! by the test below and committed, so that a change shows in review and visitors' isolates do not carry the
//! generator.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};

/// The committed document. `BLESS=1 cargo test -p bulle-edge-worker` writes it anew.
const DOCUMENT: &str = include_str!("../openapi.json");

/// This document.
#[cfg_attr(test, utoipa::path(get, path = "/openapi.json", tag = "operator", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))))]
pub async fn get() -> Response<Body> {
    let mut response = Response::new(Body::from(DOCUMENT));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use crate::routes::{assets, conversations, health, loader, messages, sessions};
    use utoipa::{
        Modify, OpenApi,
        openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    };

    #[derive(OpenApi)]
    #[openapi(
        info(title = "Bulle", description = "The HTTP contract of the edge. Errors are RFC 9457 problems with a stable `code`."),
        paths(
            loader::get, assets::get, sessions::post, conversations::create, conversations::list,
            messages::send, messages::history, messages::events, messages::cancel, health::get, super::get,
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

    #[test]
    fn the_committed_document_is_the_generated_one() {
        let mut generated = Document::openapi().to_pretty_json().unwrap();
        generated.push('\n');
        if std::env::var_os("BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
            std::fs::write(path, &generated).unwrap();
            return;
        }
        assert!(
            generated == super::DOCUMENT,
            "the contract changed: run `BLESS=1 cargo test -p bulle-edge-worker` and review the difference"
        );
    }
}
