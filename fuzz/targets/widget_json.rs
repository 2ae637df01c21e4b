//! What the edge answers, as the bubble reads it: no panic, and what serde_json takes is taken.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// Nesting that both readers take.
const DEPTH: usize = 100;

fuzz_target!(|text: &str| {
    let taken = bulle_widget_core::fuzzing::answers(text);
    let nesting = text.bytes().filter(|b| b"[{".contains(b)).count();
    if nesting < DEPTH && serde_json::from_str::<serde_json::Value>(text).is_ok() {
        assert!(taken, "serde_json takes it");
    }
});
