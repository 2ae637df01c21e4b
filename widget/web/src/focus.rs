//! The keyboard focus.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusOptions, HtmlElement, KeyboardEvent, ShadowRoot};

use crate::{
    app::{App, listen},
    browser,
};

/// A selector of the elements that the Tab key reaches.
const STOPS: &str = "a,button:not([disabled]),summary,textarea,[tabindex=\"0\"]";

/// Keeps Tab inside a panel that fills the screen: widget/page/shell.ts has marked it as modal.
pub(crate) fn mount(app: App) {
    if let Some(panel) = find_panel(app) {
        listen(app, &panel, "keydown", keep_inside);
    }
}

/// Focuses an element without scrolling.
pub(crate) fn take(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Focuses the list of messages, which raises no on-screen keyboard.
pub(crate) fn log(app: App) {
    if let Some(log) = app.log() {
        take(&log);
    }
}

/// Focuses the panel, which exists in every state.
pub(crate) fn panel(app: App) {
    if let Some(panel) = find_panel(app) {
        take(&panel);
    }
}

/// True while the focus is on the panel itself.
pub(crate) fn is_on_panel(app: App) -> bool {
    active(app).is_some_and(|active| active.get_attribute("role").as_deref() == Some("dialog"))
}

/// True while the focus is on this element.
pub(crate) fn is_at(app: App, element: &Element) -> bool {
    active(app).as_ref() == Some(element)
}

/// True while the focus is on the button with this action.
pub(crate) fn is_on_action(app: App, action: &str) -> bool {
    active(app).is_some_and(|active| active.get_attribute("data-do").as_deref() == Some(action))
}

fn active(app: App) -> Option<Element> {
    let root: ShadowRoot = app.log()?.get_root_node().dyn_into().ok()?;
    root.active_element()
}

fn find_panel(app: App) -> Option<HtmlElement> {
    let panel = app.log()?.closest("[role=dialog]").ok()??;
    Some(panel.unchecked_into())
}

/// A panel that fills the screen hides the page, so Tab cycles in it.
fn keep_inside(app: App, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    // The Turnstile check is not in the panel's tree, so its tab stops are unknown here.
    let checks = app.with(|state| state.is_challenge_shown) == Some(true);
    if event.key() != "Tab" || !browser::is_full_screen() || checks {
        return;
    }
    let Some((first, last)) = ends(app) else {
        return;
    };
    let active = active(app);
    let at = |element: &HtmlElement| active.as_ref() == Some(element.unchecked_ref());
    let back = event.shift_key();
    let leaves = if back {
        at(&first) || find_panel(app).is_some_and(|panel| at(&panel))
    } else {
        at(&last)
    };
    if leaves {
        event.prevent_default();
        let _ = if back { last } else { first }.focus();
    }
}

/// The first and the last element of the panel that Tab reaches.
fn ends(app: App) -> Option<(HtmlElement, HtmlElement)> {
    let stops = find_panel(app)?.query_selector_all(STOPS).ok()?;
    let mut ends: Option<(HtmlElement, HtmlElement)> = None;
    for at in 0..stops.length() {
        let stop: HtmlElement = stops.item(at)?.unchecked_into();
        if stop.offset_width() > 0 {
            let first = ends.map_or_else(|| stop.clone(), |ends| ends.0);
            ends = Some((first, stop));
        }
    }
    ends
}
