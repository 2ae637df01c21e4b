//! Follows redirects itself, so that every address on the way is checked like the first one. A page with
//! `meta http-equiv=refresh` and a short delay is a redirect as well.

use url::Url;

use super::{FailureCode, FetchError, address::AddressPolicy, pointers::PointerKind};

/// Most redirects of one request.
const MAX_REDIRECTS: usize = 8;

/// Most seconds of a refresh that is a redirect. A longer one is for readers: a slide show, the end of a session.
const MAX_REFRESH_SECONDS: u32 = 10;

/// The addresses of one request, the first one first.
#[derive(Clone, Debug)]
pub struct RedirectChain {
    visited: Vec<Url>,
    /// The kind of the pointer from the first address to the last one.
    kind: Option<PointerKind>,
}

/// The meaning of a response's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectStep {
    /// The body is the content.
    Read,
    /// The content has not changed since the last fetch.
    NotModified,
    /// The content is at this address.
    Follow(Url),
}

impl RedirectChain {
    /// A chain that begins at an address which the policy has allowed.
    pub fn new(first: Url) -> Self {
        Self {
            visited: vec![first],
            kind: None,
        }
    }

    /// The kind of the pointer from the first address to the last one; `None` before the first redirect. One temporary
    /// redirect makes the whole chain temporary.
    pub fn kind(&self) -> Option<PointerKind> {
        self.kind
    }

    /// The next step after a response with this status, `Location` and `Retry-After` (seconds).
    ///
    /// # Errors
    /// The reason why there is no content.
    pub fn after(
        &mut self,
        policy: &AddressPolicy,
        status: u16,
        location: Option<&str>,
        retry_after: Option<u32>,
    ) -> Result<RedirectStep, FetchError> {
        match (status, location) {
            (301 | 308, Some(location)) => self
                .follow(policy, location, PointerKind::Moved)
                .map(RedirectStep::Follow),
            (302 | 303 | 307, Some(location)) => self
                .follow(policy, location, PointerKind::Elsewhere)
                .map(RedirectStep::Follow),
            (304, _) => Ok(RedirectStep::NotModified),
            // The content of 206 is incomplete, and 204 and 205 have none.
            (200 | 203, _) => Ok(RedirectStep::Read),
            _ => Err(self.with_address(judge(status, retry_after))),
        }
    }

