//! The messages on the page: the newest, and as many older ones as the visitor has scrolled to.

use bulle_protocol::{Id, block::Block};
use bulle_widget_core::{ChatMessage, Stage};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::{
    app::App,
    dom::{ArcTrigger, Notify, Track, document, view},
    message,
    state::{Following, Row, State},
};

/// Messages on the page while the visitor is at the end.
const NEWEST: usize = 60;

/// Older messages that are added at a time.
pub(crate) const MORE: usize = 30;

impl Row {
    fn new(app: App, id: Id) -> Self {
        let changed = ArcTrigger::new();
        let watched = changed.clone();
        let mut drawn = message::Drawn::default();
        let view = view(Box::new(move || {
            watched.track();
            message::view(app, id, &mut drawn)
        }));
        let dom = view.with_value_mut(|mounted| mounted.dom.clone());
        Self {
            id,
            changed,
            dom: dom.unwrap_or_else(|| document().create_text_node("").into()),
            _view: view,
        }
    }

    fn element(&self) -> &Element {
        self.dom.unchecked_ref()
    }
}

/// Draws the list again, with this many more of the older messages.
pub(crate) fn redraw_list(app: App, more: usize) {
    arrange(app, more);
    app.notify_list();
}

/// Draws these messages again.
pub(crate) fn redraw_messages(app: App, messages: &[Id]) {
    for id in messages {
        let changed = |state: &State| {
            let row = state.list.rows.iter().find(|row| row.id == *id);
            row.map(|row| row.changed.clone())
        };
        if let Some(changed) = app.with(changed).flatten() {
            changed.notify();
        }
    }
}

/// Notifies the page of code in complete answers, once it is drawn.
pub(crate) fn emit_code(app: App, messages: &[Id]) {
    let is_code = |block: &Block| matches!(block, Block::Code { .. });
    let has_code = |message: &ChatMessage| {
        message.stage == Stage::Complete && message.blocks.iter().any(is_code)
    };
    let code = app.with(|state| {
        let mut messages = messages.iter().filter_map(|id| state.chat.message(*id));
        messages.any(has_code)
    });
    if code == Some(true) {
        // The answers are on the page with the next frame.
        app.on_frame(|app| {
            app.with(|state| state.host.emit("code", "{}"));
        });
    }
}

/// Puts the wanted messages on the page, and touches only those that come, go or move. If the visitor is not at the
/// end, the list's `anchor` remembers where the message in view stood.
fn arrange(app: App, more: usize) {
    let wanted = app.with_mut(|state| wanted(state, more));
    let (Some(wanted), Some(log)) = (wanted, app.log()) else {
        return;
    };
    let Some(mut rows) = app.with_mut(|state| std::mem::take(&mut state.list.rows)) else {
        return;
    };
    let mut next = 0;
    rows.retain(|row| {
        let stays = wanted.iter().skip(next).position(|id| *id == row.id);
        match stays {
            Some(passed) => next += passed + 1,
            None => row.element().remove(),
        }
        stays.is_some()
    });
    let end = log.last_child();
    let mut new = Vec::new();
    for (at, id) in wanted.into_iter().enumerate() {
        let here = rows.get(at);
        if here.is_some_and(|row| row.id == id) {
            continue;
        }
        new.push(id);
        let row = Row::new(app, id);
        let before = here.map(|row| &row.dom).or(end.as_ref());
        let _ = log.insert_before(&row.dom, before);
        rows.insert(at, row);
    }
    app.with_mut(|state| state.list.rows = rows);
    emit_code(app, &new);
}

/// The messages that belong on the page.
fn wanted(state: &mut State, more: usize) -> Vec<Id> {
    let list = &mut state.list;
    let reads_above = state.scroll.following == Following::Nothing;
    if reads_above && list.anchor.is_none() {
        list.anchor = list.log.as_ref().and_then(|log| in_view(&list.rows, log));
    }
    let messages = state.chat.messages();
    let newest = messages.len().saturating_sub(NEWEST);
    let first = match list.rows.first() {
        Some(first) if reads_above => {
            let at = messages.iter().position(|message| message.id == first.id);
            // If all messages are on the page, older ones were loaded because the visitor asked for them.
            if list.hidden == 0 { Some(0) } else { at }
        }
        _ => None,
    };
    list.hidden = first.unwrap_or(newest).saturating_sub(more);
    let shown = messages.iter().skip(list.hidden);
    shown.map(|message| message.id).collect()
}

/// The first message in view, and how far below the list's upper edge it begins, in pixels.
fn in_view(rows: &[Row], log: &HtmlElement) -> Option<(Element, f64)> {
    let edge = log.get_bounding_client_rect().top();
    rows.iter().find_map(|row| {
        let place = row.element().get_bounding_client_rect();
        (place.bottom() > edge).then(|| (row.element().clone(), place.top() - edge))
    })
}
