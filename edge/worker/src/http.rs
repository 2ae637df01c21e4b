//! What every request and answer have in common: the request id, CORS, security headers, problems, the log.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
    },
    response::IntoResponse,
};
use bulle_edge_core::{
    attachments::MAX_BYTES,
    completion,
    guard::{self, Admitted, Caller, address::Address, input::MAX_BODY_BYTES},
    model::Secret,
    ports::{Clock, Entropy},
    sources::MAX_FILE_BYTES,
};
use bulle_protocol::{
    Id,
    problem::{Code, Limit, PROBLEM_JSON, Problem},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tower_service::Service;
use worker::{
    Context, Env, HttpRequest, ResponseBody, console_error, console_log,
    send::SendWrapper,
    web_sys::{self, ReadableStream},
};

use crate::{adapters::Edge, config, routes};

/// On a request whose origin is the edge itself. No client can send it: [`serve`] decides.
pub const OWN: &str = "x-bulle-own";

/// Answers a request, whatever happens.
pub async fn serve(mut request: HttpRequest, env: Env, context: Context) -> Response<Body> {
    let edge = Edge::new(env);
    let started = edge.now_ms();
    let request_id = Id::from_parts(started, edge.random()).to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let own = own_origin(request.uri());
    let headers = request.headers_mut();
    headers.remove(OWN);
    if origin.as_ref().is_some_and(|origin| origin == own.as_str()) {
        headers.insert(OWN, HeaderValue::from_static("1"));
    }
    // No page may read what API keys open: neither permission nor preflight is ever granted.
    let for_servers = routes::completions::is_here(&path);
    let for_pages = !for_servers && !path.starts_with(routes::admin::PREFIX);
    let upload = if path == routes::attachments::PATH {
        Some(MAX_BYTES)
    } else {
        routes::admin::sources::is_upload(&path).then_some(MAX_FILE_BYTES)
    };
    let most = upload.unwrap_or(MAX_BODY_BYTES);
    request.extensions_mut().insert(Arc::new(context));
    let mut response = if method == Method::OPTIONS && for_pages {
        preflight()
    } else if upload.is_some() && !announces_more(request.headers(), most) {
        // Whose key opens nothing need not have 20 MB held in memory: the handler reads the body.
        routed(&edge, request.map(Body::new)).await
    } else {
        match received(request, most).await {
            Err(problem) => Refusal(problem).into_response(),
            Ok(request) => routed(&edge, request).await,
        }
    };
    let code = render_problem(&mut response, &request_id, for_servers);
    common_headers(response.headers_mut(), &request_id);
    if for_pages {
        cors_headers(response.headers_mut(), origin);
    }
    let line = serde_json::json!({
        "request_id": request_id,
        "method": method.as_str(),
        "path": path,
        "status": response.status().as_u16(),
        "code": code.map(Code::as_str),
        "ms": edge.now_ms().saturating_sub(started),
    });
    if response.status().is_server_error() {
        console_error!("{line}");
    } else {
        console_log!("{line}");
    }
    response
}

/// A stream of the platform on its way out: none of its bytes is touched again.
#[derive(Clone)]
struct Native(SendWrapper<ReadableStream>);

/// A response of the platform for the router to look at; [`raw`] gives it its body back.
pub fn passed_on(response: worker::Response) -> Response<Body> {
    let (builder, body) = response.into_parts();
    match body {
        ResponseBody::Stream(stream) => {
            let mut head: Response<Body> = builder.empty().into();
            head.extensions_mut().insert(Native(SendWrapper(stream)));
            head
        }
        body => builder.body(body).into(),
    }
}

/// The response as the platform wants it.
///
/// # Errors
/// The platform refuses it.
pub fn raw(mut response: Response<Body>) -> worker::Result<web_sys::Response> {
    if let Some(Native(stream)) = response.extensions_mut().remove() {
        let (builder, _) = worker::Response::try_from(response)?.into_parts();
        return Ok(builder.stream(stream.0).into());
    }
    let raw = worker::IntoResponse::into_raw(response);
    raw.map_err(|error| worker::Error::RustError(error.into().to_string()))
}

/// A problem on its way out. [`serve`] gives it its body, because that is where the request id is known.
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self.0);
        response
    }
}

/// The parameter that a problem is about, for addresses that say so.
#[derive(Clone)]
pub struct Param(pub String);

/// What handlers return.
pub type Answer = Result<Response<Body>, Refusal>;

