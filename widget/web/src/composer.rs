//! The composer: the text field, its button and the line below.

use bulle_widget_core::{Activity, DraftError, Event as ChatEvent, format::fill};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

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

pub(crate) fn mount(app: App, parent: &HtmlElement) {
    let composer = el("div", "composer").attr("part", "composer").place(parent);
    let row = el("div", "field").place(&composer);
    let field = el("textarea", "")
        .attr("rows", "1")
        .attr("dir", "auto")
        .attr("enterkeyhint", "send")
        .place(&row);
    // For widget/page, which focuses this element when the panel opens again.
    let first = if browser::has_touch_keyboard() {
        app.log()
    } else {
        Some(field.clone())
    };
    if let Some(first) = first {
        let _ = first.set_attribute("data-first", "");
    }
    let draft = app.with(|state| browser::stored_for_tab("draft", &state.config.site));
    if let Some(draft) = draft.flatten() {
        field
            .unchecked_ref::<HtmlTextAreaElement>()
            .set_value(&draft);
    }
    listen(app, &field, "input", edited);
    listen(app, &field, "keydown", typed);
    app.with_mut(|state| state.composer.field = Some(field.unchecked_into()));
    app.set_draft(draft_length(app));
    mount_view(app, &row, send_button);
    mount_view(app, &composer, line_below);
}

/// Sets the label of the field, once the bot is known.
pub(crate) fn name_field(app: App) {
    let name = app.bot(|bot, _| fill(&bot.strings.placeholder, "name", &bot.name));
    if let (Some(name), Some(field)) = (name, app.field()) {
        let _ = field.set_attribute("aria-label", &name);
        field.set_placeholder(&name);
    }
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
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

fn typed(app: App, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    // Browsers report 229 while an input method is composing, even for its last key.
    let composing = event.is_composing() || event.key_code() == 229;
    if event.key() == "Enter" && !event.shift_key() && !composing {
        event.prevent_default();
        submit(app);
    }
}

fn send_button(app: App) -> VNode {
    app.watch_phase();
    app.watch_status();
    let empty = app.watch_draft() == 0;
    let button = app.bot(|bot, chat| {
        if chat.activity() == Activity::Idle {
            let off = if empty { "true" } else { "false" };
            button("send", "send")
                .attr("aria-label", &bot.strings.send)
                .attr("title", &bot.strings.send)
                .attr("aria-disabled", off)
                .child(icon(SEND))
        } else {
            button("send stop", "stop")
                .attr("aria-label", &bot.strings.stop)
                .attr("title", &bot.strings.stop)
                .child(icon(STOP))
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
