//! What the page says of its visitor, and the check that a visitor is human.

use bulle_widget_core::{Event, Identity, Ticket};
use wasm_bindgen::prelude::*;
use web_sys::Node;

use crate::{
    app::{App, Inner},
    browser, effects,
};

#[wasm_bindgen(module = "/src/page.js")]
extern "C" {
    fn identities(bubble: &JsValue, said: JsValue) -> Option<String>;
    #[wasm_bindgen(js_name = subjectOf)]
    fn subject_of(jwt: &str) -> String;
    fn ask(bubble: &JsValue, answer: JsValue);
    fn challenge(root: &Node, script: &str, sitekey: &str, language: &str, answer: JsValue);
}

/// Takes over `identify` of the page's `Bulle[site]` from the loader: what the page has said so far.
pub(crate) fn identity(bubble: &JsValue, app: App) -> Identity {
    app.with_mut(|inner| inner.bubble = bubble.clone());
    let said = answered(move |who| say(app, who));
    read(identities(bubble, said))
}

/// Asks the page for an identity, on behalf of the session.
pub(crate) fn identify(app: App, ticket: Ticket) {
    let answer = answered(move |jwt| {
        // Nobody waits for it when the page has said something else in the meantime.
        if !effects::is_awaited(app, ticket) {
            return;
        }
        match jwt {
            Some(jwt) if jwt.is_empty() => say(app, None),
            Some(jwt) => {
                let identity = read(Some(subject_of(&jwt)));
                app.dispatch(Event::Named {
                    ticket,
                    jwt,
                    identity,
                });
            }
            None => app.dispatch(Event::Unreachable { ticket }),
        }
    });
    if let Some(bubble) = app.with(|inner| inner.bubble.clone()) {
        ask(&bubble, answer);
    }
}

/// Shows the check or takes it away, as the session stands.
pub(crate) fn check(app: App) {
    let asked = |inner: &mut Inner| {
        let asked = inner.session.challenge().cloned();
        let shown = std::mem::replace(&mut inner.challenged, asked.is_some());
        let (script, sitekey) = asked.map(|a| (a.url, a.label)).unwrap_or_default();
        let changes = shown || inner.challenged;
        changes.then(|| (script, sitekey, inner.config.locale.clone()))
    };
    let asked = app.with_mut(asked).flatten();
    if let (Some((script, sitekey, language)), Some(log)) = (asked, app.log()) {
        let answer = answered(move |token| app.dispatch(Event::Challenged { token }));
        challenge(&log.get_root_node(), &script, &sitekey, &language, answer);
    }
}

/// One type of closure for everything that the page answers.
fn answered(react: impl FnMut(Option<String>) + 'static) -> JsValue {
    let react: Box<dyn FnMut(Option<String>)> = Box::new(react);
    Closure::wrap(react).into_js_value()
}

fn say(app: App, who: Option<String>) {
    let (stored, outbox) = browser::kept(app);
    app.dispatch(Event::Identified {
        identity: read(who),
        stored,
        outbox,
    });
}

fn read(who: Option<String>) -> Identity {
    match who {
        None => Identity::Nobody,
        Some(who) if who.is_empty() => Identity::Somebody,
        Some(who) => Identity::Subject(who),
    }
}
