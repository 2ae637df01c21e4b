//! `GET /a/{file}`: the widget's files. Their names hold a hash of their content, so they never change.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, header},
};
use bulle_protocol::problem::{Code, Problem};
use worker::{EncodeBody, send};

use crate::{
    adapters::{Edge, port_error},
    http::{Answer, Refusal},
    log,
};

/// A compressed form that stands beside each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Brotli.
    Brotli,
    /// Gzip.
    Gzip,
}

impl Encoding {
    /// The value of `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }
}

/// The best compressed form that the client accepts (RFC 9110, section 12.5.3).
pub fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |name: &str| {
        accepted.split(',').any(|part| {
            let mut fields = part.split(';').map(str::trim);
            let named = fields
                .next()
                .is_some_and(|field| field.eq_ignore_ascii_case(name));
            let zero = |field: &str| {
                field
                    .strip_prefix("q=")
                    .and_then(|q| q.parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0)
            };
            named && !fields.any(zero)
        })
    };
    [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .find(|encoding| accepts(encoding.name()))
}

/// A file of the widget.
#[cfg_attr(test, utoipa::path(get, path = "/a/{file}", tag = "page", params(("file" = String, Path)), responses(
    (status = 200, description = "Immutable"),
    (status = 404, description = "not_found", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn get(State(edge): State<Edge>, Path(file): Path<String>, headers: HeaderMap) -> Answer {
    let kind = match file.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "wasm")) => "application/wasm",
        _ => return Err(missing()),
    };
    let forever = "public, max-age=31536000, immutable";
    serve(&edge, &format!("a/{file}"), kind, forever, &headers).await
}

/// `Cache-Control` of files whose names do not change: short enough for a new release to take effect soon.
pub const CACHE: &str = "public, max-age=60, stale-while-revalidate=600";

/// The script that defines `<bulle-chat>`.
#[cfg_attr(test, utoipa::path(get, path = "/element.js", tag = "page", responses(
    (status = 200, description = "A module", content_type = "text/javascript"),
)))]
#[send]
pub async fn element(State(edge): State<Edge>, headers: HeaderMap) -> Answer {
    let kind = "text/javascript; charset=utf-8";
    serve(&edge, "element.js", kind, CACHE, &headers).await
}

/// The script of the bots' own pages.
#[cfg_attr(test, utoipa::path(get, path = "/hosted.js", tag = "page", responses(
    (status = 200, description = "A module", content_type = "text/javascript"),
)))]
#[send]
pub async fn hosted(State(edge): State<Edge>, headers: HeaderMap) -> Answer {
    let kind = "text/javascript; charset=utf-8";
    serve(&edge, "hosted.js", kind, CACHE, &headers).await
}

/// A file of the build in the best compressed form that stands beside it.
async fn serve(
    edge: &Edge,
    file: &str,
    kind: &'static str,
    cache: &'static str,
    headers: &HeaderMap,
) -> Answer {
    let encoding = encoding(headers);
    let suffix = encoding.map(Encoding::suffix).unwrap_or_default();
    let body = fetch(edge, &format!("{file}{suffix}")).await?;
    let mut response = Response::new(Body::new(body));
    if encoding.is_some() {
        response.extensions_mut().insert(EncodeBody::Manual);
    }
    let mut set = |name: HeaderName, value: &'static str| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, kind);
    set(header::CACHE_CONTROL, cache);
    set(header::VARY, "accept-encoding");
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    );
    if let Some(encoding) = encoding {
        set(header::CONTENT_ENCODING, encoding.name());
    }
    Ok(response)
}

/// The bytes of a file of the build.
pub async fn bytes(edge: &Edge, file: &str) -> Result<Vec<u8>, Refusal> {
    let body = fetch(edge, file).await?;
    let bytes = axum::body::to_bytes(Body::new(body), 1 << 20).await;
    bytes
        .map(|bytes| bytes.to_vec())
        .map_err(|_| Problem::new(Code::Internal, "A file of the build is unreadable.").into())
}

async fn fetch(edge: &Edge, file: &str) -> Result<worker::Body, Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    if !file.chars().all(plain) || file.contains("..") {
        return Err(missing());
    }
    let fetched = match edge.env().assets("ASSETS") {
        Ok(assets) => {
            assets
                .fetch(format!("https://assets.local/{file}"), None)
                .await
        }
        Err(error) => Err(error),
    };
    let response = fetched.map_err(|error| {
        log::error("error", &port_error(error));
        Problem::new(Code::Internal, "The files of the widget cannot be read.")
    })?;
    if response.status().as_u16() != 200 {
        return Err(missing());
    }
    Ok(response.into_body())
}

fn missing() -> Refusal {
    Problem::new(
        Code::NotFound,
        "There is no such file. Was the widget rebuilt? Reload the page.",
    )
    .into()
}
