//! Where the visitor writes.

use bulle_widget_core::{Activity, DraftError, Event as Happened, format::fill};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

use crate::{
    app::{App, Following, listen, part},
    browser, focus,
    icons::{SEND, STOP, icon},
    node::{Node, button, el},
};

/// From here on the characters left are shown.
const NEARLY_FULL: usize = 200;

/// The text field, its button, and the line below.
pub(crate) fn mount(app: App, parent: &HtmlElement) {
    let composer = el("div", "composer").attr("part", "composer").place(parent);
    let row = el("div", "field").place(&composer);
    let field = el("textarea", "")
        .attr("rows", "1")
        .attr("dir", "auto")
        .attr("enterkeyhint", "send")
        .place(&row);
    // For the loader, which opens the panel again without asking here.
    let first = if browser::has_touch_keyboard() {
        app.log()
    } else {
        Some(field.clone())
    };
    if let Some(first) = first {
        let _ = first.set_attribute("data-first", "");
    }
    let draft = app.with(|inner| browser::of_tab("draft", &inner.config.site));
    if let Some(draft) = draft.flatten() {
        field
            .unchecked_ref::<HtmlTextAreaElement>()
            .set_value(&draft);
    }
    listen(app, &field, "input", edited);
    listen(app, &field, "keydown", typed);
    app.with_mut(|inner| inner.field = Some(field.unchecked_into()));
    app.set_draft(draft_length(app));
    part(app, &row, send_button);
    part(app, &composer, line_below);
}

/// Names the field, once the bot has a name.
pub(crate) fn name_field(app: App) {
    let name = app.bot(|bot, _| fill(&bot.strings.placeholder, "name", &bot.name));
    if let (Some(name), Some(field)) = (name, app.field()) {
        let _ = field.set_attribute("aria-label", &name);
        field.set_placeholder(&name);
    }
}

/// Sends the draft.
pub(crate) fn submit(app: App) {
    if let Some(field) = app.field() {
        app.with_mut(|inner| inner.following = Following::Question);
        app.send(Happened::Submitted {
            text: field.value(),
        });
        let _ = field.focus();
    }
}

/// Empties the field: the draft was taken.
pub(crate) fn clear(app: App) {
    if let Some(field) = app.field() {
        field.set_value("");
        measure(app, &field);
        keep(app, "");
    }
}

/// Puts the cursor in the field; where that would raise a keyboard over the answer, the list takes the focus.
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
        keep(app, &field.value());
        app.dispatch(Happened::Edited);
    }
}

/// Keeps the draft for the next page of the tab, once anything may be kept.
fn keep(app: App, draft: &str) {
    app.with(|inner| {
        if draft.is_empty() || inner.chat.uses_storage() {
            browser::keep_for_tab("draft", &inner.config.site, draft);
        }
    });
}

/// Characters that would be sent.
fn draft_length(app: App) -> usize {
    let count = |field: HtmlTextAreaElement| field.value().trim().chars().count();
    app.field().map_or(0, count)
}

/// Counts the text, and fits the field's height to it, up to what the stylesheet allows.
fn measure(app: App, field: &HtmlTextAreaElement) {
    let draft = draft_length(app);
    let before = app.set_draft(draft);
    let over = app.bot(|bot, chat| {
        let max = chat.max_chars();
        let crossed = before <= max && draft > max;
        crossed.then(|| fill(&bot.strings.too_long, "max", &max.to_string()))
    });
    if let Some(over) = over.flatten() {
        app.say(&over);
    }
    let style = HtmlElement::style(field);
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

fn typed(app: App, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    // 229 is what browsers report while an input method is composing, even after its last key.
    let composing = event.is_composing() || event.key_code() == 229;
    if event.key() == "Enter" && !event.shift_key() && !composing {
        event.prevent_default();
        submit(app);
    }
}

fn send_button(app: App) -> Node {
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

fn line_below(app: App) -> Node {
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
        } else if chat.messages().is_empty() {
            el("p", "below").text(&bot.strings.disclaimer)
        } else {
            el("p", "below")
        }
    });
    line.unwrap_or_else(|| el("p", "below"))
}
