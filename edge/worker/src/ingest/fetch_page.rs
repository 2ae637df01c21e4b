//! Fetching the address that an owner, a link or a redirect names: each is checked against the address policy, and the
//! response is limited in bytes and in time.

use bulle_edge_core::{
    ports::Clock,
    sources::{
        FailureCode, FetchError,
        address::AddressPolicy,
        pointers::PointerKind,
        redirects::{RedirectChain, RedirectStep},
    },
};
use bulle_edge_formats::{PageRules, refresh};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use std::pin::pin;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response};

use crate::{
    adapters::{Cancel, Edge},
    repositories::library::Validators,
};

/// Longest value of a validator that is kept.
const MAX_VALIDATOR: usize = 500;

/// Fetches addresses.
pub struct Fetcher {
    /// Which addresses may be fetched.
    pub guard: AddressPolicy,
    /// The header `User-Agent`.
    pub agent: String,
    /// Milliseconds that a fetch may take, its redirects and body included.
    pub timeout_ms: u64,
}

/// How redirects are handled, those of `meta http-equiv=refresh` included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Redirects are followed to their end.
    Follow,
    /// The first redirect is reported, not followed.
    Report,
    /// The first redirect is reported; a page with a refresh is read.
    ReadRefresh,
}

/// The response of an address.
pub struct Fetched {
    /// The last address of the redirects; when they are reported, the target of the first one.
    pub url: worker::Url,
    /// The kind of the redirect from the requested address; `None` when there was none.
    pub redirected: Option<PointerKind>,
    /// The rules of the header `X-Robots-Tag`.
    pub rules: PageRules,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The validators for the next request.
    pub validators: Validators,
    /// The body; `None` when it has not changed, or when a redirect is reported.
    pub bytes: Option<Vec<u8>>,
}

impl Fetcher {
    /// Fetches an address, at most `most` bytes; no body when it still has the `known` validators.
    ///
    /// # Errors
    /// The address policy forbids it, it cannot be reached or answers with an error, or its body is too large.
    pub async fn get(
        &self,
        edge: &Edge,
        address: &str,
        known: &Validators,
        most: usize,
    ) -> Result<Fetched, FetchError> {
        self.get_with(edge, address, (known, most), Redirects::Follow)
            .await
    }

    /// As [`Fetcher::get`], with a choice of what is done with redirects.
    ///
    /// # Errors
    /// Those of [`Fetcher::get`].
    pub async fn get_with(
        &self,
        edge: &Edge,
        address: &str,
        (known, most): (&Validators, usize),
        redirects: Redirects,
    ) -> Result<Fetched, FetchError> {
        let fetched = pin!(self.follow(address, known, most, redirects));
        let late = pin!(edge.sleep(self.timeout_ms));
        match select(fetched, late).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(_) => Err(FetchError::transient(
                FailureCode::Timeout,
                format!(
                    "The address did not answer whole within {} seconds.",
                    self.timeout_ms.div_ceil(1_000)
                ),
            )),
        }
    }

    async fn follow(
        &self,
        address: &str,
        known: &Validators,
        most: usize,
        redirects: Redirects,
    ) -> Result<Fetched, FetchError> {
        let mut url = self.guard.check(address)?;
        let mut trail = RedirectChain::new(url.clone());
        loop {
            let (mut response, cancel) = self.request(&url, known).await?;
            let header = |name: &str| response.headers().get(name).ok().flatten();
            let step = trail.after(
                &self.guard,
                response.status_code(),
                header("location").as_deref(),
                header("retry-after").and_then(|seconds| seconds.trim().parse().ok()),
            )?;
            let validator = |name: &str| {
                let value = header(name).filter(|value| value.len() <= MAX_VALIDATOR);
                value.unwrap_or_default()
            };
            let content_type = header("content-type");
            let validators = Validators {
                etag: validator("etag"),
                last_modified: validator("last-modified"),
            };
            let rules = PageRules::of_header(&header("x-robots-tag").unwrap_or_default());
            let (next, bytes) = match step {
                RedirectStep::Follow(next) => (Some(next), None),
                RedirectStep::NotModified => (None, None),
                RedirectStep::Read => {
                    let bytes = read(&mut response, most).await?;
                    let refresh = Some(content_type.as_deref())
                        .filter(|kind| redirects != Redirects::ReadRefresh && is_page(*kind))
                        .and_then(|kind| refresh(&bytes, url.as_str(), kind));
                    let next = match refresh {
                        Some(to) => trail.refresh(&self.guard, to.seconds, &to.url)?,
                        None => None,
                    };
                    let read = next.is_none().then_some(bytes);
                    (next, read)
                }
            };
            drop(cancel);
            if let Some(next) = next {
                url = next;
                if redirects == Redirects::Follow {
                    continue;
                }
            }
            return Ok(Fetched {
                url,
                redirected: trail.kind(),
                rules,
                content_type,
                validators,
                bytes,
            });
        }
    }

    async fn request(
        &self,
        url: &worker::Url,
        known: &Validators,
    ) -> Result<(Response, Cancel), FetchError> {
        let unreachable = |_| {
            FetchError::transient(
                FailureCode::Unreachable,
                "The address could not be reached.",
            )
        };
        let headers = Headers::new();
        for (name, value) in [
            ("user-agent", self.agent.as_str()),
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            ),
            ("if-none-match", known.etag.as_str()),
            ("if-modified-since", known.last_modified.as_str()),
        ] {
            if !value.is_empty() {
                headers.set(name, value).map_err(unreachable)?;
            }
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Get)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual);
        let request = Request::new_with_init(url.as_str(), &init).map_err(unreachable)?;
        let (cancel, signal) = Cancel::new();
        let answer = Fetch::Request(request).send_with_signal(&signal).await;
        Ok((answer.map_err(unreachable)?, cancel))
    }
}

/// Whether a type is that of web pages. A page without a type is one.
pub fn is_page(content_type: Option<&str>) -> bool {
    content_type.is_none_or(|kind| kind.to_ascii_lowercase().contains("html"))
}

/// Reads the body, at most `most` bytes. A body that announces more is not read at all.
async fn read(response: &mut Response, most: usize) -> Result<Vec<u8>, FetchError> {
    let too_large = || {
        FetchError::permanent(
            FailureCode::TooLarge,
            format!(
                "The address brings more than {} MB. Give one that brings less.",
                most / 1_048_576
            ),
        )
    };
    let broken = |_| {
        FetchError::transient(
            FailureCode::Unreachable,
            "The answer of the address broke off.",
        )
    };
    let header = |response: &Response, name: &str| response.headers().get(name).ok().flatten();
    let announced: usize = header(response, "content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or_default();
    if announced > most {
        return Err(too_large());
    }
    let mut body = response.stream().map_err(broken)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(broken)?;
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    // A body that breaks off may look like a complete one.
    if announced > bytes.len() && header(response, "content-encoding").is_none() {
        return Err(broken(worker::Error::from("cut")));
    }
    Ok(bytes)
}
