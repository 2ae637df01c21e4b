//! The host: the import of widget/page, which does what takes JavaScript, and the page's answers about its visitor.

use bulle_widget_core::{Event, PageIdentity, Ticket};
use wasm_bindgen::prelude::*;

use crate::{
    app::{App, Inner},
    browser,
};

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
    fn challenge(this: &Host, script: &str, sitekey: &str, language: &str);
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
    read(host.identity())
}

/// The page has given another identity.
pub(crate) fn identified(app: App, subject: Option<String>) {
    let (stored, outbox) = browser::kept(app);
    app.dispatch(Event::Identified {
        identity: read(subject),
        stored,
        outbox,
    });
}

/// The page has answered a request for a JWT: with a JWT, with an empty text for a visitor who is not signed in, or with
/// nothing when it failed.
pub(crate) fn named(app: App, ticket: Ticket, jwt: Option<String>, subject: Option<String>) {
    // The page has given another identity meanwhile: this answer is out of date.
    if app.with(|inner| inner.chat.awaits(ticket)) != Some(true) {
        return;
    }
    match jwt {
        Some(jwt) if jwt.is_empty() => identified(app, None),
        Some(jwt) => app.dispatch(Event::Named {
            ticket,
            jwt,
            identity: read(subject),
        }),
        None => app.dispatch(Event::Unreachable { ticket }),
    }
}

/// Shows or removes the check that the visitor is human, as the session asks for it.
pub(crate) fn update_challenge(app: App) {
    let update = |inner: &mut Inner| {
        let asked = inner.chat.challenge().cloned();
        let shown = std::mem::replace(&mut inner.challenged, asked.is_some());
        let (script, sitekey) = asked.map(|a| (a.url, a.label)).unwrap_or_default();
        if shown || inner.challenged {
            inner
                .host
                .challenge(&script, &sitekey, &inner.config.locale);
        }
    };
    app.with_mut(update);
}

fn read(subject: Option<String>) -> PageIdentity {
    match subject {
        None => PageIdentity::Anonymous,
        Some(subject) if subject.is_empty() => PageIdentity::Unresolved,
        Some(subject) => PageIdentity::Subject(subject),
    }
}
