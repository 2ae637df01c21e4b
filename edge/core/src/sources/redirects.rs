//! Follows redirects itself, so that every address on the way is checked like the first one.

use url::Url;

use super::{FailureCode, FetchError, address::AddressPolicy};

/// Most redirects of one request.
const MAX_REDIRECTS: usize = 8;

/// The addresses of one request, the first one first.
#[derive(Clone, Debug)]
pub struct RedirectChain {
    visited: Vec<Url>,
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
        }
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
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                self.follow(policy, location).map(RedirectStep::Follow)
            }
            (304, _) => Ok(RedirectStep::NotModified),
            // The content of 206 is incomplete, and 204 and 205 have none.
            (200 | 203, _) => Ok(RedirectStep::Read),
            _ => Err(judge(status, retry_after)),
        }
    }

    fn follow(&mut self, policy: &AddressPolicy, location: &str) -> Result<Url, FetchError> {
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
