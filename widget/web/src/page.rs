//! What takes JavaScript: the import of widget/page, and what it tells the widget.

use bulle_widget_core::{Event, Identity, Ticket};
use wasm_bindgen::prelude::*;

use crate::{
    app::{App, Inner},
    browser,
};

#[wasm_bindgen]
extern "C" {
    /// The page's side: `Page` in widget/page/bridge.d.ts.
    #[derive(Clone)]
    pub type Page;
    #[wasm_bindgen(method)]
    pub(crate) fn request(
        this: &Page,
        ticket: u32,
        method: &str,
        url: &str,
        token: Option<String>,
        body: Option<String>,
    );
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Page, ticket: u32);
    #[wasm_bindgen(method)]
    pub(crate) fn replied(this: &Page, ticket: u32, status: u16, body: &str);
    #[wasm_bindgen(method)]
    fn identity(this: &Page) -> Option<String>;
    #[wasm_bindgen(method)]
    pub(crate) fn identify(this: &Page, ticket: u32);
    #[wasm_bindgen(method)]
    fn challenge(this: &Page, script: &str, sitekey: &str, language: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn emit(this: &Page, kind: &str, detail: &str);
    #[wasm_bindgen(method)]
    fn date(this: &Page, unix_ms: f64, form: &str) -> String;
    #[wasm_bindgen(method)]
    pub(crate) fn copy(this: &Page, text: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn private(this: &Page) -> bool;
}

/// A time as the visitor's language writes it: `time` of the day, or the `day` itself.
pub(crate) fn date(page: &Page, unix_ms: u64, form: &str) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are exact for 280,000 years"
    )]
    page.date(unix_ms as f64, form)
}

/// What the page has said of its visitor so far.
pub(crate) fn identity(page: &Page) -> Identity {
    read(page.identity())
}

/// The page says anew who its visitor is.
pub(crate) fn say(app: App, who: Option<String>) {
    let (stored, outbox) = browser::kept(app);
    app.dispatch(Event::Identified {
        identity: read(who),
        stored,
        outbox,
    });
}

/// The page has answered with a JWT, which is empty for nobody, or has failed to.
pub(crate) fn named(app: App, ticket: Ticket, jwt: Option<String>, subject: Option<String>) {
    // Nobody waits for it when the page has said something else in the meantime.
    if app.with(|inner| inner.session.awaits(ticket)) != Some(true) {
        return;
    }
    match jwt {
        Some(jwt) if jwt.is_empty() => say(app, None),
        Some(jwt) => app.dispatch(Event::Named {
            ticket,
            jwt,
            identity: read(subject),
        }),
        None => app.dispatch(Event::Unreachable { ticket }),
    }
}

/// Shows the check or takes it away, as the session stands.
pub(crate) fn check(app: App) {
    let asked = |inner: &mut Inner| {
        let asked = inner.session.challenge().cloned();
        let shown = std::mem::replace(&mut inner.challenged, asked.is_some());
        let (script, sitekey) = asked.map(|a| (a.url, a.label)).unwrap_or_default();
        if shown || inner.challenged {
            inner
                .page
                .challenge(&script, &sitekey, &inner.config.locale);
        }
    };
    app.with_mut(asked);
}

fn read(who: Option<String>) -> Identity {
    match who {
        None => Identity::Nobody,
        Some(who) if who.is_empty() => Identity::Somebody,
        Some(who) => Identity::Subject(who),
    }
}