    /// The next address of a page with a refresh. `None` when the page itself is the content: the refresh is later, or leads
    /// to an address of the chain, or the chain is too long.
    ///
    /// # Errors
    /// The address policy refuses the next address.
    pub fn refresh(
        &mut self,
        policy: &AddressPolicy,
        seconds: u32,
        target: &str,
    ) -> Result<Option<Url>, FetchError> {
        if seconds > MAX_REFRESH_SECONDS {
            return Ok(None);
        }
        match self.follow(policy, target, PointerKind::Refresh) {
            Err(error)
                if matches!(
                    error.failure().code,
                    FailureCode::RedirectLoop | FailureCode::TooManyRedirects
                ) =>
            {
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Adds the last address of the chain to an error, if there were redirects.
    fn with_address(&self, mut error: FetchError) -> FetchError {
        if let (Some(last), true) = (self.visited.last(), self.visited.len() > 1) {
            let (FetchError::Transient(failure, _) | FetchError::Permanent(failure)) = &mut error;
            failure.detail = format!("The address leads on to {last}. {}", failure.detail);
        }
        error
    }

    fn follow(
        &mut self,
        policy: &AddressPolicy,
        location: &str,
        kind: PointerKind,
    ) -> Result<Url, FetchError> {
        let base = self.visited.last();
        let target = base.and_then(|base| base.join(location).ok());
        let target = target.map(String::from).unwrap_or_default();
        let target = policy.check(&target).map_err(|error| {
            let detail = format!(
                "The address redirects to another that is not fetched. {}",
                error.failure().detail
            );
            FetchError::permanent(FailureCode::AddressRefused, detail)
        })?;
        if self.visited.contains(&target) {
            return Err(FetchError::permanent(
                FailureCode::RedirectLoop,
                "The address redirects in a circle. Open it in a private window of a browser: if it shows something \
                 there, it needs cookies, which are not sent.",
            ));
        }
        if self.visited.len() > MAX_REDIRECTS {
            return Err(FetchError::permanent(
                FailureCode::TooManyRedirects,
                format!(
                    "The address redirects more than {MAX_REDIRECTS} times. Give the last one."
                ),
            ));
        }
        self.visited.push(target.clone());
        self.kind = match (self.kind, kind) {
            (Some(PointerKind::Elsewhere), _) | (_, PointerKind::Elsewhere) => {
                Some(PointerKind::Elsewhere)
            }
            (Some(PointerKind::Refresh), _) => self.kind,
            _ => Some(kind),
        };
        Ok(target)
    }
}

/// The failure for a response without content.
fn judge(status: u16, retry_after: Option<u32>) -> FetchError {
    use FailureCode::{Forbidden, NotFound, ServerError};
    match status {
        404 | 410 => FetchError::permanent(
            NotFound,
            format!(
                "There is nothing at the address: it answered {status}. Correct it, or delete this source."
            ),
        ),
        401 | 402 | 403 | 407 | 451 => FetchError::permanent(
            Forbidden,
            format!(
                "The address answered {status}: not everybody may read it. Open it to all, or upload the content."
            ),
        ),
        408 | 425 | 429 | 500.. => FetchError::Transient(
            super::failure(ServerError, format!("The address answered {status}.")),
            retry_after,
        ),
        _ => FetchError::permanent(
            ServerError,
            format!("The address answered {status}, which brings nothing to read."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(address: &str) -> (AddressPolicy, RedirectChain) {
        let policy = AddressPolicy::default();
        let first = policy.check(address).unwrap();
        (policy, RedirectChain::new(first))
    }

    fn code(result: Result<RedirectStep, FetchError>) -> FailureCode {
        result.unwrap_err().failure().code
    }

    #[test]
    fn redirects_are_followed_relative_to_the_last_one() {
        let (policy, mut trail) = begin("https://example.com/a/b");
        let step = trail.after(&policy, 301, Some("../c#x"), None).unwrap();
        assert_eq!(
            step,
            RedirectStep::Follow("https://example.com/c".parse().unwrap())
        );
        let step = trail.after(&policy, 308, Some("//www.example.org"), None);
        assert_eq!(
            step.unwrap(),
            RedirectStep::Follow("https://www.example.org/".parse().unwrap())
        );
        assert_eq!(
            trail.after(&policy, 200, None, None).unwrap(),
            RedirectStep::Read
        );
        assert_eq!(
            trail.after(&policy, 304, None, None).unwrap(),
            RedirectStep::NotModified
        );
    }

    #[test]
    fn circles_and_endless_ways_end() {
        let (policy, mut trail) = begin("https://example.com/a");
        trail.after(&policy, 302, Some("/b"), None).unwrap();
        assert_eq!(
            code(trail.after(&policy, 302, Some("/a"), None)),
            FailureCode::RedirectLoop
        );
        let (policy, mut trail) = begin("https://example.com/0");
        let last = (1..).find_map(|n| {
            trail
                .after(&policy, 302, Some(&format!("/{n}")), None)
                .err()
        });
        assert_eq!(last.unwrap().failure().code, FailureCode::TooManyRedirects);
    }

    #[test]
    fn a_page_that_leads_on_at_once_is_a_redirect() {
        let (policy, mut trail) = begin("https://example.com/a");
        assert_eq!(trail.kind(), None);
        let mut refresh = |seconds, target| trail.refresh(&policy, seconds, target);
        assert_eq!(refresh(30, "https://example.com/b"), Ok(None));
        let there = refresh(0, "https://example.com/b").unwrap().unwrap();
        assert_eq!(there.path(), "/b");
        // Two pages that lead to one another are a slide show.
        assert_eq!(refresh(5, "https://example.com/a"), Ok(None));
        let refused = refresh(0, "https://127.0.0.1/").unwrap_err();
        assert_eq!(refused.failure().code, FailureCode::AddressRefused);
        assert_eq!(trail.kind(), Some(PointerKind::Refresh));
        let end = (0..20).find(|n| {
            let target = format!("https://example.com/{n}");
            trail.refresh(&policy, 0, &target) == Ok(None)
        });
        assert!(end.is_some(), "a page that leads on for ever is read");
    }

    #[test]
    fn one_temporary_redirect_makes_the_whole_way_temporary() {
        for (statuses, kind) in [
            (&[301, 308][..], PointerKind::Moved),
            (&[302], PointerKind::Elsewhere),
            (&[307, 301], PointerKind::Elsewhere),
            (&[301, 303], PointerKind::Elsewhere),
        ] {
            let (policy, mut trail) = begin("https://example.com/a");
            for (n, status) in statuses.iter().enumerate() {
                let target = format!("/{n}");
                trail.after(&policy, *status, Some(&target), None).unwrap();
            }
            assert_eq!(trail.kind(), Some(kind), "{statuses:?}");
        }
    }

    #[test]
    fn an_error_of_another_address_names_it() {
        let (policy, mut trail) = begin("https://example.com/a");
        trail.after(&policy, 301, Some("/b"), None).unwrap();
        let error = trail.after(&policy, 404, None, None).unwrap_err();
        let detail = &error.failure().detail;
        assert!(
            detail.contains("https://example.com/b") && detail.contains("404"),
            "{detail}"
        );
    }

    #[test]
    fn no_redirect_leads_where_no_address_may() {
        for target in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://169.254.169.254/",
            "file:///etc/passwd",
            "https://localhost:443/",
            "https://[::1]/",
        ] {
            let (policy, mut trail) = begin("https://example.com/");
            assert_eq!(
                code(trail.after(&policy, 307, Some(target), None)),
                FailureCode::AddressRefused,
                "{target}"
            );
        }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let (policy, mut trail) = begin("https://example.com/");
        for (status, expected, passes) in [
            (404, FailureCode::NotFound, false),
            (410, FailureCode::NotFound, false),
            (403, FailureCode::Forbidden, false),
            (429, FailureCode::ServerError, true),
            (500, FailureCode::ServerError, true),
            (503, FailureCode::ServerError, true),
            (999, FailureCode::ServerError, true),
            (206, FailureCode::ServerError, false),
            (302, FailureCode::ServerError, false),
        ] {
            let error = trail.after(&policy, status, None, Some(7)).unwrap_err();
            assert_eq!(error.failure().code, expected, "{status}");
            assert_eq!(
                matches!(error, FetchError::Transient(_, Some(7))),
                passes,
                "{status}"
            );
        }
    }
}
