//! `GET /openapi.json`: the OpenAPI document. The test below generates it from the handlers and the types of the
//! protocol; it is committed, so that a change shows in review. The Worker contains neither the generator nor the
//! document, which is a file of the build.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, header},
};
use worker::send;

use super::assets;
use crate::{adapters::Edge, http::Answer};

/// The committed document. `BLESS=1 cargo test -p bulle-edge-worker` writes it anew.
#[cfg(test)]
const DOCUMENT: &str = include_str!("../../openapi.json");

/// This OpenAPI document.
#[cfg_attr(test, utoipa::path(get, path = "/openapi.json", tag = "operator", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))))]
#[send]
pub async fn get(State(edge): State<Edge>) -> Answer {
    let document = assets::bytes(&edge, "openapi.json").await?;
    let mut response = Response::new(Body::from(document));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use crate::routes::{
        account::{
            invitations as account_invitations, recovery, sessions as account_sessions, sign_in,
        },
        admin::{
            audit, bots, conversations as owner_conversations, forms, gaps, golden,
            identity_secrets, invitations, keys, notices, people, prompts, sites, sources, tenants,
            usage,
        },
        assets, attachments, completions, conversations, feedback, health, hosted, loader, me,
        messages, sessions, strings,
    };
    use utoipa::{
        Modify, OpenApi,
        openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    };

    #[derive(OpenApi)]
    #[openapi(
        info(title = "Bulle", description = "The HTTP contract of the edge. Errors are RFC 9457 problems with a stable `code`."),
        paths(
            loader::get, assets::get, assets::element, assets::hosted, hosted::get, hosted::manifest, hosted::icon, strings::get, sessions::post, conversations::create, conversations::list,
            messages::send, messages::history, messages::events, messages::cancel, feedback::post,
            conversations::rename, conversations::delete, attachments::post, me::put, me::export, me::delete,
            tenants::list, tenants::create, tenants::get, tenants::change, tenants::delete,
            bots::list, bots::create, bots::get, bots::change, bots::delete,
            sources::list, sources::create, sources::upload, sources::get, sources::change, sources::replace, sources::refresh,
            sources::content, sources::delete,
            gaps::list, gaps::answer, gaps::dismiss,
            golden::report, golden::add, golden::run, golden::delete,
            sites::list, sites::create, sites::get, sites::change, sites::delete, sites::snippets,
            recovery::create, recovery::sign_in,
            account_sessions::account, sign_in::sign_in, sign_in::sign_out, sign_in::step_up, sign_in::change_password,
            account_sessions::list, account_sessions::close, account_sessions::close_all, account_invitations::accept,
            invitations::create_for_operator, invitations::list_of_operator, invitations::revoke_of_operator,
            invitations::create, invitations::list, invitations::revoke, invitations::renew,
            audit::list, audit::list_of_operator,
            people::list, people::get, people::change, people::remove,
            owner_conversations::list, owner_conversations::get, owner_conversations::label, owner_conversations::annotate,
            owner_conversations::delete_note, owner_conversations::delete, owner_conversations::delete_many,
            keys::list, keys::create, keys::get, keys::revoke,
            identity_secrets::list, identity_secrets::create, identity_secrets::delete,
            prompts::get,
            forms::list,
            notices::list, notices::test, notices::secret,
            usage::report, usage::answer,
            completions::create, completions::models, completions::model,
            health::get, super::get,
        ),
        // The generator does not find types that refer to themselves, as inlines do.
        components(schemas(bulle_protocol::block::Inline, bulle_protocol::block::Align, bulle_api::completion::Chunk)),
        modifiers(&Bearers),
    )]
    struct Document;

    struct Bearers;

    impl Modify for Bearers {
        fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("The token of POST /v1/sessions"))
                .build();
            let components = document.components.get_or_insert_default();
            components.add_security_scheme("session", SecurityScheme::Http(scheme));
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("bulle_{tenant}_{id}_{secret}")
                .description(Some("An API key of POST /v1/admin/tenants/{tenant}/keys, or the operator's ADMIN_KEY"))
                .build();
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
            let cookie = ApiKeyValue::with_description(
                "__Host-bulle",
                "The session of a person, see docs/people.md. Over plain HTTP on the own machine its name is \"bulle\".",
            );
            components
                .add_security_scheme("person", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        }
    }

    /// An event of a stream is text: its `data` is a string that holds JSON.
    fn describe_stream(document: &mut serde_json::Value) {
        let events = &mut document["components"]["schemas"]["ServerEvent"]["oneOf"];
        for event in events.as_array_mut().unwrap() {
            let data = event["properties"]["data"].take();
            event["properties"]["data"] = serde_json::json!({
                "type": "string", "contentMediaType": "application/json", "contentSchema": data,
            });
            event["properties"]["id"] =
                serde_json::json!({ "type": "string", "description": "{turn}:{seq}" });
        }
    }

    /// A value whose only key names what it is (`{"label": …}`) has no other key.
    fn close_variants(document: &mut serde_json::Value) {
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        for variant in schemas
            .values_mut()
            .filter_map(|schema| schema.get_mut("oneOf")?.as_array_mut())
            .flatten()
        {
            let Some(properties) = variant.get("properties").and_then(|it| it.as_object()) else {
                continue;
            };
            let is_tag = |property: &serde_json::Value| property.get("enum").is_some();
            if properties.len() == 1 && !properties.values().any(is_tag) {
                variant["additionalProperties"] = false.into();
            }
        }
    }

    /// Whatever a key may do in the owner's API, a person may do as far as the role goes.
    fn describe_people(document: &mut serde_json::Value) {
        let paths = document["paths"].as_object_mut().unwrap();
        for operation in paths
            .values_mut()
            .flat_map(|path| path.as_object_mut().unwrap().values_mut())
        {
            if operation["tags"][0] == "owner" {
                let security = operation["security"].as_array_mut().unwrap();
                security.push(serde_json::json!({ "person": [] }));
            }
        }
    }

    #[test]
    fn the_committed_document_is_the_generated_one() {
        let mut document = serde_json::to_value(Document::openapi()).unwrap();
        describe_stream(&mut document);
        describe_people(&mut document);
        close_variants(&mut document);
        let mut generated = serde_json::to_string_pretty(&document).unwrap();
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
