//! Where the list of messages stands, and what it follows.

use bulle_widget_core::Event;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};

use crate::{
    app::{App, Following, Inner},
    focus,
    rows::MORE,
};

/// How close to the end still counts as being there, in pixels.
const NEAR: i32 = 40;

/// Space above a question that stands at the top of the list, in pixels.
const MARGIN: i32 = 12;

/// Keeps what is in sight where it was, or goes to the newest words.
pub(crate) fn settle(app: App) {
    let kept = app.with_mut(|inner| inner.kept.take()).flatten();
    match (kept, app.log()) {
        (Some((row, was)), Some(log)) if row.is_connected() => {
            let is = row.get_bounding_client_rect().top() - log.get_bounding_client_rect().top();
            log.scroll_by_with_x_and_y(0.0, is - was);
            look(app, &log);
        }
        _ => follow(app),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole pixels will do")]
pub(crate) fn pixels(length: f64) -> i32 {
    length.round() as i32
}

/// Goes to the newest words as far as they are followed.
pub(crate) fn follow(app: App) {
    let following = app.with(|inner| inner.following);
    let (Some(log), Some(following)) = (app.log(), following) else {
        return;
    };
    // A single pixel is there for the fingers of phones (media.css), and not to be scrolled to.
    let end = log.scroll_height() - log.client_height();
    let end = if end > 1 { end } else { 0 };
    // Before anything was said, there is nothing newer than the greeting.
    if app.with(|inner| inner.chat.messages().is_empty()) == Some(true) {
        return;
    }
    let top = match following {
        Following::Nothing => return,
        Following::End => end,
        Following::Question => end.min(question_top(&log).unwrap_or(end)),
    };
    scroll_to(app, &log, top);
    app.set_behind(end - top > NEAR);
}

/// Something new has come: who reads further up is told.
pub(crate) fn came(app: App) {
    if app.with(|inner| inner.following) == Some(Following::Nothing) {
        app.set_behind(true);
    }
}

/// Where the list must be scrolled to for its last question to stand at the top.
fn question_top(log: &HtmlElement) -> Option<i32> {
    let questions = log.query_selector_all(".bubble").ok()?;
    let last = questions.item(questions.length().checked_sub(1)?)?;
    let top = last
        .unchecked_ref::<Element>()
        .get_bounding_client_rect()
        .top();
    let by = pixels(top - log.get_bounding_client_rect().top());
    Some(log.scroll_top() + by - MARGIN)
}

fn scroll_to(app: App, log: &HtmlElement, top: i32) {
    log.set_scroll_top(top);
    look(app, log);
}

/// Remembers where the list is scrolled to, by the bubble itself.
fn look(app: App, log: &HtmlElement) {
    let top = log.scroll_top();
    let end = log.scroll_height() - log.client_height();
    app.with_mut(|inner| (inner.top, inner.end) = (top, end));
}

pub(crate) fn scrolled(app: App, _: &web_sys::Event) {
    let Some(log) = app.log() else { return };
    let top = log.scroll_top();
    let left = log.scroll_height() - top - log.client_height();
    let went = app.with_mut(|inner| {
        let (up, was) = (top < inner.top, inner.following);
        // What the bubble did itself is no wish of the visitor, such as a list that lost its chips and with them
        // the place it was scrolled to. Words that come faster than the list scrolls leave a gap too: only going
        // up is a wish, and a wish from the first pixel on.
        let pushed = left < 2 && top + left < inner.end;
        if top < inner.top && !pushed {
            inner.following = Following::Nothing;
        }
        if top != inner.top && left < 2 && !pushed {
            inner.following = Following::End;
        }
        (inner.top, inner.end) = (top, top + left);
        (
            up,
            was != Following::End && inner.following == Following::End,
        )
    });
    if left < NEAR {
        app.set_behind(false);
    }
    match went {
        Some((true, _)) if top < log.client_height() => earlier(app, false),
        // Older messages are out of sight for good.
        Some((_, true)) => {
            app.list_changed(0);
            app.when_drawn(settle);
        }
        _ => {}
    }
}

/// Puts every message that is known on the page, and goes back to those that belong there.
pub(crate) fn print(app: App, begins: bool) {
    app.list_changed(if begins { usize::MAX } else { 0 });
    app.when_drawn(settle);
}

/// A smaller list, such as above an opening keyboard, still ends where it ended.
pub(crate) fn follow_size(app: App, log: &HtmlElement) {
    let resized: Closure<dyn FnMut()> = Closure::new(move || follow(app));
    let observer = ResizeObserver::new(resized.into_js_value().unchecked_ref());
    if let Ok(observer) = observer {
        observer.observe(log);
    }
}

/// Shows older messages, and keeps those in sight where they are: those that are known, or else those that the edge
/// has. A visitor who has not `asked` has only come near them.
pub(crate) fn earlier(app: App, asked: bool) {
    let reads = |inner: &Inner| {
        let chat = &inner.chat;
        chat.has_earlier() && !chat.is_loading_history() && (asked || !chat.history_failed())
    };
    // Who has the focus on the button for it is not in need of it, and would lose it.
    if !asked && focus::does(app, "earlier") {
        return;
    }
    app.with_mut(|inner| inner.following = Following::Nothing);
    if app.has_hidden() {
        app.list_changed(MORE);
        app.when_drawn(settle);
    } else if app.with(reads) == Some(true) {
        app.dispatch(Event::EarlierAsked);
    }
}
