//! Creates a resource of any kind, once for each `Idempotency-Key`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bulle_edge_core::{
    admin::{Principal, precondition::etag},
    digest::sha256_hex,
    ports::{Clock, Entropy},
};
use bulle_protocol::problem::{Code, Problem};

use super::{
    access::unavailable,
    context::OwnerContext,
    crud::{forget, text},
};
use crate::{
    adapters::Edge,
    config,
    http::{Answer, Refusal, read_text},
    repositories::owners::{CreateContext, Creation, Remembered},
};

/// Longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// The version of a new resource.
const FIRST_VERSION: u64 = 1;

/// A request to create a resource.
pub struct CreateRequest {
    /// The body.
    pub body: String,
    /// The path of the list that the resource will be in.
    pub path: String,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Random numbers that are fit for secrets.
    pub random: [u128; 3],
}

impl CreateRequest {
    /// A request at the present time.
    pub fn new(edge: &Edge, body: String, path: &str) -> Self {
        Self {
            body,
            path: path.to_owned(),
            now_ms: edge.now_ms(),
            random: [edge.random(), edge.random(), edge.random()],
        }
    }
}

/// Creates the resource that the body describes. `tenant_id` is empty when the operator creates tenants.
pub async fn create(
    mut context: OwnerContext,
    creation: &Creation,
    caller: &Principal,
    tenant_id: &str,
) -> Answer {
    let body = read_text(std::mem::take(&mut context.body)).await?;
    let request = CreateRequest::new(&context.edge, body, context.uri.path());
    create_from(&context, creation, caller, tenant_id, request).await
}

/// Creates a resource whose values are not from the body alone.
pub async fn create_from(
    context: &OwnerContext,
    creation: &Creation,
    caller: &Principal,
    tenant_id: &str,
    request: CreateRequest,
) -> Answer {
    let edge = &context.edge;
    let (body, path, now_ms) = (&request.body, request.path.as_str(), request.now_ms);
    let key = idempotency_key(&context.headers)?;
    let fingerprint = sha256_hex([b"POST\n", path.as_bytes(), b"\n", body.as_bytes()]);

    // 1. A repeated request gets the first one's answer.
    if let Some(key) = &key
        && let Some(again) = repeated(edge, tenant_id, key, &fingerprint, path).await?
    {
        return Ok(again);
    }

    // 2. The columns of the row, and the answer.
    let made = (creation.make)(
        body,
        &CreateContext {
            caller,
            tenant_id,
            now_ms,
            random: request.random,
            guard: config::guard(edge.env()),
            secret: config::session_secret(edge.env()),
        },
    )?;
    let remembered = key.as_ref().map(|key| Remembered {
        key: key.clone(),
        fingerprint: fingerprint.clone(),
        response: made.remembered.clone(),
        etag: etag(FIRST_VERSION),
    });

    // 3. One transaction.
    let owned = edge.owned();
    let done = owned.create(creation, tenant_id, &made, remembered.as_ref(), now_ms);
    let error = match done.await {
        Ok(sites) => {
            forget(edge, &sites).await;
            return Ok(created(made.shown, &etag(FIRST_VERSION), path, &made.id));
        }
        Err(error) => error,
    };

    // 4. The reason of a failure: the same request was faster, there is an obstacle (a taken id, too many), or the
    //    database failed.
    if let Some(key) = &key
        && let Some(again) = repeated(edge, tenant_id, key, &fingerprint, path).await?
    {
        return Ok(again);
    }
    match edge.owned().obstacle(creation, tenant_id, &made).await {
        Ok(Some(obstacle)) => Err((creation.refusal)(&obstacle, &made).into()),
        _ => Err(unavailable(&error)),
    }
}

/// The header `Idempotency-Key`, when there is one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_KEY || !visible {
        let detail = "Idempotency-Key is 1 to 255 visible ASCII characters, such as a UUID.";
        return Err(Problem::new(Code::InvalidParameter, detail).into());
    }
    Ok(Some(text.to_owned()))
}

/// The answer to the same request before, if there was one.
async fn repeated(
    edge: &Edge,
    tenant_id: &str,
    key: &str,
    fingerprint: &str,
    path: &str,
) -> Result<Option<Response<Body>>, Refusal> {
    let Some(known) = edge
        .owned()
        .remembered(tenant_id, key, edge.now_ms())
        .await
        .map_err(|e| unavailable(&e))?
    else {
        return Ok(None);
    };
    if known.fingerprint != fingerprint {
        return Err(Problem::new(
            Code::IdempotencyConflict,
            "This Idempotency-Key was used for another request in the last 24 hours. Choose a new one.",
        )
        .into());
    }
    let id = named(&known.response).unwrap_or_default();
    let mut response = created(known.response, &known.etag, path, &id);
    response.headers_mut().insert(
        HeaderName::from_static("idempotent-replayed"),
        HeaderValue::from_static("true"),
    );
    Ok(Some(response))
}

/// The last part of the path of the resource that an answer shows.
fn named(response: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(response).ok()?;
    let id = value.get("id").or_else(|| value.get("key"))?;
    Some(id.as_str()?.to_owned())
}

fn created(json: String, etag: &str, path: &str, id: &str) -> Response<Body> {
    let mut response = text(StatusCode::CREATED, json);
    let location = format!("{path}/{id}");
    for (name, value) in [(header::LOCATION, location.as_str()), (header::ETAG, etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
