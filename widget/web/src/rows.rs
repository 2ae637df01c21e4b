//! Which messages are on the page: the newest, and as many older ones as the visitor has scrolled to.

use bulle_protocol::Id;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

use crate::{
    app::{App, Following, Inner, drawn},
    leptos::*,
    message,
    node::Mounted,
};

/// Messages on the page while the visitor is at the end.
const NEWEST: usize = 60;

/// Older messages that come at a time.
pub(crate) const MORE: usize = 30;

/// A message on the page.
pub(crate) struct Row {
    pub id: Id,
    changed: ArcTrigger,
    dom: Node,
    /// Draws it as long as it is kept.
    _drawn: RenderEffect<Mounted>,
}

impl Row {
    fn new(app: App, id: Id) -> Self {
        let changed = ArcTrigger::new();
        let watched = changed.clone();
        let mut was = message::Drawn::default();
        let drawn = drawn(Box::new(move || {
            watched.track();
            message::view(app, id, &mut was)
        }));
        let dom = drawn.with_value_mut(|mounted| mounted.dom.clone());
        Self {
            id,
            changed,
            dom: dom.unwrap_or_else(|| document().create_text_node("").into()),
            _drawn: drawn,
        }
    }

    /// Tells it to draw itself again.
    pub fn changed(&self) -> ArcTrigger {
        self.changed.clone()
    }

    fn element(&self) -> &Element {
        self.dom.unchecked_ref()
    }
}

/// Puts on the page what belongs there, with so many more of the older messages, and touches only what comes, goes or
/// moves. What a visitor reads who is not at the end stays, and [`Inner::kept`] remembers where it stood.
pub(crate) fn arrange(app: App, more: usize) {
    let wanted = app.with_mut(|inner| wanted(inner, more));
    let (Some(wanted), Some(log)) = (wanted, app.log()) else {
        return;
    };
    let Some(mut rows) = app.with_mut(|inner| std::mem::take(&mut inner.rows)) else {
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
    app.with_mut(|inner| inner.rows = rows);
    app.tell_of_code(&new);
}

/// The messages that belong on the page.
fn wanted(inner: &mut Inner, more: usize) -> Vec<Id> {
    if inner.following == Following::Nothing && inner.kept.is_none() {
        inner.kept = inner
            .log
            .as_ref()
            .and_then(|log| in_sight(&inner.rows, log));
    }
    let messages = inner.chat.messages();
    let newest = messages.len().saturating_sub(NEWEST);
    let first = match inner.rows.first() {
        Some(first) if inner.following == Following::Nothing => {
            let at = messages.iter().position(|message| message.id == first.id);
            // Older ones that come while all are on the page were asked for.
            if inner.hidden == 0 { Some(0) } else { at }
        }
        _ => None,
    };
    inner.hidden = first.unwrap_or(newest).saturating_sub(more);
    let shown = messages.iter().skip(inner.hidden);
    shown.map(|message| message.id).collect()
}

/// The first message that is in sight, and how far below the list's upper edge it begins, in pixels.
fn in_sight(rows: &[Row], log: &HtmlElement) -> Option<(Element, f64)> {
    let edge = log.get_bounding_client_rect().top();
    rows.iter().find_map(|row| {
        let place = row.element().get_bounding_client_rect();
        (place.bottom() > edge).then(|| (row.element().clone(), place.top() - edge))
    })
}
