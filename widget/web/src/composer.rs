//! The composer: the text field, which the loader has drawn, its button and the line below.

use bulle_widget_core::{Activity, DraftError, Event as ChatEvent, format::fill};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlTextAreaElement};

use crate::{
    announcer::announce,
    app::{App, listen, mount_view},
    browser,
    dom::{VNode, button, el},
    focus,
    icons::{SEND, STOP, icon},
    state::Following,
};

/// The count of characters is shown when fewer than these are left.
const NEARLY_FULL: usize = 200;

/// Takes over the loader's text field.
pub(crate) fn mount(app: App, composer: &HtmlElement) {
    let _ = composer.set_attribute("part", "composer");
    let row = composer.first_element_child();
    let Some((row, field)) =
        row.and_then(|row| row.first_element_child().map(|field| (row, field)))
    else {
        return;
    };
    while let Some(button) = field.next_sibling() {
        let _ = row.remove_child(&button);
    }
    let _ = field.set_attribute("enterkeyhint", "send");
    // For widget/page, which focuses this element when the panel opens again.
    let first = if browser::has_touch_keyboard() {
        app.log().map(Element::from)
    } else {
        Some(field.clone())
    };
    if let Some(first) = first {
        let _ = first.set_attribute("data-first", "");
    }
    listen(app, &field, "input", edited);
    app.with_mut(|state| state.composer.field = Some(field.unchecked_into()));
    let draft = app.with(|state| browser::stored_for_tab("draft", &state.config.site));
    put(app, &draft.flatten().unwrap_or_default());
    if let Some(field) = app.field() {
        measure(app, &field);
    }
    mount_view(app, row.unchecked_ref(), send_button);
    mount_view(app, composer, line_below);
}

/// Puts a text into the field, unless there is one already; returns whether it did.
pub(crate) fn put(app: App, text: &str) -> bool {
    let empty = app.field().filter(|field| field.value().is_empty());
    if let Some(field) = &empty {
        field.set_value(text);
    }
    empty.is_some()
}

/// Submits the draft.
pub(crate) fn submit(app: App) {
    if let Some(field) = app.field() {
        app.with_mut(|state| state.scroll.following = Following::Question);
        app.submit(ChatEvent::Submitted {
            text: field.value(),
        });
        let _ = field.focus();
    }
}

/// Empties the field after the draft was accepted.
pub(crate) fn clear(app: App) {
    if let Some(field) = app.field() {
        field.set_value("");
        measure(app, &field);
        store_draft(app, "");
    }
}

/// Focuses the field, or the list where the field would raise an on-screen keyboard over the answer.
pub(crate) fn focus(app: App) {
    match app.field() {
        Some(field) if !browser::has_touch_keyboard() => {
            let _ = field.focus();
        }
        _ => focus::log(app),
    }
}

fn edited(app: App, _: &Event) {
    if let Some(field) = app.field() {
        measure(app, &field);
        store_draft(app, &field.value());
        app.dispatch(ChatEvent::Edited);
    }
}

/// Stores the draft for the next page of the tab, if storage may be used.
fn store_draft(app: App, draft: &str) {
    app.with(|state| {
        if draft.is_empty() || state.chat.uses_storage() {
            browser::store_for_tab("draft", &state.config.site, draft);
        }
    });
}

/// The characters of the draft without surrounding white space.
fn draft_length(app: App) -> usize {
    let count = |field: HtmlTextAreaElement| field.value().trim().chars().count();
    app.field().map_or(0, count)
}

/// Counts the characters and fits the field's height to the text, up to the limit of the style sheet.
fn measure(app: App, field: &HtmlTextAreaElement) {
    let draft = draft_length(app);
    let before = app.set_draft(draft);
    let over = app.bot(|bot, chat| {
        let max = chat.max_chars();
        let crossed = before <= max && draft > max;
        crossed.then(|| fill(&bot.strings.too_long, "max", &max.to_string()))
    });
    if let Some(over) = over.flatten() {
        announce(app, &over);
    }
    let style = HtmlElement::style(field);
    let _ = style.set_property("height", "auto");
    // With the border.
    let height = field.scroll_height() + 2;
    let _ = style.set_property("height", &format!("{height}px"));
}

fn send_button(app: App) -> VNode {
    app.watch_phase();
    app.watch_status();
    let empty = app.watch_draft() == 0;
    let button = app.with(|state| {
        let chat = &state.chat;
        let strings = chat.bot().map(|bot| &bot.strings);
        if let (Some(strings), true) = (strings, chat.activity() != Activity::Idle) {
            button("send stop", "stop")
                .attr("aria-label", &strings.stop)
                .attr("title", &strings.stop)
                .child(icon(STOP))
        } else {
            let send = strings.map_or(&state.config.send, |strings| &strings.send);
            let off = if empty { "true" } else { "false" };
            button("send", "send")
                .attr("aria-label", send)
                .attr("title", send)
                .attr("aria-disabled", off)
                .child(icon(SEND))
        }
    });
    button.unwrap_or_else(|| el("span", ""))
}

fn line_below(app: App) -> VNode {
    app.watch_phase();
    app.watch_list();
    app.watch_status();
    let draft = app.watch_draft();
    let line = app.bot(|bot, chat| {
        let max = chat.max_chars();
        let count = format!("{draft} / {max}");
        let too_long = || fill(&bot.strings.too_long, "max", &max.to_string());
        if draft > max || matches!(chat.draft_error(), Some(DraftError::TooLong(_))) {
            el("p", "below over")
                .text(&too_long())
                .child(el("span", "count").text(&count))
        } else if draft + NEARLY_FULL > max {
            el("p", "below").child(el("span", "count").text(&count))
        } else if let Some(left) = chat.few_left() {
            let words = fill(&bot.strings.left_today, "n", &left.to_string());
            el("p", "below").text(&words)
        } else {
            el("p", "below").text(&bot.strings.disclaimer)
        }
    });
    line.unwrap_or_else(|| el("p", "below"))
}
