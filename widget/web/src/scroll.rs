//! The scrolling of the list of messages.

use bulle_widget_core::Event;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};

use crate::{
    app::App,
    focus,
    rows::{self, MORE},
    state::{Following, State},
};

/// What may be left below the list without a button to it, in pixels.
const NEAR: i32 = 40;

/// Space above a question at the top of the list, in pixels.
const MARGIN: i32 = 12;

/// Keeps the anchor where it was, or scrolls to the newest words.
pub(crate) fn settle(app: App) {
    let anchor = app.with_mut(|state| state.list.anchor.take()).flatten();
    match (anchor, app.log()) {
        (Some((row, was)), Some(log)) if row.is_connected() => {
            let is = row.get_bounding_client_rect().top() - log.get_bounding_client_rect().top();
            log.scroll_by_with_x_and_y(0.0, is - was);
            store_position(app, &log);
        }
        _ => follow(app),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole pixels will do")]
pub(crate) fn pixels(length: f64) -> i32 {
    length.round() as i32
}

/// Scrolls to the newest words, as far as they are followed.
pub(crate) fn follow(app: App) {
    let following = app.with(|state| state.scroll.following);
    let (Some(log), Some(following)) = (app.log(), following) else {
        return;
    };
    // The one pixel of overflow is for touch scrolling (media.css), and is never scrolled to.
    let overflow = log.scroll_height() - log.client_height();
    let end = if overflow > 1 { overflow } else { 0 };
    // An empty conversation shows the greeting from its beginning. It is another one than before: erased, deleted, or new.
    if app.with(|state| state.chat.messages().is_empty()) == Some(true) {
        app.with_mut(|state| state.scroll.following = Following::default());
        app.set_behind(false);
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

/// Shows the button to the newest words if the visitor reads further up.
pub(crate) fn content_added(app: App) {
    if app.with(|state| state.scroll.following) == Some(Following::Nothing) {
        app.set_behind(true);
    }
}

/// The position at which the last question stands at the top of the list.
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
    store_position(app, log);
}

/// Stores the position after the bubble itself has scrolled.
fn store_position(app: App, log: &HtmlElement) {
    let top = log.scroll_top();
    let end = log.scroll_height() - log.client_height();
    app.with_mut(|state| (state.scroll.top, state.scroll.end) = (top, end));
}

pub(crate) fn scrolled(app: App, _: &web_sys::Event) {
    let Some(log) = app.log() else { return };
    let top = log.scroll_top();
    let left = log.scroll_height() - top - log.client_height();
    let went = app.with_mut(|state| {
        let (up, was) = (top < state.scroll.top, state.scroll.following);
        // A list that became shorter, such as by losing its chips, is scrolled by the browser and not by the visitor.
        // Words that arrive faster than the list scrolls leave a gap, too. So only scrolling up counts as the
        // visitor's intent, and it does from the first pixel on.
        let pushed = left < 2 && top + left < state.scroll.end;
        if top < state.scroll.top && !pushed {
            state.scroll.following = Following::Nothing;
        }
        if top != state.scroll.top && left < 2 && !pushed {
            state.scroll.following = Following::End;
        }
        (state.scroll.top, state.scroll.end) = (top, top + left);
        (
            up,
            was != Following::End && state.scroll.following == Following::End,
        )
    });
    // Only at the very end: the list grows when the button goes, and then follows the end.
    if left < 2 {
        app.set_behind(false);
    }
    match went {
        Some((true, _)) if top < log.client_height() => earlier(app, false),
        // At the end, the older messages are taken off the page.
        Some((_, true)) => {
            rows::redraw_list(app, 0);
            app.when_drawn(settle);
        }
        _ => {}
    }
}

/// Puts all loaded messages on the page for printing, and the usual ones afterwards.
pub(crate) fn print(app: App, begins: bool) {
    rows::redraw_list(app, if begins { usize::MAX } else { 0 });
    app.when_drawn(settle);
}

/// Keeps the end in view when the list becomes smaller, such as above an opening keyboard.
pub(crate) fn follow_size(app: App, log: &HtmlElement) {
    let resized: Closure<dyn FnMut()> = Closure::new(move || follow(app));
    let observer = ResizeObserver::new(resized.into_js_value().unchecked_ref());
    if let Ok(observer) = observer {
        observer.observe(log);
    }
}

/// Shows older messages and keeps those in view in their place: messages that are loaded, or else the edge's next page.
/// `asked` is false when the visitor has only scrolled near the top.
pub(crate) fn earlier(app: App, asked: bool) {
    let can_load = |state: &State| {
        let chat = &state.chat;
        chat.has_earlier() && !chat.is_loading_history() && (asked || !chat.history_failed())
    };
    // A visitor whose focus is on the button would lose it, and can press it.
    if !asked && focus::is_on_action(app, "earlier") {
        return;
    }
    app.with_mut(|state| state.scroll.following = Following::Nothing);
    if app.has_hidden() {
        rows::redraw_list(app, MORE);
        app.when_drawn(settle);
    } else if app.with(can_load) == Some(true) {
        app.dispatch(Event::EarlierAsked);
    }
}
