//! A page of an owner's site: it is read or refused, and every link is absolute.
#![no_main]

use bulle_edge_formats::page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|html: &[u8]| {
    let _ = page(html, "https://example.com/a/b?c", Some("text/html"));
});
