//! Where the focus is, and where it goes when what had it is gone.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusOptions, HtmlElement, KeyboardEvent, ShadowRoot};

use crate::{
    app::{App, listen},
    browser,
};

/// What the keyboard reaches.
const STOPS: &str = "a,button:not([disabled]),summary,textarea,[tabindex=\"0\"]";

/// Watches the keys of the panel: where it fills the screen, it is modal, as widget/page/shell.ts has marked it.
pub(crate) fn mount(app: App) {
    if let Some(panel) = find_panel(app) {
        listen(app, &panel, "keydown", keep_inside);
    }
}

/// Gives an element the focus, and leaves every scrolling position as it is.
pub(crate) fn take(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Gives the list of messages the focus, which reads and scrolls without a keyboard over it.
pub(crate) fn log(app: App) {
    if let Some(log) = app.log() {
        take(&log);
    }
}

/// Gives the panel itself the focus: it is there whatever it shows.
pub(crate) fn panel(app: App) {
    if let Some(panel) = find_panel(app) {
        take(&panel);
    }
}

/// True while the focus is in the bubble, and not in the page around it.
pub(crate) fn is_here(app: App) -> bool {
    active(app).is_some()
}

/// True while the focus is on this element.
pub(crate) fn is_at(app: App, element: &Element) -> bool {
    active(app).as_ref() == Some(element)
}

/// True while the focus is on the button that does this.
pub(crate) fn does(app: App, action: &str) -> bool {
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

/// Nothing of the page can be seen behind a panel that fills the screen, so Tab goes round in it.
fn keep_inside(app: App, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    // A check is no part of the panel's tree: the browser alone knows its stops.
    let checks = app.with(|inner| inner.challenged) == Some(true);
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

/// The first and the last element of the panel that the keyboard reaches.
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
