//! `GET /s/{site}.js`: the loader, with the bot's name and theme inlined.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header},
};
use bulle_edge_core::{guard::directory, settings::Site, strings};
use bulle_protocol::{
    loader::LoaderConfig,
    problem::{Code, Problem},
};
use sha2::{Digest, Sha256};
use worker::{EncodeBody, send};

use super::assets;
use crate::{
    adapters::Edge,
    http::{self, Answer, Refusal},
};

/// What the bundled loader says where the site's settings belong.
const PLACEHOLDER: &str = "__BULLE_CONFIG__";

/// Short enough for a change of colour to show soon.
const CACHE: &str = "public, max-age=60, stale-while-revalidate=600";

/// The script of the tag. An unknown key, too, answers with a script: it tells the owner in the console.
#[cfg_attr(test, utoipa::path(get, path = "/s/{file}", tag = "page", params(("file" = String, Path, description = "{site}.js")), responses(
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
    let Some(key) = file.strip_suffix(".js") else {
        return Err(Problem::new(Code::NotFound, "The address of the script ends in .js.").into());
    };
    let (script, cache) = match directory::site(&edge, key).await {
        Ok(site) => (script(&edge, &site, &uri, &headers).await?, CACHE),
        Err(problem) => (complaint(&problem), "no-store"),
    };
    Ok(respond(script, cache, &headers))
}

async fn script(
    edge: &Edge,
    site: &Site,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<String, Refusal> {
    let template = assets::text(edge, "loader.js").await?;
    let config = serde_json::to_string(&config(site, uri, headers)).map_err(|_| {
        Problem::new(
            Code::Internal,
            "The loader's settings could not be written.",
        )
    })?;
    // Inside a script file JSON is an expression; these two would end a line in old engines.
    let config = config
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Ok(template.replacen(PLACEHOLDER, &config, 1))
}

fn config(site: &Site, uri: &Uri, headers: &HeaderMap) -> LoaderConfig {
    let bot = &site.bot;
    let wishes = http::header(headers, "accept-language").unwrap_or_default();
    let mut wishes = strings::languages(wishes);
    wishes.push(&bot.locale);
    let locale = strings::negotiate(&wishes);
    let texts = strings::texts(locale).bubble;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    LoaderConfig {
        edge: format!("{}://{authority}", uri.scheme_str().unwrap_or("https")),
        site: site.key.clone(),
        name: bot.name.clone(),
        tagline: bot
            .tagline
            .get(locale, &bot.locale)
            .cloned()
            .unwrap_or_default(),
        locale: locale.to_owned(),
        open: texts.open,
        close: texts.close,
        loading: texts.loading,
        unavailable: texts.unavailable,
        retry: texts.retry,
        theme: bot.theme.clone(),
    }
}

/// A script that harms nothing and tells the owner, where owners look, what to do.
fn complaint(problem: &Problem) -> String {
    let text = format!("[Bulle] {}", problem.detail);
    let text = serde_json::to_string(&text).unwrap_or_default();
    format!("console.error({text});\n")
}

fn respond(script: String, cache: &'static str, headers: &HeaderMap) -> Response<Body> {
    let digest = Sha256::digest(script.as_bytes());
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("W/\"{hex}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value == etag.as_str());
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::from(script)
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if let Some(encoding) = assets::encoding(headers) {
        // The platform compresses by itself what this header names.
        let name = HeaderValue::from_static(encoding.name());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, name);
        response.extensions_mut().insert(EncodeBody::Automatic);
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
