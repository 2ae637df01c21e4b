//! The front door. Every request passes here on its way in and on its way out:
//!
//! 1. The request gets an id, and headers that only the edge may set are taken from it.
//! 2. Its path decides the rules: the audience of the route, and the largest body (`routes/route.rs`).
//! 3. A preflight is answered; of any other request the body is read to its end, then its handler runs.
//! 4. What an owner or a person did is written into the audit (`routes/audit.rs`).
//! 5. A problem gets its body, in the form that the route's clients read.
//! 6. Common headers and, for pages, CORS headers are set, and a line is logged.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use bulle_edge_core::{
    completion,
    guard::input::MAX_BODY_BYTES,
    ports::{Clock, Entropy},
};
use bulle_protocol::{
    Id,
    problem::{Code, PROBLEM_JSON, Problem},
};
use futures_util::StreamExt;
use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
    sync::Arc,
};
use worker::{Context, Env, HttpRequest};

use crate::{
    adapters::Edge,
    config,
    http::{self, OWN, Param, Refusal, at_most, limit_headers, requested, status},
    log,
    routes::{
        self,
        audit::Audited,
        route::{Audience, Routes, Rules},
    },
};

/// From this many milliseconds until its response on, a request is logged.
const SLOW_MS: u64 = 1_000;

/// How many bytes of a body are read beyond its limit. A server that answers and closes the connection while its client
/// is writing makes the client see a broken connection instead of the answer (RFC 9112 section 9.6).
const MAX_DRAINED_BYTES: usize = 1024 * 1024;

thread_local! {
    /// The routes, built by the first request of the isolate. They keep that request's environment: bindings belong to
    /// the deployment, not to a request.
    static ROUTES: OnceCell<Rc<Routes>> = const { OnceCell::new() };
    /// Requests of this isolate in which all was well.
    static WELL: Cell<u32> = const { Cell::new(0) };
}

/// Answers a request; errors are answers, too.
pub async fn serve(mut request: HttpRequest, env: Env, context: Context) -> Response<Body> {
    let edge = Edge::new(env);
    let started = edge.now_ms();
    let request_id = Id::from_parts(started, edge.random()).to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    mark_own(&edge, &mut request);
    request.extensions_mut().insert(Arc::new(context));
    let audited = Audited::default();
    request.extensions_mut().insert(audited.clone());

    let routes = routes_of_isolate(&edge);
    let rules = routes.rules(&path);
    let mut response = if method == Method::OPTIONS && rules.audience.is_pages() {
        preflight()
    } else {
        respond(&routes, rules, request).await
    };
    response = audited.write(&edge, (&method, &path), response).await;

    let code = render_problem(&mut response, &request_id, rules.audience);
    common_headers(response.headers_mut(), &request_id);
    if rules.audience.is_pages() {
        cors_headers(response.headers_mut(), origin);
    }
    let ms = edge.now_ms().saturating_sub(started);
    if !is_logged(&edge, &response, code, ms) {
        return response;
    }
    let line = serde_json::json!({
        "request_id": request_id,
        "method": method.as_str(),
        "path": path,
        "status": response.status().as_u16(),
        "code": code.map(Code::as_str),
        "ms": ms,
    });
    if response.status().is_server_error() {
        log::error_line(&line);
    } else {
        log::line(&line);
    }
    response
}

/// Whether the line of a request is logged: of requests in which all is well one in [`config::log_every`], because a line
/// costs as much as a read of KV.
fn is_logged(edge: &Edge, response: &Response<Body>, code: Option<Code>, ms: u64) -> bool {
    let is_well = code.is_none() && !response.status().is_server_error() && ms < SLOW_MS;
    let seen = WELL.with(|seen| seen.replace(seen.get().wrapping_add(u32::from(is_well))));
    !is_well || seen.is_multiple_of(config::log_every(edge.env()))
}

fn routes_of_isolate(edge: &Edge) -> Rc<Routes> {
    ROUTES.with(|routes| {
        let build = || Rc::new(Routes::new(routes::all(), edge.clone()));
        Rc::clone(routes.get_or_init(build))
    })
}

