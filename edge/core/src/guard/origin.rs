//! Which origins may show the bubble.
//!
//! A pattern is an origin as browsers send it (`https://example.com`), or `https://*.example.com` for every
//! subdomain at any depth but not the domain itself, or `http://localhost:*` (also `127.0.0.1`) for any port
//! of the developer's own machine.

use bulle_protocol::problem::{Code, Problem};
use url::{Origin, Url};

use crate::model::Site;

/// Checks the `Origin` header. A request without one is admitted when the caller has a token (`None`); opening a
/// session requires one (`Some("")` never matches).
///
/// # Errors
/// `origin_not_allowed`, naming the origin and where to add it.
pub fn check(site: &Site, origin: Option<&str>) -> Result<(), Problem> {
    let Some(origin) = origin else { return Ok(()) };
    if site.origins.iter().any(|pattern| matches(pattern, origin)) {
        return Ok(());
    }
    let shown = if origin.is_empty() { "(none)" } else { origin };
    Err(Problem::new(
        Code::OriginNotAllowed,
        format!(
            "The page's origin {shown} is not on the list of site {key}. Add \"{shown}\" to the allowed origins of \
             this site.",
            key = site.key
        ),
    ))
}

/// Whether the origin, as a browser sends it, is covered by the pattern.
pub fn matches(pattern: &str, origin: &str) -> bool {
    let Some((scheme, host, port)) = parts(origin) else {
        return false;
    };
    for local in ["localhost", "127.0.0.1"] {
        if pattern.strip_suffix(":*") == Some(&format!("{scheme}://{local}")) {
            return host == local;
        }
    }
    let Some((wanted_scheme, rest)) = pattern.split_once("://*.") else {
        return parts(pattern) == Some((scheme, host, port));
    };
    let Some((_, base, wanted_port)) = parts(&format!("{wanted_scheme}://{rest}")) else {
        return false;
    };
    wanted_scheme == scheme
        && wanted_port == port
        && host
            .strip_suffix(&base)
            .is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
}

/// A Content Security Policy under which only pages of the site may frame the document.
pub fn frame_policy(site: &Site) -> String {
    format!("default-src 'none'; {}", frame_ancestors(site))
}

/// The `frame-ancestors` directive that lets only the pages of the site frame a document. The patterns are written as
/// CSP sources ([CSP 3, section 2.3.1](https://www.w3.org/TR/CSP3/#framework-directive-source-list)).
pub fn frame_ancestors(site: &Site) -> String {
    let separates = |c: char| c.is_whitespace() || c.is_control() || ";,".contains(c);
    let pages = site
        .origins
        .iter()
        .filter(|pattern| !pattern.contains(separates));
    let pages: Vec<&str> = pages.map(String::as_str).collect();
    format!(
        "frame-ancestors {}",
        if pages.is_empty() {
            "'none'".to_owned()
        } else {
            pages.join(" ")
        }
    )
}

/// Whether any origin can match the pattern: the simplest candidate is tried.
pub fn is_pattern(pattern: &str) -> bool {
    let origin = pattern.replacen("://*.", "://a.", 1);
    let origin = match origin.strip_suffix(":*") {
        Some(base) => format!("{base}:1"),
        None => origin,
    };
    // A further asterisk would be read as part of the host name, which no real host has.
    !origin.contains('*') && matches(pattern, &origin)
}

/// Scheme, host and port of a string that is an origin without path or query.
fn parts(text: &str) -> Option<(String, String, u16)> {
    let url = Url::parse(text).ok()?;
    if url.origin().ascii_serialization() != text {
        return None;
    }
    match url.origin() {
        Origin::Tuple(scheme, host, port) if scheme == "https" || scheme == "http" => {
            Some((scheme, host.to_string(), port))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, origin, expected) in [
            ("https://example.com", "https://example.com", true),
            ("https://example.com", "http://example.com", false),
            ("https://example.com", "https://example.com:8443", false),
            (
                "https://example.com",
                "https://example.com.evil.test",
                false,
            ),
            ("https://example.com", "https://evilexample.com", false),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "http://a.example.com", false),
            ("https://*.example.com", "https://a.example.com:444", false),
            ("http://localhost:*", "http://localhost:5173", true),
            ("http://localhost:*", "http://localhost", true),
            ("http://localhost:*", "https://localhost:5173", false),
            ("http://localhost:*", "http://localhost.evil.test:80", false),
            ("http://127.0.0.1:*", "http://127.0.0.1:8788", true),
            ("https://example.com", "null", false),
            ("null", "null", false),
            ("https://example.com", "", false),
            ("https://example.com", "https://example.com/path", false),
            ("*", "https://example.com", false),
            ("https://*", "https://example.com", false),
            ("https://*.", "https://example.com", false),
            ("https://é.fr", "https://é.fr", false),
            ("https://xn--9ca.fr", "https://xn--9ca.fr", true),
        ] {
            assert_eq!(matches(pattern, origin), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn only_the_sites_pages_may_frame() {
        let with = |origins: &[&str]| {
            frame_policy(&Site {
                origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
                ..crate::testing::site()
            })
        };
        assert_eq!(
            with(&["https://a.test", "https://*.b.test", "http://localhost:*"]),
            "default-src 'none'; frame-ancestors https://a.test https://*.b.test http://localhost:*"
        );
        assert_eq!(with(&[]), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(
            with(&["x; script-src *"]),
            "default-src 'none'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn patterns_that_could_never_match_are_told() {
        for pattern in [
            "https://example.com",
            "http://example.com:8080",
            "https://*.example.com",
            "https://*.example.com:8443",
            "http://localhost:*",
            "https://127.0.0.1:*",
            "http://[::1]:3000",
            "https://xn--9ca.fr",
        ] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in [
            "",
            "*",
            "null",
            "example.com",
            "https://",
            "https://*",
            "https://*.",
            "https://*.*.example.com",
            "https://a.*.example.com",
            "https://*.127.0.0.1",
            "https://Example.com",
            "https://example.com/",
            "https://example.com:443",
            "https://example.com:*",
            "https://*.localhost:*",
            "https://é.fr",
            "https://user@example.com",
            "ftp://example.com",
            " https://example.com",
            "https://example.com ",
        ] {
            assert!(!is_pattern(pattern), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_matches_something_is_a_pattern(pattern in "https?://(\\*\\.)?[a-z0-9.*-]{1,12}(:[0-9*]{1,4})?", sub in "[a-z.]{0,5}", port in 1_u16..) {
            let host = pattern.replacen("*.", &sub, 1);
            for origin in [pattern.clone(), host.clone(), host.replacen(":*", &format!(":{port}"), 1)] {
                if !origin.contains('*') && matches(&pattern, &origin) {
                    proptest::prop_assert!(is_pattern(&pattern), "{} {}", pattern, origin);
                }
            }
        }

        #[test]
        fn no_input_panics_and_a_wildcard_never_leaves_its_domain(text in "(?s).{0,40}", host in "[a-z.-]{0,20}") {
            let _ = matches(&text, &text);
            let origin = format!("https://{host}");
            if matches("https://*.example.com", &origin) {
                proptest::prop_assert!(origin.ends_with(".example.com"));
            }
        }
    }
}
