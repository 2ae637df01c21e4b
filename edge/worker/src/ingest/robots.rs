//! `robots.txt`: the rules of a site for crawlers.

use bulle_edge_core::sources::{FailureCode, FetchError, MAX_ROBOTS_BYTES, frontier};
use bulle_edge_formats::{Robots, robots};

use super::step::StepContext;
use crate::repositories::library::Validators;

impl StepContext<'_> {
    /// Fetches the `robots.txt` of an address's site: its text, and its rules. A site without one allows everything.
    ///
    /// # Errors
    /// The site fails at the moment: the source is tried again later.
    pub async fn fetch_robots(&self, url: &worker::Url) -> Result<(String, Robots), FetchError> {
        let mut address = url.clone();
        address.set_path("/robots.txt");
        address.set_query(None);
        let fetched = self
            .fetcher
            .get(
                self.edge,
                address.as_str(),
                &Validators::default(),
                MAX_ROBOTS_BYTES,
            )
            .await;
        let text = match fetched {
            Ok(fetched) => String::from_utf8_lossy(&fetched.bytes.unwrap_or_default()).into_owned(),
            // The rules at the end of a file that is too large are unknown, so everything is taken as forbidden.
            Err(FetchError::Permanent(failure)) if failure.code == FailureCode::TooLarge => {
                "User-agent: *\nDisallow: /".to_owned()
            }
            Err(FetchError::Permanent(_)) => String::new(),
            Err(passing) => return Err(passing),
        };
        let rules = robots(&text);
        Ok((text, rules))
    }
}

/// Checks that `robots.txt` allows an address.
///
/// # Errors
/// `robots_forbid`.
pub fn check_allowed(robots: &Robots, url: &worker::Url) -> Result<(), FetchError> {
    if robots.allows(&frontier::path(url)) {
        return Ok(());
    }
    Err(FetchError::permanent(
        FailureCode::RobotsForbid,
        "The site's robots.txt asks to stay away from this address. Allow \"User-agent: BulleBot\" there, or upload the \
         content.",
    ))
}
