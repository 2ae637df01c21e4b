//! Following redirects by hand: every address on the way is checked like the first one.

use url::Url;

use super::{FailureCode, Trouble, address::Guard};

/// Most redirects of one request.
const MAX_REDIRECTS: usize = 8;

/// The addresses of one request, the first one first.
#[derive(Clone, Debug)]
pub struct Trail {
    visited: Vec<Url>,
}

/// What an answer's status means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its body is what was asked for.
    Read,
    /// It is what is known already.
    NotModified,
    /// Ask there instead.
    Follow(Url),
}

impl Trail {
    /// Begins at an address that has been checked.
    pub fn new(first: Url) -> Self {
        Self {
            visited: vec![first],
        }
    }

    /// What to do after an answer with this status, and its `Location` and `Retry-After` (seconds).
    ///
    /// # Errors
    /// Why there is nothing to read.
    pub fn after(
        &mut self,
        guard: &Guard,
        status: u16,
        location: Option<&str>,
        retry_after: Option<u32>,
    ) -> Result<Step, Trouble> {
        match (status, location) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                self.follow(guard, location).map(Step::Follow)
            }
            (304, _) => Ok(Step::NotModified),
            // What 206 brings is not whole, and 204 and 205 bring nothing.
            (200 | 203, _) => Ok(Step::Read),
            _ => Err(judge(status, retry_after)),
        }
    }

    fn follow(&mut self, guard: &Guard, location: &str) -> Result<Url, Trouble> {
        let base = self.visited.last();
        let target = base.and_then(|base| base.join(location).ok());
        let target = target.map(String::from).unwrap_or_default();
        let target = guard.check(&target).map_err(|trouble| {
            let detail = format!(
                "The address redirects to another that is not fetched. {}",
                trouble.failure().detail
            );
            Trouble::lasting(FailureCode::AddressRefused, detail)
        })?;
        if self.visited.contains(&target) {
            return Err(Trouble::lasting(
                FailureCode::RedirectLoop,
                "The address redirects in a circle. Open it in a private window of a browser: if it shows something \
                 there, it needs cookies, which are not sent.",
            ));
        }
        if self.visited.len() > MAX_REDIRECTS {
            return Err(Trouble::lasting(
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

/// What an answer without anything to read means.
fn judge(status: u16, retry_after: Option<u32>) -> Trouble {
    use FailureCode::{Forbidden, NotFound, ServerError};
    match status {
        404 | 410 => Trouble::lasting(
            NotFound,
            format!(
                "There is nothing at the address: it answered {status}. Correct it, or delete this source."
            ),
        ),
        401 | 402 | 403 | 407 | 451 => Trouble::lasting(
            Forbidden,
            format!(
                "The address answered {status}: not everybody may read it. Open it to all, or upload the content."
            ),
        ),
        408 | 425 | 429 | 500.. => Trouble::Passing(
            super::failure(ServerError, format!("The address answered {status}.")),
            retry_after,
        ),
        _ => Trouble::lasting(
            ServerError,
            format!("The address answered {status}, which brings nothing to read."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(address: &str) -> (Guard, Trail) {
        let guard = Guard::default();
        let first = guard.check(address).unwrap();
        (guard, Trail::new(first))
    }

    fn code(result: Result<Step, Trouble>) -> FailureCode {
        result.unwrap_err().failure().code
    }

    #[test]
    fn redirects_are_followed_relative_to_the_last_one() {
        let (guard, mut trail) = begin("https://example.com/a/b");
        let step = trail.after(&guard, 301, Some("../c#x"), None).unwrap();
        assert_eq!(step, Step::Follow("https://example.com/c".parse().unwrap()));
        let step = trail.after(&guard, 308, Some("//www.example.org"), None);
        assert_eq!(
            step.unwrap(),
            Step::Follow("https://www.example.org/".parse().unwrap())
        );
        assert_eq!(trail.after(&guard, 200, None, None).unwrap(), Step::Read);
        assert_eq!(
            trail.after(&guard, 304, None, None).unwrap(),
            Step::NotModified
        );
    }

    #[test]
    fn circles_and_endless_ways_end() {
        let (guard, mut trail) = begin("https://example.com/a");
        trail.after(&guard, 302, Some("/b"), None).unwrap();
        assert_eq!(
            code(trail.after(&guard, 302, Some("/a"), None)),
            FailureCode::RedirectLoop
        );
        let (guard, mut trail) = begin("https://example.com/0");
        let last = (1..).find_map(|n| trail.after(&guard, 302, Some(&format!("/{n}")), None).err());
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
            let (guard, mut trail) = begin("https://example.com/");
            assert_eq!(
                code(trail.after(&guard, 307, Some(target), None)),
                FailureCode::AddressRefused,
                "{target}"
            );
        }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let (guard, mut trail) = begin("https://example.com/");
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
            let trouble = trail.after(&guard, status, None, Some(7)).unwrap_err();
            assert_eq!(trouble.failure().code, expected, "{status}");
            assert_eq!(
                matches!(trouble, Trouble::Passing(_, Some(7))),
                passes,
                "{status}"
            );
        }
    }
}
