//! An owner's PDF file: it is read or refused, within the limits of `bulle_edge_formats::limits`.
#![no_main]

use bulle_edge_formats::{File, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read(&File {
        name: "file.pdf",
        content_type: None,
        url: "",
        bytes,
    });
});
