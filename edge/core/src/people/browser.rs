//! Whether a request with a cookie comes from the console's own page. A browser sends the cookie with requests that
//! other pages make, too; `SameSite=Strict` keeps only other sites out, not other ports and subdomains.

use bulle_protocol::problem::{Code, Problem};

/// The headers by which a browser tells where a request comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserRequest<'r> {
    /// Whether the method changes nothing (GET, HEAD).
    pub safe: bool,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'r str>,
    /// `Origin`.
    pub origin: Option<&'r str>,
    /// The origin that the request was sent to.
    pub requested: &'r str,
    /// The only origin of the console, when the operator has named one (`CONSOLE_ORIGIN`).
    pub console: Option<&'r str>,
}

impl BrowserRequest<'_> {
    /// Checks that the request comes from a page of the origin that it is sent to.
    ///
    /// # Errors
    /// `origin_not_allowed`.
    pub fn check(&self) -> Result<(), Problem> {
        if let Some(console) = self.console
            && console != self.requested
        {
            return Err(refused(&format!(
                "Sessions of people are valid at {console} alone."
            )));
        }
        let from_here = match self.fetch_site {
            Some("same-origin") => true,
            // The address bar, a bookmark.
            Some("none") => self.safe,
            Some(_) => false,
            // An old browser, or a program.
            None => self.safe || self.origin.is_some(),
        };
        if from_here && self.origin.is_none_or(|origin| origin == self.requested) {
            return Ok(());
        }
        Err(refused(
            "A request with a session comes from a page of the same origin. A program names that origin in the header Origin, \
             or uses an API key.",
        ))
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new(Code::OriginNotAllowed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://chat.example.com";

    fn allowed(safe: bool, fetch_site: Option<&str>, origin: Option<&str>) -> bool {
        let request = BrowserRequest {
            safe,
            fetch_site,
            origin,
            requested: HERE,
            console: None,
        };
        request.check().is_ok()
    }

    #[test]
    fn only_pages_of_the_same_origin_change_anything() {
        let there = "https://chat.example.com:8443";
        for (safe, fetch_site, origin, expected) in [
            (false, Some("same-origin"), Some(HERE), true),
            (false, Some("same-origin"), None, true),
            (false, None, Some(HERE), true),
            (false, None, None, false),
            (false, None, Some("null"), false),
            (false, None, Some(there), false),
            // Another port or subdomain, and a form that another site posts.
            (false, Some("same-site"), Some(there), false),
            (false, Some("same-site"), None, false),
            (
                false,
                Some("cross-site"),
                Some("https://evil.example"),
                false,
            ),
            (false, Some("cross-site"), Some(HERE), false),
            (false, Some("none"), None, false),
            // A header that only a program can send beside this origin.
            (false, Some("same-origin"), Some(there), false),
            (true, Some("same-origin"), None, true),
            (true, Some("none"), None, true),
            (true, None, None, true),
            (true, Some("same-site"), Some(there), false),
            (true, Some("cross-site"), None, false),
            (true, None, Some(there), false),
        ] {
            assert_eq!(
                allowed(safe, fetch_site, origin),
                expected,
                "{safe} {fetch_site:?} {origin:?}"
            );
        }
    }

    #[test]
    fn a_console_of_its_own_is_the_only_place() {
        let at = |requested| {
            let request = BrowserRequest {
                safe: true,
                fetch_site: Some("same-origin"),
                origin: None,
                requested,
                console: Some("https://console.example.com"),
            };
            request.check().is_ok()
        };
        assert!(at("https://console.example.com"));
        assert!(!at(HERE));
    }
}
