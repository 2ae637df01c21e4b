//! Carries out the effects that the chat requests.

use std::time::Duration;

use bulle_widget_core::{ApiCall, Changes, Effect, Event, HostEvent, Ticket};
use web_sys::console;

use crate::{
    announcer::announce, app::App, browser, composer, conversation, dom::set_timeout_with_handle,
    rows, scroll,
};

pub(crate) fn perform(app: App, effect: Effect) {
    match effect {
        Effect::Request {
            ticket,
            call,
            token,
        } => request(app, ticket, &call, token),
        Effect::Abort { ticket } => {
            app.with(|state| state.host.abort(ticket.0));
        }
        Effect::Replied {
            ticket,
            status,
            body,
        } => {
            app.with(|state| state.host.replied(ticket.0, status, &body));
        }
        Effect::Wake { after_ms } => wake(app, after_ms),
        Effect::Store(text) => {
            app.with(|state| browser::store(&state.config.site, &text));
        }
        Effect::StoreOutbox(text) => {
            app.with(|state| browser::store_for_tab("outbox", &state.config.site, &text));
        }
        Effect::Emit(event) => {
            // An answer may arrive at once, without the visitor seeing it being written.
            if matches!(event, HostEvent::Answered { .. }) {
                scroll::content_added(app);
            }
            let (name, detail) = event.to_json();
            if let Some(host) = app.host() {
                host.emit(name, &detail);
            }
        }
        Effect::DraftTaken => composer::clear(app),
        Effect::Changed(changes) => {
            redraw(app, &changes);
            conversation::after_change(app, &changes);
        }
        Effect::Announce(text) => announce(app, &text),
        Effect::Log(text) => console::error_1(&format!("[Bulle] {text}").into()),
    }
}

fn redraw(app: App, changes: &Changes) {
    if changes.phase {
        app.notify_phase();
    }
    if changes.list {
        rows::redraw_list(app, 0);
    }
    if changes.status {
        app.notify_status();
    }
    rows::redraw_messages(app, &changes.messages);
}

fn wake(app: App, after_ms: u32) {
    let after = Duration::from_millis(u64::from(after_ms));
    let new = set_timeout_with_handle(move || app.dispatch(Event::Woken), after).ok();
    let old = app.with_mut(|state| std::mem::replace(&mut state.wake, new));
    if let Some(old) = old.flatten() {
        old.clear();
    }
}

fn request(app: App, ticket: Ticket, call: &ApiCall, token: Option<String>) {
    app.with(|state| {
        if *call == ApiCall::Identify {
            return state.host.identify(ticket.0);
        }
        let url = state.config.edge.clone() + &call.path();
        let method = call.method();
        state
            .host
            .request(ticket.0, method, &url, token, call.body());
    });
}
