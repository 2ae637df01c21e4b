//! Carrying out what the session wants.

use std::time::Duration;

use bulle_widget_core::{ApiCall, Effect, Event, HostEvent, Ticket};
use web_sys::console;

use crate::{app::App, browser, composer, conversation, leptos::*, scroll};

/// Does one thing.
pub(crate) fn perform(app: App, effect: Effect) {
    match effect {
        Effect::Request {
            ticket,
            call,
            token,
        } => request(app, ticket, &call, token),
        Effect::Abort { ticket } => {
            app.with(|inner| inner.host.abort(ticket.0));
        }
        Effect::Replied {
            ticket,
            status,
            body,
        } => {
            app.with(|inner| inner.host.replied(ticket.0, status, &body));
        }
        Effect::Wake { after_ms } => wake(app, after_ms),
        Effect::Store(text) => {
            app.with(|inner| browser::store(&inner.config.site, &text));
        }
        Effect::StoreOutbox(text) => {
            app.with(|inner| browser::keep_for_tab("outbox", &inner.config.site, &text));
        }
        Effect::Emit(occasion) => {
            // Also of an answer that came at once, which nobody has seen being written.
            if matches!(occasion, HostEvent::Answered { .. }) {
                scroll::came(app);
            }
            let (name, detail) = occasion.to_json();
            if let Some(host) = app.host() {
                host.emit(name, &detail);
            }
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

fn wake(app: App, after_ms: u32) {
    let after = Duration::from_millis(u64::from(after_ms));
    let new = set_timeout_with_handle(move || app.dispatch(Event::Woken), after).ok();
    let old = app.with_mut(|inner| std::mem::replace(&mut inner.wake, new));
    if let Some(old) = old.flatten() {
        old.clear();
    }
}

fn request(app: App, ticket: Ticket, call: &ApiCall, token: Option<String>) {
    app.with(|inner| {
        if *call == ApiCall::Identify {
            return inner.host.identify(ticket.0);
        }
        let url = inner.config.edge.clone() + &call.path();
        let method = call.method();
        inner
            .host
            .request(ticket.0, method, &url, token, call.body());
    });
}
