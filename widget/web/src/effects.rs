//! Carrying out what the session wants.

use std::time::Duration;

use bulle_widget_core::{Call, Effect, Event, Ticket};
use gloo_net::http::{Method, RequestBuilder, Response};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReadableStreamReadResult, console, js_sys,
};

use crate::{
    app::{App, listen},
    browser, composer, conversation, page,
};

/// Does one thing.
pub(crate) fn perform(app: App, effect: Effect) {
    match effect {
        Effect::Request {
            ticket,
            call,
            token,
        } => request(app, ticket, call, token),
        Effect::Abort { ticket } => {
            if let Some(abort) = forget(app, ticket) {
                abort.abort();
            }
        }
        Effect::Wake { after_ms } => wake(app, after_ms),
        Effect::Store(text) => {
            app.with(|inner| browser::store(&inner.config.site, &text));
        }
        Effect::StoreOutbox(text) => {
            app.with(|inner| browser::store_outbox(&inner.config.site, &text));
        }
        Effect::DraftTaken => composer::clear(app),
        Effect::Changed(changes) => {
            app.changed(&changes);
            conversation::after_change(app, &changes);
        }
        Effect::Announce(text) => app.say(&text),
        Effect::Log(text) => console::error_1(&format!("[Bulle] {text}").into()),
    }
}

/// Reports the browser's network to the session.
pub(crate) fn watch_network(app: App) {
    let window = window();
    listen(app, &window, "online", |app, _| app.dispatch(Event::Online));
    listen(app, &window, "offline", |app, _| {
        app.dispatch(Event::Offline);
    });
}

fn wake(app: App, after_ms: u32) {
    let after = Duration::from_millis(u64::from(after_ms));
    let new = set_timeout_with_handle(move || app.dispatch(Event::Woken), after).ok();
    let old = app.with_mut(|inner| std::mem::replace(&mut inner.wake, new));
    if let Some(old) = old.flatten() {
        old.clear();
    }
}

fn request(app: App, ticket: Ticket, call: Call, token: Option<String>) {
    let Some(url) = app.with(|inner| inner.config.edge.clone() + &call.path()) else {
        return;
    };
    let abort = AbortController::new().ok();
    if let Some(abort) = &abort {
        app.with_mut(|inner| inner.aborts.push((ticket, abort.clone())));
    }
    if call == Call::Identify {
        return page::identify(app, ticket);
    }
    spawn_local(async move {
        let end = match send(&url, &call, token, abort.as_ref()).await {
            Some(response) => receive(app, ticket, &response).await,
            None => Event::Unreachable { ticket },
        };
        forget(app, ticket);
        app.dispatch(end);
    });
}

/// True while the session waits for this request; not a second time.
pub(crate) fn is_awaited(app: App, ticket: Ticket) -> bool {
    forget(app, ticket).is_some()
}

/// The way to abort a request, which is over one way or the other.
fn forget(app: App, ticket: Ticket) -> Option<AbortController> {
    let take = |inner: &mut crate::app::Inner| {
        let at = inner.aborts.iter().position(|(of, _)| *of == ticket)?;
        Some(inner.aborts.swap_remove(at).1)
    };
    app.with_mut(take).flatten()
}

async fn send(
    url: &str,
    call: &Call,
    token: Option<String>,
    abort: Option<&AbortController>,
) -> Option<Response> {
    let method = if call.is_post() {
        Method::POST
    } else {
        Method::GET
    };
    let signal = abort.map(AbortController::signal);
    let mut builder = RequestBuilder::new(url)
        .method(method)
        .abort_signal(signal.as_ref());
    if let Some(token) = token {
        builder = builder.header("authorization", &format!("Bearer {token}"));
    }
    let request = match call.body() {
        Some(body) => builder
            .header("content-type", "application/json")
            .body(body)
            .ok()?,
        None => builder.build().ok()?,
    };
    request.send().await.ok()
}

/// Reads the answer to its end; an event stream is reported as it comes.
async fn receive(app: App, ticket: Ticket, response: &Response) -> Event {
    let kind = response.headers().get("content-type").unwrap_or_default();
    if response.ok() && kind.starts_with("text/event-stream") {
        if let Some(body) = response.body() {
            let _ = stream(app, ticket, body.get_reader().unchecked_into()).await;
        }
        return Event::StreamEnded { ticket };
    }
    match response.text().await {
        Ok(body) => Event::Answered {
            ticket,
            status: response.status(),
            body,
        },
        Err(_) => Event::Unreachable { ticket },
    }
}

async fn stream(
    app: App,
    ticket: Ticket,
    reader: ReadableStreamDefaultReader,
) -> Result<(), JsValue> {
    loop {
        let chunk: ReadableStreamReadResult = JsFuture::from(reader.read()).await?.unchecked_into();
        if chunk.get_done().unwrap_or(true) {
            return Ok(());
        }
        let bytes: js_sys::Uint8Array = chunk.get_value().unchecked_into();
        app.dispatch(Event::Streamed {
            ticket,
            bytes: bytes.to_vec(),
        });
    }
}
