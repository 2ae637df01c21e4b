//! `GET /s/{site}.js`: the loader, with the bot's name and theme inlined. `GET /s/{site}.json`: those alone.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header},
};
use bulle_edge_core::{
    guard::{check_active, directory, origin},
    loader,
    settings::Site,
    strings,
};
use bulle_protocol::{
    loader::LoaderSettings,
    problem::{Code, Problem},
};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use worker::{EncodeBody, send};

use super::{
    assets::{self, CACHE, Encoding},
    hosted,
};
use crate::{
    adapters::Edge,
    http::{self, Answer, Refusal},
};

/// The script of the tag. An unknown key, too, answers with a script: it tells the owner in the console. `?locale=` is heard
/// before what the browser wishes.
#[cfg_attr(test, utoipa::path(get, path = "/s/{file}", tag = "page", params(("file" = String, Path, description = "{site}.js, or {site}.json for the settings alone"), ("locale" = Option<String>, Query)), responses(
    (status = 200, description = "The loader, or a line that says in the console what is wrong", content_type = "text/javascript"),
    (status = 304, description = "Not modified"),
    (status = 404, description = "not_found: no .js", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn get(
    State(edge): State<Edge>,
    Path(file): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    if let Some(key) = file.strip_suffix(".json") {
        let site = directory::site(&edge, key).await?;
        check_active(&site)?;
        let mut response = http::json(StatusCode::OK, &settings(&site, &uri, &headers))?;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CACHE_CONTROL, CACHE),
            (header::VARY, "accept-encoding, accept-language"),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        return Ok(response);
    }
    let Some(key) = file.strip_suffix(".js") else {
        return Err(Problem::new(Code::NotFound, "The address of the script ends in .js.").into());
    };
    let site = directory::site(&edge, key).await;
    let active = site.and_then(|site| check_active(&site).map(|()| site));
    match active {
        Ok(site) => {
            let bundle = bundle(&edge).await?;
            let rest = rest(bundle, &site, &uri, &headers)?;
            let mut response = respond(bundle, &rest, CACHE, &headers);
            if let Ok(policy) = HeaderValue::from_str(&origin::frame_policy(&site)) {
                response
                    .headers_mut()
                    .insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            Ok(response)
        }
        Err(problem) => {
            let nothing = Bundle::default();
            Ok(respond(
                &nothing,
                &complaint(&problem),
                "no-store",
                &headers,
            ))
        }
    }
}

/// The loader as it was built.
#[derive(Default)]
struct Bundle {
    text: String,
    /// What stands before the settings, as a flushed brotli stream.
    head: Vec<u8>,
    /// What stands behind the loader of a site with notes that come first.
    notes: String,
}

/// Reads the bundle once for the life of the isolate, which is at most that of the deployment.
async fn bundle(edge: &Edge) -> Result<&'static Bundle, Refusal> {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    if let Some(bundle) = BUNDLE.get() {
        return Ok(bundle);
    }
    let text = |bytes| {
        String::from_utf8(bytes)
            .map_err(|_| Problem::new(Code::Internal, "The loader is no UTF-8."))
    };
    let bundle = Bundle {
        text: text(assets::bytes(edge, "loader.js").await?)?,
        head: assets::bytes(edge, "loader.head.br").await?,
        notes: text(assets::bytes(edge, "proactive.js").await?)?,
    };
    Ok(BUNDLE.get_or_init(|| bundle))
}

fn rest(bundle: &Bundle, site: &Site, uri: &Uri, headers: &HeaderMap) -> Result<String, Refusal> {
    let settings = settings(site, uri, headers);
    let rest = || {
        let rest = loader::rest(&bundle.text, &settings)?;
        if settings.rules.is_empty() {
            return Some(rest);
        }
        let locale = &settings.config.locale;
        let mut texts = strings::texts(locale).panel;
        texts.extend(strings::sheets(&site.bot, locale));
        let dismiss = texts.get("dismiss").map_or("", String::as_str);
        let (site, rules) = (&settings.config.site, &settings.rules);
        Some(rest + &loader::notes(&bundle.notes, site, rules, dismiss)?)
    };
    rest()
        .ok_or_else(|| Problem::new(Code::Internal, "The loader has no place for settings.").into())
}

fn settings(site: &Site, uri: &Uri, headers: &HeaderMap) -> LoaderSettings {
    let locale = hosted::locale(uri.query().unwrap_or_default());
    let languages = hosted::languages(&locale, headers);
    loader::config(site, http::own_origin(uri), &languages)
}

/// A script that harms nothing and tells the owner, where owners look, what to do.
fn complaint(problem: &Problem) -> String {
    let text = format!("[Bulle] {}", problem.detail);
    let text = serde_json::to_string(&text).unwrap_or_default();
    format!("console.error({text});\n")
}

fn respond(
    bundle: &Bundle,
    rest: &str,
    cache: &'static str,
    headers: &HeaderMap,
) -> Response<Body> {
    let head = loader::head(&bundle.text);
    let digest = Sha256::new()
        .chain_update(head)
        .chain_update(rest)
        .finalize();
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("W/\"{hex}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value == etag.as_str());
    let encoding = assets::encoding(headers).filter(|_| !known && !head.is_empty());
    let body = match encoding {
        _ if known => Body::empty(),
        Some(Encoding::Brotli) => Body::from(loader::stitch(&bundle.head, rest.as_bytes())),
        _ => Body::from(format!("{head}{rest}")),
    };
    let mut response = Response::new(body);
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    if let Some(encoding) = encoding {
        let name = HeaderValue::from_static(encoding.name());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, name);
        // Other encodings than the stitched one are the platform's work.
        response.extensions_mut().insert(match encoding {
            Encoding::Brotli => EncodeBody::Manual,
            Encoding::Gzip => EncodeBody::Automatic,
        });
    }
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    set(header::CACHE_CONTROL, cache);
    set(header::ETAG, &etag);
    set(header::VARY, "accept-encoding, accept-language");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    );
    response
}
