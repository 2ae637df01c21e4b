//! What the page says about who its visitor is.

use bulle_widget_core::{Event, Identity, Ticket};
use js_sys::{Function, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::console;

use crate::{app::App, browser, effects};

/// Takes over `identify` of the page's `Bulle[site]` from the loader: what the page has said so far.
pub(crate) fn mount(app: App, bubble: &JsValue) -> Identity {
    let identify: Closure<dyn FnMut(JsValue)> = Closure::new(move |given| {
        let identity = take(app, given);
        say(app, identity);
    });
    let _ = Reflect::set(bubble, &"identify".into(), &identify.into_js_value());
    let said = Reflect::has(bubble, &"id".into()).unwrap_or_default();
    let said = if said { "id" } else { "tag" };
    take(app, Reflect::get(bubble, &said.into()).unwrap_or_default())
}

/// Asks the page's function for an identity, on behalf of the session.
pub(crate) fn ask(app: App, ticket: Ticket) {
    let ask = app.with(|inner| inner.identify.clone()).flatten();
    spawn_local(async move {
        let given = match ask.map(|ask| ask.call0(&JsValue::NULL)) {
            Some(Ok(given)) => JsFuture::from(Promise::resolve(&given)).await,
            Some(Err(error)) => Err(error),
            None => Ok(JsValue::NULL),
        };
        // Nobody waits for it any more: the page has said something else.
        if !effects::is_awaited(app, ticket) {
            return;
        }
        match given {
            Ok(given) => match given.as_string().filter(|jwt| !jwt.is_empty()) {
                Some(body) => app.dispatch(Event::Answered {
                    ticket,
                    status: 200,
                    body,
                }),
                None => say(app, Identity::Nobody),
            },
            Err(error) => {
                console::error_2(&"[Bulle] identify".into(), &error);
                app.dispatch(Event::Unreachable { ticket });
            }
        }
    });
}

fn say(app: App, identity: Identity) {
    let (stored, outbox) = browser::kept(app);
    app.dispatch(Event::Identified {
        identity,
        stored,
        outbox,
    });
}

fn take(app: App, given: JsValue) -> Identity {
    let token = given.as_string().filter(|jwt| !jwt.is_empty());
    let ask = given.dyn_into::<Function>().ok();
    let asks = ask.is_some();
    app.with_mut(|inner| inner.identify = ask);
    match token {
        Some(jwt) => Identity::Token(jwt),
        None if asks => Identity::Ask,
        None => Identity::Nobody,
    }
}
