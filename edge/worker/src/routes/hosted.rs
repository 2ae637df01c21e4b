//! `GET /c/{site}`: a bot's hosted page, with its manifest and icon.

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bulle_edge_core::{
    guard::{check_active, directory},
    hosted::{self, HostedPage},
    model::Site,
    strings,
};
use bulle_protocol::problem::{Code, Problem};
use worker::send;

use crate::{
    adapters::Edge,
    http::{self, Answer},
};

/// `max-age` in seconds, short enough for a change of the settings to take effect soon.
const CACHE: &str = "public, max-age=60";

/// The bot's own page, or a page that says why there is none. `?frame` is for pages of the site, with `&isolated` for one
/// that isolates itself in a browser without `credentialless`; `?locale=` takes precedence over the languages of the
/// browser.
#[cfg_attr(test, utoipa::path(get, path = "/c/{site}", tag = "page", params(("site" = String, Path), ("frame" = Option<String>, Query), ("isolated" = Option<String>, Query), ("locale" = Option<String>, Query)), responses(
    (status = 200, description = "The bot's own page", content_type = "text/html"),
    (status = 404, description = "No such site, or no page of its own: a page that says so", content_type = "text/html"),
    (status = 503, description = "Paused: a page that says so", content_type = "text/html"),
)))]
#[send]
pub async fn get(
    State(edge): State<Edge>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let query = query.unwrap_or_default();
    let says = |name: &str| {
        let mut fields = query.split('&');
        fields.any(|field| field.split('=').next() == Some(name))
    };
    let framed = says("frame");
    let locale = locale(&query);
    let languages = languages(&locale, &headers);
    let (status, page) = match directory::site(&edge, &key).await {
        Ok(site) => match open(&site) {
            Ok(()) => (StatusCode::OK, hosted::page(&site, &languages, framed)),
            Err(problem) => absence(Some(&site), &problem, &languages, framed),
        },
        Err(problem) => absence(None, &problem, &languages, framed),
    };
    Ok(answer(
        status,
        &page,
        embedder_policy(&page, says("isolated")),
    ))
}

/// Whether the site has a hosted page, and is not paused.
fn open(site: &Site) -> Result<(), Problem> {
    check_active(site)?;
    if site.bot.access.hosted_page {
        return Ok(());
    }
    let detail = "This bot has no page of its own: access.hosted_page is false in its settings.";
    Err(Problem::new(Code::UnknownSite, detail))
}

fn absence(
    site: Option<&Site>,
    problem: &Problem,
    languages: &[&str],
    framed: bool,
) -> (StatusCode, HostedPage) {
    let status = match problem.code {
        Code::UnknownSite => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        status,
        hosted::absence(site, problem.code, languages, framed),
    )
}

/// What a page that isolates itself (`Cross-Origin-Embedder-Policy`) demands of every page that it frames. `credentialless` is it for
/// Chromium and Firefox, and lets images of answers come from any host. WebKit knows `require-corp` alone: it is for pages that say
/// `isolated`, as widget/page/frame.ts does after a frame was refused. None with Turnstile, whose frame has no such header.
fn embedder_policy(page: &HostedPage, is_isolated: bool) -> Option<&'static str> {
    match is_isolated {
        _ if page.policy.contains("frame-src") => None,
        true => Some("require-corp"),
        false => Some("credentialless"),
    }
}

fn answer(status: StatusCode, page: &HostedPage, embedder: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::from(page.html.clone()));
    *response.status_mut() = status;
    let cache = if status.is_success() {
        CACHE
    } else {
        "no-store"
    };
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/html; charset=utf-8"),
        (header::CACHE_CONTROL.as_str(), cache),
        (header::VARY.as_str(), "accept-language"),
        (header::CONTENT_SECURITY_POLICY.as_str(), &page.policy),
        ("x-robots-tag", "noindex"),
        ("cross-origin-resource-policy", "cross-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
        ),
    ];
    set(&mut response, &headers);
    if let Some(embedder) = embedder {
        set(&mut response, &[("cross-origin-embedder-policy", embedder)]);
    }
    response
}

/// The web app manifest, which makes the bot's own page installable.
#[cfg_attr(test, utoipa::path(get, path = "/c/{site}/manifest.webmanifest", tag = "page", params(("site" = String, Path)), responses(
    (status = 200, description = "A web app manifest", content_type = "application/manifest+json"),
    (status = "4XX", description = "unknown_site, paused", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn manifest(
    State(edge): State<Edge>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let site = directory::site(&edge, &key).await?;
    open(&site)?;
    let body = hosted::manifest(&site, &languages("", &headers));
    Ok(file(body, "application/manifest+json"))
}

/// The icon of the launcher in the bot's colour.
#[cfg_attr(test, utoipa::path(get, path = "/c/{site}/icon.svg", tag = "page", params(("site" = String, Path)), responses(
    (status = 200, description = "The launcher in the bot's colour", content_type = "image/svg+xml"),
    (status = "4XX", description = "unknown_site, paused", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn icon(State(edge): State<Edge>, Path(key): Path<String>) -> Answer {
    let site = directory::site(&edge, &key).await?;
    open(&site)?;
    Ok(file(hosted::icon(&site), "image/svg+xml"))
}

fn file(body: String, kind: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = [
        (header::CONTENT_TYPE.as_str(), kind),
        (header::CACHE_CONTROL.as_str(), CACHE),
        (header::VARY.as_str(), "accept-language"),
        ("cross-origin-resource-policy", "cross-origin"),
    ];
    set(&mut response, &headers);
    response
}

/// The value of `locale` in a query; empty when there is none.
pub fn locale(query: &str) -> String {
    let value = query
        .split('&')
        .find_map(|field| field.strip_prefix("locale="));
    // A language tag has no escapes, and a value that is not a tag matches no locale.
    value.unwrap_or_default().chars().take(35).collect()
}

/// The languages of a visitor, the most wanted first.
pub fn languages<'l>(locale: &'l str, headers: &'l HeaderMap) -> Vec<&'l str> {
    let wishes = http::header(headers, "accept-language").unwrap_or_default();
    let asked = Some(locale).filter(|locale| !locale.is_empty());
    asked
        .into_iter()
        .chain(strings::languages(wishes))
        .collect()
}

fn set(response: &mut Response<Body>, headers: &[(&str, &str)]) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}