fn render_problem(
    response: &mut Response<Body>,
    request_id: &str,
    for_servers: bool,
) -> Option<Code> {
    let problem = response.extensions_mut().remove::<Problem>();
    let mut problem = problem.or_else(|| rejection(response))?;
    problem.request_id = Some(request_id.to_owned());
    let code = problem.code;
    let (kind, json) = match for_servers {
        true => {
            problem.status = completion::status(&problem);
            let param = response.extensions_mut().remove::<Param>();
            let body = completion::error(&problem, param.map(|param| param.0));
            ("application/json", serde_json::to_vec(&body))
        }
        false => (PROBLEM_JSON, serde_json::to_vec(&problem)),
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

/// The router's own refusals (a path or query that is no UTF-8, a parameter twice) as problems.
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

/// A preflight asks for permission before there is a token that would tell the site, so it is always granted:
/// the call itself is checked. There are no cookies, so an allowed origin is no key to anything.
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

/// Errors carry the CORS headers too: the page must be able to read why it was refused.
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
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // Hardly anything here is a page: whatever else is opened or framed as one can do nothing.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// The status of a problem; a number that is none becomes 500.
pub fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A value as JSON that nobody caches.
pub fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Answer {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Done, and nothing to say.
pub fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Whether an upload says that it is larger.
fn announces_more(headers: &HeaderMap, most: usize) -> bool {
    let announced = header(headers, "content-length").and_then(|n| n.parse::<usize>().ok());
    announced.is_some_and(|n| n > most)
}

async fn routed(edge: &Edge, request: Request<Body>) -> Response<Body> {
    match routes::router(edge.clone()).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// How much more than it may have of a body that is too large is still read, in bytes. A server that answers and hangs up while its client
/// is writing makes the client see a broken connection instead of the answer (RFC 9112 section 9.6).
const MAX_DRAINED_BYTES: usize = 1024 * 1024;

/// A request with its whole body, so that no answer, whatever it is, comes before the client has finished writing.
async fn received(request: HttpRequest, most: usize) -> Result<Request<Body>, Problem> {
    let (head, body) = request.into_parts();
    let mut pieces = Body::new(body).into_data_stream();
    let (mut body, mut seen) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let cut = |_| Problem::new(Code::InvalidJson, "The body ended before its end.");
        let piece = piece.map_err(cut)?;
        seen += piece.len();
        if seen <= MAX_BODY_BYTES {
            body.extend_from_slice(&piece);
        } else if seen > most + MAX_DRAINED_BYTES {
            break;
        }
    }
    if seen > MAX_BODY_BYTES {
        return Err(Problem::new(Code::BodyTooLarge, at_most(most)));
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

/// How large a body may be.
pub fn at_most(most: usize) -> String {
    format!("At most {most} bytes.")
}

/// Reads a JSON body, at most [`MAX_BODY_BYTES`] of it.
pub async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let text = read_text(body).await?;
    serde_json::from_str(&text).map_err(|e| Problem::new(Code::InvalidJson, format!("{e}.")).into())
}

/// Reads a body, at most [`MAX_BODY_BYTES`] of it.
pub async fn read_text(body: Body) -> Result<String, Refusal> {
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| Problem::new(Code::BodyTooLarge, at_most(MAX_BODY_BYTES)))?;
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(Code::NotUtf8, "Encode the body as UTF-8.").into())
}

/// A header as text.
pub fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The network address that a request came from, hashed. The platform tells it, no client can.
pub fn address(edge: &Edge, secret: &Secret, headers: &HeaderMap) -> Address {
    Address::new(secret, header(headers, "cf-connecting-ip"), edge.now_ms())
}

/// The origin at which the edge was asked.
pub fn own_origin(uri: &Uri) -> String {
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    format!("{}://{authority}", uri.scheme_str().unwrap_or("https"))
}

/// Admits a call that carries a session token.
pub async fn admitted(edge: &Edge, headers: &HeaderMap) -> Result<Admitted, Refusal> {
    let secret = config::session_secret(edge.env())?;
    let caller = Caller {
        origin: header(headers, "origin"),
        is_own: headers.contains_key(OWN),
        address: &address(edge, &secret, headers),
    };
    let authorization = header(headers, "authorization");
    Ok(guard::admit(edge, &secret, caller, authorization).await?)
}

/// `RateLimit-Policy` and `RateLimit`, as in the IETF draft "RateLimit header fields for HTTP": quota and window, what
/// is left and the seconds until there is more.
pub fn limit_headers(headers: &mut HeaderMap, limits: &[Limit]) {
    let list = |item: fn(&Limit) -> String| limits.iter().map(item).collect::<Vec<_>>().join(", ");
    for (name, value) in [
        (
            "ratelimit-policy",
            list(|l| format!("\"{}\";q={};w={}", l.name, l.quota, l.window)),
        ),
        (
            "ratelimit",
            list(|l| format!("\"{}\";r={};t={}", l.name, l.remaining, l.reset)),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value)
            && !limits.is_empty()
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// A ULID of a path. Anything else is as unknown as an unknown id.
pub fn path_id(text: &str) -> Result<Id, Refusal> {
    text.parse()
        .map_err(|_| Problem::new(Code::NotFound, "There is nothing at this address.").into())
}

/// The archive cannot be read now.
pub fn storage_unavailable(error: &bulle_edge_core::ports::PortError) -> Refusal {
    console_error!("{}", serde_json::json!({ "error": error.to_string() }));
    Problem::new(
        Code::StorageUnavailable,
        "The conversations cannot be read now. Try again in a few seconds.",
    )
    .retry_after(5)
    .into()
}
