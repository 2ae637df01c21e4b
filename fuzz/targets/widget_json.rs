//! The edge's answers, as the bubble reads them: no panic, and every text that serde_json accepts is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// Nesting that both readers accept.
const DEPTH: usize = 100;

fuzz_target!(|text: &str| {
    let taken = bulle_widget_core::fuzzing::answers(text);
    let nesting = text.bytes().filter(|b| b"[{".contains(b)).count();
    if nesting < DEPTH && serde_json::from_str::<serde_json::Value>(text).is_ok() {
        assert!(taken, "serde_json takes it");
    }
});
