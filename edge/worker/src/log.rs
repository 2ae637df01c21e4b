//! The Worker's log: one JSON object a line, which `wrangler tail` and Workers Logs parse.

use std::fmt::Display;

use serde_json::{Value, json};

/// Logs an error under the name of the part in which it happened.
pub fn error(part: &str, error: &dyn Display) {
    error_line(&json!({ part: error.to_string() }));
}

/// Logs an object as an error.
pub fn error_line(line: &Value) {
    #[cfg(target_arch = "wasm32")]
    worker::console_error!("{line}");
    // Tests have no console.
    #[cfg(not(target_arch = "wasm32"))]
    let _ = line;
}

/// Logs an object as information.
pub fn line(line: &Value) {
    #[cfg(target_arch = "wasm32")]
    worker::console_log!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    let _ = line;
}
