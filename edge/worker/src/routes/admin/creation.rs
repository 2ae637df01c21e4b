//! How things of every kind are created: once, however often the same request comes with one `Idempotency-Key`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bulle_edge_core::{
    admin::{Caller, precondition::etag},
    digest::sha256_hex,
    ports::{Clock, Entropy},
};
use bulle_protocol::problem::{Code, Problem};

use super::{
    Call,
    access::unavailable,
    things::{forget, text},
};
use crate::{
    adapters::{
        Edge,
        owners::{Creation, Maker, Remembered},
    },
    config,
    http::{Answer, Refusal, read_text},
};

/// Longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// The version of what is new.
const FIRST: u64 = 1;

/// What is to be created, and with what.
pub struct Order {
    /// What the maker reads.
    pub said: String,
    /// The address of the list that the thing will be in.
    pub path: String,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Fit for secrets.
    pub random: [u128; 3],
}

impl Order {
    /// What was said now.
    pub fn new(edge: &Edge, said: String, path: &str) -> Self {
        Self {
            said,
            path: path.to_owned(),
            now_ms: edge.now_ms(),
            random: [edge.random(), edge.random(), edge.random()],
        }
    }
}

/// Creates a thing. `tenant_id` is empty when the operator creates tenants.
pub async fn create(
    mut call: Call,
    creation: &Creation,
    caller: &Caller,
    tenant_id: &str,
) -> Answer {
    let said = read_text(std::mem::take(&mut call.body)).await?;
    let order = Order::new(&call.edge, said, call.uri.path());
    create_ordered(&call, creation, caller, tenant_id, order).await
}

/// Creates what was ordered.
pub async fn create_ordered(
    call: &Call,
    creation: &Creation,
    caller: &Caller,
    tenant_id: &str,
    order: Order,
) -> Answer {
    let edge = &call.edge;
    let (said, path, now_ms) = (&order.said, order.path.as_str(), order.now_ms);
    let key = idempotency_key(&call.headers)?;
    let fingerprint = sha256_hex([b"POST\n", path.as_bytes(), b"\n", said.as_bytes()]);

    // 1. The same request again.
    if let Some(key) = &key
        && let Some(again) = repeated(edge, tenant_id, key, &fingerprint, path).await?
    {
        return Ok(again);
    }

    // 2. What it is to be.
    let made = (creation.make)(
        said,
        &Maker {
            caller,
            tenant_id,
            now_ms,
            random: order.random,
            guard: config::guard(edge.env()),
            secret: config::session_secret(edge.env()),
        },
    )?;
    let remembered = key.as_ref().map(|key| Remembered {
        key: key.clone(),
        fingerprint: fingerprint.clone(),
        response: made.remembered.clone(),
        etag: etag(FIRST),
    });

    // 3. All of it or nothing.
    let done = edge.create_owned(creation, tenant_id, &made, remembered.as_ref(), now_ms);
    let error = match done.await {
        Ok(sites) => {
            forget(edge, &sites).await;
            return Ok(created(made.shown, &etag(FIRST), path, &made.id));
        }
        Err(error) => error,
    };

    // 4. Why not: the same request was quicker, something is in the way, or the database failed.
    if let Some(key) = &key
        && let Some(again) = repeated(edge, tenant_id, key, &fingerprint, path).await?
    {
        return Ok(again);
    }
    match edge.obstacle(creation, tenant_id, &made).await {
        Ok(Some(obstacle)) => Err((creation.refusal)(&obstacle, &made).into()),
        _ => Err(unavailable(&error)),
    }
}

/// The header, when there is one.
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

/// What was answered to the same request before.
async fn repeated(
    edge: &Edge,
    tenant_id: &str,
    key: &str,
    fingerprint: &str,
    path: &str,
) -> Result<Option<Response<Body>>, Refusal> {
    let known = edge.remembered(tenant_id, key, edge.now_ms()).await;
    let Some(known) = known.map_err(|e| unavailable(&e))? else {
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

/// The last part of the address of what an answer shows.
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