/// Marks requests of the edge's own pages. The mark is removed from clients' requests.
fn mark_own(edge: &Edge, request: &mut HttpRequest) {
    let requested = requested(request.uri());
    let headers = request.headers_mut();
    headers.remove(OWN);
    let Some(page) = http::header(headers, "origin") else {
        return;
    };
    // While `PUBLIC_URL` is invalid, no page is the edge's own; `/health` reports it.
    if config::own_addresses(edge.env()).is_ok_and(|own| own.is_own(page, &requested)) {
        headers.insert(OWN, HeaderValue::from_static("1"));
    }
}

/// Reads the body and runs the handler. The handler of an upload reads the body itself, after it has checked the
/// caller's key: other callers cannot make the isolate hold 20 MB in memory.
async fn respond(routes: &Routes, rules: Rules, request: HttpRequest) -> Response<Body> {
    if let Some(max_bytes) = rules.max_upload
        && !announces_more(request.headers(), max_bytes)
    {
        return routes.respond(request.map(Body::new)).await;
    }
    match received(request, rules.max_upload.unwrap_or(MAX_BODY_BYTES)).await {
        Ok(request) => routes.respond(request).await,
        Err(problem) => Refusal(problem).into_response(),
    }
}

/// Whether the declared length of an upload is larger than this.
fn announces_more(headers: &HeaderMap, max_bytes: usize) -> bool {
    http::header(headers, "content-length")
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > max_bytes)
}

/// Reads the whole body of a request, so that no response is sent before the client has finished writing. Only
/// [`MAX_BODY_BYTES`] are kept: larger bodies that get here are refused, with `max_bytes` as the limit that they
/// exceed.
async fn received(request: HttpRequest, max_bytes: usize) -> Result<Request<Body>, Problem> {
    let (head, body) = request.into_parts();
    let mut chunks = Body::new(body).into_data_stream();
    let (mut body, mut seen) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let cut = |_| Problem::new(Code::InvalidJson, "The body ended before its end.");
        let chunk = chunk.map_err(cut)?;
        seen += chunk.len();
        if seen <= MAX_BODY_BYTES {
            body.extend_from_slice(&chunk);
        } else if seen > max_bytes + MAX_DRAINED_BYTES {
            break;
        }
    }
    if seen > MAX_BODY_BYTES {
        return Err(Problem::new(Code::BodyTooLarge, at_most(max_bytes)));
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

/// Writes the body of a response that carries a problem.
fn render_problem(
    response: &mut Response<Body>,
    request_id: &str,
    audience: Audience,
) -> Option<Code> {
    let problem = response.extensions_mut().remove::<Problem>();
    let mut problem = problem.or_else(|| rejection(response))?;
    problem.request_id = Some(request_id.to_owned());
    let code = problem.code;
    let (kind, json) = if audience == Audience::OwnerServer {
        problem.status = completion::status(&problem);
        let param = response.extensions_mut().remove::<Param>();
        let body = completion::error(&problem, param.map(|param| param.0));
        ("application/json", serde_json::to_vec(&body))
    } else {
        (PROBLEM_JSON, serde_json::to_vec(&problem))
    };
    *response.status_mut() = status(problem.status);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    limit_headers(headers, &problem.limits);
    *response.body_mut() = Body::from(json.unwrap_or_default());
    Some(code)
}

/// The router's own refusals (a path or query that is not UTF-8, a parameter twice) as problems.
fn rejection(response: &Response<Body>) -> Option<Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (response.status().is_client_error() && text).then(|| {
        Problem::new(
            Code::InvalidParameter,
            "The path or the query cannot be read.",
        )
    })
}

/// A preflight comes before there is a token, and so without a site, so it is always granted: the call itself is
/// checked. Routes for pages take no cookie, so an allowed origin gives no access by itself.
fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, last-event-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets pages of any origin read the response. Errors carry these headers too: the page must be able to read why it was
/// refused.
fn cors_headers(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin
        && !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after, ratelimit, ratelimit-policy, x-request-id"),
    );
}

fn common_headers(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        // For responses that are not pages and set no policy of their own: opened or framed as a page, they can do
        // nothing.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}
