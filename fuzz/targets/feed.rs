//! A feed (RSS, Atom, JSON Feed) and a sitemap, from the same bytes.
#![no_main]

use bulle_edge_formats::{feed, sitemap};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = feed(bytes, "https://example.com/feed", None);
    let _ = sitemap(bytes, "https://example.com/sitemap.xml");
});
