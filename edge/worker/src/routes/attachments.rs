//! `/v1/attachments`: files that visitors attach.

use axum::{extract::Query, http::StatusCode};
use bulle_edge_core::{
    attachments::{self, MAX_BYTES},
    guard::visitor::admit_attachment,
    model::Material,
    ports::{Clock, Entropy},
};
use bulle_edge_formats::{File, read};
use bulle_protocol::{
    Id,
    conversation::Uploaded,
    problem::{Code, Problem},
};
use serde::Deserialize;

use super::context::VisitorContext;
use crate::http::{Answer, at_most, header, json, storage_unavailable};

/// Query of `POST /v1/attachments`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
pub struct UploadQuery {
    /// The file's name with its ending, 1 to 120 characters.
    #[cfg_attr(test, param(value_type = String, required = true, min_length = 1, max_length = 120))]
    name: Option<String>,
}

/// Uploads a file as the body of the request: at most 5 MB, of a kind that docs/formats.md names. Its text is kept, at
/// most 20,000 characters, not the file; a text that no message sends is kept for a day.
#[cfg_attr(test, utoipa::path(post, path = "/v1/attachments", tag = "visitor", operation_id = "attachment_post", security(("session" = [])), params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, with its own Content-Type"), responses(
    (status = 201, body = Uploaded),
    (status = "4XX", description = "feature_disabled, body_too_large, invalid_value when it has no name or cannot be read, rate_limited, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, internal", body = Problem, content_type = "application/problem+json"),
)))]
pub async fn post(context: VisitorContext) -> Answer {
    let VisitorContext {
        edge,
        admitted,
        uri,
        headers,
        body,
        ..
    } = context;
    let name = Query::<UploadQuery>::try_from_uri(&uri)
        .ok()
        .and_then(|Query(named)| named.name)
        .unwrap_or_default();
    let name = attachments::name(&name)?;
    let id = Id::from_parts(edge.now_ms(), edge.random());
    admit_attachment(&edge, &admitted, id).await?;
    let bytes = axum::body::to_bytes(body, MAX_BYTES)
        .await
        .map_err(|_| Problem::new(Code::BodyTooLarge, at_most(MAX_BYTES)))?;
    let documents = read(&File {
        name: &name,
        content_type: header(&headers, "content-type"),
        url: "",
        bytes: &bytes,
    })
    .map_err(|e| Problem::new(Code::InvalidValue, format!("body: {}", e.detail)))?;
    let text = attachments::kept(&documents);
    let file = Material { id, name, text };
    let size = bytes.len() as u64;
    edge.profiles()
        .keep_file(&admitted.owner(), &file, size, edge.now_ms())
        .await
        .map_err(|e| storage_unavailable(&e))?;
    let uploaded = Uploaded {
        id,
        characters: file.text.chars().count(),
        name: file.name,
        bytes: size,
    };
    json(StatusCode::CREATED, &uploaded)
}
