//! The crawl of a site: which addresses belong to it, how each address is normalised, and the pause between two
//! requests.

use url::Url;

use super::address::AddressPolicy;
use crate::digest::sha256_hex;

/// Default of the largest number of pages of a site.
pub const DEFAULT_PAGES: u32 = 200;

/// Default of the largest depth: links between the first page and another one.
pub const DEFAULT_DEPTH: u32 = 10;

/// Default pause between two requests, in milliseconds.
pub const DEFAULT_PAUSE_MS: u64 = 500;

/// Longest pause between two requests that a site may ask for, in milliseconds.
const MAX_PAUSE_MS: u64 = 30_000;

/// Most addresses that a crawl stores for each page that it may read, because a site may have endless addresses.
const ADDRESSES_PER_PAGE: u32 = 5;

/// File extensions of addresses that are not pages.
const NO_PAGES: [&str; 30] = [
    "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "ico", "bmp", "css", "js", "mjs", "map",
    "woff", "woff2", "ttf", "eot", "mp3", "mp4", "webm", "ogg", "wav", "mov", "avi", "zip", "gz",
    "tar", "exe", "dmg", "iso",
];

/// Query parameters that track where a visitor came from and do not change the page.
const TRACKING: [&str; 6] = ["utm_", "gclid", "fbclid", "mc_cid", "mc_eid", "msclkid"];

/// The bounds of a site's crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// `https://example.com`, of the first page.
    origin: url::Origin,
    /// Most pages.
    pub max_pages: u32,
    /// Most links from the first page.
    pub max_depth: u32,
}

impl Frontier {
    /// The bounds of a crawl that begins at a page.
    pub fn new(first: &Url, max_pages: Option<u32>, max_depth: Option<u32>) -> Self {
        Self {
            origin: first.origin(),
            max_pages: max_pages.unwrap_or(DEFAULT_PAGES).min(super::MAX_PAGES),
            max_depth: max_depth.unwrap_or(DEFAULT_DEPTH),
        }
    }

    /// Most addresses that the crawl stores.
    pub fn most_addresses(&self) -> u32 {
        self.max_pages.saturating_mul(ADDRESSES_PER_PAGE)
    }

    /// The address in its normal form, when it belongs to the site and may be a page.
    pub fn admit(&self, policy: &AddressPolicy, address: &str) -> Option<Url> {
        let mut url = policy.check(address).ok()?;
        if url.origin() != self.origin || is_no_page(&url) {
            return None;
        }
        without_tracking(&mut url);
        Some(url)
    }
}

/// The path and query that the rules of robots.txt are applied to.
pub fn path(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Milliseconds to wait between two requests.
pub fn pause_ms(crawl_delay: Option<f32>, usual_ms: u64) -> u64 {
    let asked = crawl_delay.map_or(0, |seconds| (f64::from(seconds) * 1_000.0) as u64);
    asked.max(usual_ms).min(MAX_PAUSE_MS)
}

/// The id of the part of a source with this address or name: the same in every crawl.
pub fn part_id(source_id: &str, name: &str) -> String {
    let hash = sha256_hex([source_id.as_bytes(), b"\n", name.as_bytes()]);
    hash.chars().take(32).collect()
}

fn is_no_page(url: &Url) -> bool {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let Some((_, ending)) = last.rsplit_once('.') else {
        return false;
    };
    let ending = ending.to_ascii_lowercase();
    NO_PAGES.contains(&ending.as_str())
}

fn without_tracking(url: &mut Url) {
    let Some(query) = url.query() else { return };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !TRACKING.iter().any(|name| pair.starts_with(name)))
        .collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(address: &str) -> Option<String> {
        let frontier = Frontier::new(&"https://example.com/start".parse().unwrap(), None, None);
        frontier
            .admit(&AddressPolicy::default(), address)
            .map(String::from)
    }

    #[test]
    fn pages_of_the_same_origin_are_admitted_under_one_name() {
        for (address, expected) in [
            ("https://example.com", "https://example.com/"),
            ("https://EXAMPLE.com:443/a#b", "https://example.com/a"),
            (
                "https://example.com/a/../b?x=1",
                "https://example.com/b?x=1",
            ),
            (
                "https://example.com/?utm_source=x&id=7&gclid=1",
                "https://example.com/?id=7",
            ),
            ("https://example.com/?utm_source=x", "https://example.com/"),
            (
                "https://example.com/file.pdf",
                "https://example.com/file.pdf",
            ),
            (
                "https://example.com/v1.2/notes",
                "https://example.com/v1.2/notes",
            ),
        ] {
            assert_eq!(admitted(address).as_deref(), Some(expected), "{address}");
        }
        for address in [
            "https://www.example.com/",
            "http://example.com/",
            "https://example.com:8443/",
            "https://example.com/logo.PNG",
            "https://example.com/app.js?v=1",
            "mailto:ada@example.com",
        ] {
            assert_eq!(admitted(address), None, "{address}");
        }
    }

    #[test]
    fn a_site_may_slow_us_down_within_reason() {
        assert_eq!(pause_ms(None, 500), 500);
        assert_eq!(pause_ms(Some(2.5), 500), 2_500);
        assert_eq!(pause_ms(Some(0.1), 500), 500);
        assert_eq!(pause_ms(Some(86_400.0), 500), MAX_PAUSE_MS);
    }

    #[test]
    fn parts_keep_their_ids() {
        let id = part_id("s", "https://example.com/");
        assert_eq!(id, part_id("s", "https://example.com/"));
        assert_eq!(id.len(), 32);
        assert_ne!(id, part_id("t", "https://example.com/"));
        let url: Url = "https://example.com/a?b=c".parse().unwrap();
        assert_eq!(path(&url), "/a?b=c");
    }

    #[test]
    fn limits_have_a_top() {
        let first = "https://example.com/".parse().unwrap();
        let frontier = Frontier::new(&first, Some(u32::MAX), Some(0));
        assert_eq!(frontier.max_pages, super::super::MAX_PAGES);
        assert_eq!(frontier.max_depth, 0);
        assert_eq!(frontier.most_addresses(), 25_000);
    }
}
