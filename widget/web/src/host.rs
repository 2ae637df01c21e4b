//! The host: the import of widget/page, which does the work that needs JavaScript.

use bulle_widget_core::PageIdentity;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `Host` in widget/page/bridge.d.ts.
    #[derive(Clone)]
    pub type Host;
    #[wasm_bindgen(method)]
    pub(crate) fn request(
        this: &Host,
        ticket: u32,
        method: &str,
        url: &str,
        token: Option<String>,
        body: Option<String>,
    );
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Host, ticket: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn replied(this: &Host, ticket: u32, status: u16, body: &str);
    #[wasm_bindgen(method)]
    fn identity(this: &Host) -> Option<String>;
    #[wasm_bindgen(method)]
    pub(crate) fn identify(this: &Host, ticket: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn challenge(this: &Host, script: &str, sitekey: &str, language: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn emit(this: &Host, kind: &str, detail: &str);
    #[wasm_bindgen(method)]
    fn date(this: &Host, unix_ms: f64, form: &str) -> String;
    #[wasm_bindgen(method)]
    pub(crate) fn copy(this: &Host, text: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn private(this: &Host) -> bool;
}

/// A time in the visitor's language: `form` is `time` (of day) or `day`.
pub(crate) fn date(host: &Host, unix_ms: u64, form: &str) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are exact for 280,000 years"
    )]
    host.date(unix_ms as f64, form)
}

/// The identity that the page has given so far.
pub(crate) fn identity(host: &Host) -> PageIdentity {
    parse_identity(host.identity())
}

/// The identity as the host passes it: the `sub` of a JWT, nothing, or "" when the page must be asked.
pub(crate) fn parse_identity(subject: Option<String>) -> PageIdentity {
    match subject {
        None => PageIdentity::Anonymous,
        Some(subject) if subject.is_empty() => PageIdentity::Unresolved,
        Some(subject) => PageIdentity::Subject(subject),
    }
}
