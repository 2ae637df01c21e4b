//! `GET /s/{site}.js`: the loader, with the bot's name and theme inlined. `GET /s/{site}.json`: these settings alone.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header},
};
use bulle_edge_core::{
    guard::{check_active, directory, origin},
    loader,
    model::Site,
};
use bulle_protocol::{
    loader::LoaderSettings,
    problem::{Code, Problem},
};
use sha2::{Digest, Sha256};
use std::{cell::RefCell, collections::HashMap, rc::Rc};
use worker::{EncodeBody, send};

use super::{
    assets::{self, CACHE, Encoding},
    hosted,
};
use crate::{
    adapters::Edge,
    http::{self, Answer, Refusal},
};

/// The loader, which the script tag names. For an unknown key, the response is a script that says so in the console.
/// `?locale=` takes precedence over the languages of the browser.
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
        let mut response = http::json(StatusCode::OK, &settings(&edge, &site, &uri, &headers)?)?;
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
    let active = site.and_then(|site| {
        check_active(&site)?;
        let settings = settings(&edge, &site, &uri, &headers)?;
        Ok((site, settings))
    });
    match active {
        Ok((site, settings)) => {
            let script = script(&edge, &settings).await?;
            let mut response = respond(&script.text, Some(&script), CACHE, &headers);
            if let Ok(policy) = HeaderValue::from_str(&origin::frame_policy(&site)) {
                response
                    .headers_mut()
                    .insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            Ok(response)
        }
        Err(problem) => Ok(respond(&complaint(&problem), None, "no-store", &headers)),
    }
}

/// Files of the build that were read, kept as long as the isolate, which does not outlive its deployment.
type Files = HashMap<String, Rc<[u8]>>;

async fn built(edge: &Edge, file: &str) -> Result<Rc<[u8]>, Refusal> {
    thread_local! {
        static READ: RefCell<Files> = RefCell::default();
    }
    if let Some(bytes) = READ.with_borrow(|read| read.get(file).cloned()) {
        return Ok(bytes);
    }
    let bytes: Rc<[u8]> = assets::bytes(edge, file).await?.into();
    READ.with_borrow_mut(|read| read.insert(file.to_owned(), Rc::clone(&bytes)));
    Ok(bytes)
}

/// The beginning of the script of a bot without texts of its own. It holds all texts of the locale, so it is computed
/// once an isolate.
fn usual(name: &str, bundle: &str, locale: &str) -> Rc<str> {
    thread_local! {
        static HEADS: RefCell<HashMap<String, Rc<str>>> = RefCell::default();
    }
    let make = || loader::head(bundle, Some(locale)).into();
    HEADS.with_borrow_mut(|heads| {
        let head = heads.entry(format!("{name}.{locale}")).or_insert_with(make);
        Rc::clone(head)
    })
}

/// The script of a site, with its beginning as a flushed brotli stream.
struct Script {
    text: String,
    /// Bytes of the text that `head` stands for.
    begins: usize,
    head: Rc<[u8]>,
}

async fn script(edge: &Edge, settings: &LoaderSettings) -> Result<Script, Refusal> {
    let internal = |detail: &str| Problem::new(Code::Internal, detail.to_owned());
    // A site with notes (proactive cards above the launcher) gets the bundle `noted`: the loader with the code of
    // notes, which may be shown before the visitor's intent.
    let name = if settings.rules.is_empty() {
        "loader"
    } else {
        "noted"
    };
    let bundle = built(edge, &format!("{name}.js")).await?;
    let bundle = std::str::from_utf8(&bundle).map_err(|_| internal("The loader is no UTF-8."))?;
    let text = loader::script(bundle, settings)
        .ok_or_else(|| internal("The loader has no place for settings."))?;
    let locale = settings.locale.as_str();
    let usual = usual(name, bundle, locale);
    let (begins, file) = if text.starts_with(&*usual) {
        (usual.len(), format!("{name}.{locale}.br"))
    } else {
        (loader::head(bundle, None).len(), format!("{name}.br"))
    };
    Ok(Script {
        head: built(edge, &file).await?,
        begins,
        text,
    })
}

fn settings(
    edge: &Edge,
    site: &Site,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<LoaderSettings, Problem> {
    let origin = http::own_address(edge, uri)?;
    let locale = hosted::locale(uri.query().unwrap_or_default());
    let languages = hosted::languages(&locale, headers);
    Ok(loader::config(site, origin, &languages))
}

/// A script that only logs a problem for the owner to the browser's console.
fn complaint(problem: &Problem) -> String {
    let text = format!("[Bulle] {}", problem.detail);
    let text = serde_json::to_string(&text).unwrap_or_default();
    format!("console.error({text});\n")
}

fn respond(
    text: &str,
    script: Option<&Script>,
    cache: &'static str,
    headers: &HeaderMap,
) -> Response<Body> {
    let digest = Sha256::digest(text);
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("W/\"{hex}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value == etag.as_str());
    let encoding = assets::encoding(headers).filter(|_| !known && script.is_some());
    let body = match (encoding, script) {
        _ if known => Body::empty(),
        (Some(Encoding::Brotli), Some(script)) => {
            let rest = text.get(script.begins..).unwrap_or_default();
            Body::from(loader::stitch(&script.head, rest.as_bytes()))
        }
        _ => Body::from(text.to_owned()),
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
        // The platform encodes with gzip; only the stitched brotli is encoded already.
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
