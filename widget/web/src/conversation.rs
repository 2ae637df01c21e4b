//! The panel below its header: the cover, the status bar, the list of messages, and the clicks on them.

use bulle_protocol::{Id, conversation::Rating};
use bulle_widget_core::{Activity, Changes, Connection, Event, Failure, Phase, format::fill};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::{
    announcer::announce,
    app::{App, listen, mount_view},
    blocks::{action, link},
    composer,
    dom::{VNode, button, el, set_timeout, text},
    focus,
    icons::{DOWN, NEW, RETRY, icon},
    rows,
    scroll::{self, earlier, follow, pixels, scrolled, settle},
    state::{Following, State},
};

/// Mounts everything below the header, around the loader's text field. That one is not moved: it would lose the focus, and
/// an input method would lose the word that is being composed.
pub(crate) fn mount(app: App, body: &HtmlElement, composer: &HtmlElement) {
    while let Some(shown) = composer.previous_sibling() {
        let _ = body.remove_child(&shown);
    }
    let root = el("div", "talk").place_before(body, composer);
    listen(app, body, "click", clicked);
    mount_view(app, &root, cover);
    mount_view(app, &root, bar);
    let middle = el("div", "middle").place(&root);
    let log = el("div", "log")
        .attr("role", "log")
        // A live log would read streamed text letter by letter: the live region below announces whole blocks.
        .attr("aria-live", "off")
        .attr("tabindex", "0")
        .place(&middle);
    listen(app, &log, "scroll", scrolled);
    app.with_mut(|state| state.list.log = Some(log.clone()));
    mount_view(app, &log, head);
    mount_view(app, &log, tail);
    mount_view(app, &middle, newest);
    composer::mount(app, composer);
    // The live region: whole blocks of answers, and failures.
    let announcer = el("div", "sr").attr("role", "status").place(body);
    app.with_mut(|state| state.announcer.element = Some(announcer));
    focus::mount(app);
    scroll::follow_size(app, &log);
}

/// Mounts the header's button for a new conversation; it is shown once there is a message.
pub(crate) fn mount_new_button(app: App, tools: &HtmlElement) {
    listen(app, tools, "click", |app, _| {
        app.dispatch(Event::NewAsked);
        composer::focus(app);
    });
    mount_view(app, tools, new_icon);
}

fn new_icon(app: App) -> VNode {
    app.watch_list();
    let name = app.bot(|bot, chat| {
        let some = !chat.messages().is_empty();
        some.then(|| bot.strings.new_conversation.clone())
    });
    match name.flatten() {
        Some(name) => button("tool", "")
            .attr("aria-label", &name)
            .attr("title", &name)
            .child(icon(NEW)),
        None => el("span", ""),
    }
}

/// Updates focus, labels, announcements and scrolling after a change.
pub(crate) fn after_change(app: App, changes: &Changes) {
    if changes.phase {
        update_challenge(app);
        let lost = app.with(|state| {
            let lost = state.chat.phase() == Phase::Unavailable;
            lost.then(|| failure_text(state))
        });
        if let Some(lost) = lost.flatten() {
            announce(app, &lost);
        }
        // The composer is hidden: the focus moves to the panel, and back later.
        if app.with(is_shut) == Some(true)
            && app.field().is_some_and(|field| focus::is_at(app, &field))
        {
            focus::panel(app);
            app.with_mut(|state| state.composer.focus = true);
        }
        app.on_frame(name_and_focus);
    }
    rows::emit_code(app, &changes.messages);
    let writing = app.with(|state| state.chat.activity()) == Some(Activity::Writing);
    app.when_drawn(settle);
    if writing && !changes.messages.is_empty() {
        scroll::content_added(app);
    }
}

/// Sets the labels that depend on the bot, and focuses the composer if that is due.
fn name_and_focus(app: App) {
    let focus = app.with_mut(|state| {
        state.chat.phase() == Phase::Ready && std::mem::take(&mut state.composer.focus)
    });
    let label = app.bot(|bot, _| bot.strings.messages.clone());
    if let (Some(label), Some(log)) = (label, app.log()) {
        let _ = log.set_attribute("aria-label", &label);
    }
    // A visitor who is elsewhere by now keeps the focus there.
    if focus == Some(true) && focus::is_on_panel(app) {
        composer::focus(app);
    }
}

/// Shows or removes the check that the visitor is human, as the session requires it.
fn update_challenge(app: App) {
    let update = |state: &mut State| {
        let required = state.chat.challenge().cloned();
        let was_shown = std::mem::replace(&mut state.is_challenge_shown, required.is_some());
        let (script, sitekey) = required.map(|a| (a.url, a.label)).unwrap_or_default();
        if was_shown || state.is_challenge_shown {
            state
                .host
                .challenge(&script, &sitekey, &state.config.locale);
        }
    };
    app.with_mut(update);
}

/// Covers the conversation while the session is opening or unavailable. Messages that wait for the session stay in sight.
fn cover(app: App) -> VNode {
    app.watch_phase();
    app.watch_list();
    app.watch_status();
    let cover = app.with(|state| match state.chat.phase() {
        Phase::Ready => el("div", "gone"),
        Phase::Opening if has_waiting(state) => el("div", "gone"),
        Phase::Opening if is_shut(state) => placeholders("cover wait shut"),
        Phase::Opening => placeholders("cover wait"),
        Phase::Unavailable => unavailable(state),
    });
    cover.unwrap_or_else(|| el("div", ""))
}

/// Placeholders for the greeting and two questions.
fn placeholders(class: &str) -> VNode {
    el("div", class).children(["", "", ""].map(|class| el("i", class)))
}

/// Whether the visitor has written before the first session was open.
fn has_waiting(state: &State) -> bool {
    state.chat.bot().is_none() && !state.chat.messages().is_empty()
}

/// Whether nothing can be written: who the visitor is, is not known any more, or the edge has refused the session for good.
fn is_shut(state: &State) -> bool {
    let chat = &state.chat;
    match chat.phase() {
        Phase::Ready => false,
        Phase::Opening => chat.bot().is_some(),
        Phase::Unavailable => {
            let refused = chat.opening_failure();
            refused.is_some_and(|refused| !refused.may_pass()) && chat.challenge().is_none()
        }
    }
}

/// Why the session could not be opened, with its action and a retry button.
fn unavailable(state: &State) -> VNode {
    let chat = &state.chat;
    let words = el("p", "").attr("dir", "auto").text(&failure_text(state));
    let class = match () {
        () if is_shut(state) => "cover shut",
        () if has_waiting(state) => "cover part",
        () => "cover",
    };
    let cover = el("div", class).child(words);
    if chat.challenge().is_some() {
        return cover.child(el("slot", "").attr("name", "challenge"));
    }
    let failure = chat.opening_failure();
    let can_retry = |failure: &Failure| failure.may_pass() && failure.seconds_left(chat.now()) == 0;
    let retry = failure.is_none_or(can_retry).then(|| {
        button("retry", "reload")
            .child(icon(RETRY))
            .text(&state.config.retry)
    });
    let new_window = chat.bot().map_or("", |bot| bot.strings.new_window.as_str());
    let action = action(failure.and_then(|f| f.action.as_ref()), new_window);
    cover.child(el("div", "ways").maybe(action).maybe(retry))
}

/// The edge's reason, or the text that the chat is unavailable.
fn failure_text(state: &State) -> String {
    let chat = &state.chat;
    let strings = chat.bot().map(|bot| &bot.strings);
    chat.opening_failure()
        .map(|failure| failure.text(strings, chat.now()))
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| state.config.unavailable.clone())
}

/// One line about business hours or the connection.
fn bar(app: App) -> VNode {
    app.watch_phase();
    app.watch_status();
    let bar = app.bot(|bot, chat| match chat.connection() {
        Connection::Fine => bot
            .hours
            .as_ref()
            .map(|hours| hours.text.clone())
            .filter(|text| !text.is_empty()),
        Connection::Offline => Some(bot.strings.offline.clone()),
        Connection::Reconnecting => Some(bot.strings.reconnecting.clone()),
    });
    match bar.flatten() {
        Some(words) => el("p", "state").text(&words),
        None => el("p", "gone"),
    }
}

/// Above the messages: the button for older ones, or the greeting of an empty conversation.
fn head(app: App) -> VNode {
    app.watch_phase();
    app.watch_list();
    let head = app.bot(|bot, chat| {
        if app.has_hidden() || chat.has_earlier() {
            let earlier = button("chip", "earlier").text(&bot.strings.earlier);
            return el("div", "head").child(earlier);
        }
        if chat.history_failed() {
            return el("div", "head")
                .child(el("p", "notice").text(&bot.strings.history_unavailable))
                .child(button("chip", "reload").text(&bot.strings.retry));
        }
        let empty = chat.messages().is_empty();
        if empty && chat.is_loading_history() {
            return placeholders("cover wait")
                .attr("role", "status")
                .spoken(&bot.strings.loading);
        }
        let questions = empty.then(|| chips(&bot.suggestions));
        let topics = empty.then(|| {
            let title = el("p", "notice").text(&bot.strings.topics);
            chips(&bot.topics).map(|list| el("div", "topics").child(title).child(list))
        });
        let strings = &bot.strings;
        let privacy = bot.privacy_url.as_ref().map(|url| {
            let words = [text(&strings.privacy)];
            link(url, "", words, &strings.new_window)
        });
        let disclosure = (!strings.disclosure.is_empty()).then(|| {
            let said = [text(&strings.disclosure), text(" ")];
            el("p", "notice").children(said).maybe(privacy)
        });
        let greeting = el("div", "text")
            .attr("dir", "auto")
            .child(el("p", "").text(&bot.greeting));
        el("div", "msg theirs greeting")
            .spoken(&bot.name)
            .maybe(disclosure)
            .maybe((!bot.greeting.is_empty()).then_some(greeting))
            .maybe(questions.flatten())
            .maybe(topics.flatten())
    });
    head.unwrap_or_else(|| el("div", ""))
}

/// Below the messages: the typing indicator, or suggested questions.
fn tail(app: App) -> VNode {
    app.watch_list();
    app.watch_status();
    let tail = app.bot(|bot, chat| match chat.activity() {
        Activity::Thinking => {
            let name = fill(&bot.strings.typing, "name", &bot.name);
            let dots = el("span", "dots").children(["", "", ""].map(|class| el("i", class)));
            el("div", "typing").spoken(&name).child(dots)
        }
        Activity::Writing => el("div", ""),
        Activity::Idle => {
            let last = chat.messages().last();
            let chips = last.and_then(|last| chips(&last.suggestions));
            el("div", "next").maybe(chips)
        }
    });
    tail.unwrap_or_else(|| el("div", ""))
}

fn chips(questions: &[String]) -> Option<VNode> {
    let chip = |question: &String| {
        let chip = button("chip", "ask")
            .attr("data-v", question)
            .attr("part", "chip")
            .attr("dir", "auto")
            .text(question);
        el("li", "").child(chip)
    };
    let list = el("ul", "chips").attr("role", "list");
    (!questions.is_empty()).then(|| list.children(questions.iter().map(chip)))
}

fn newest(app: App) -> VNode {
    let behind = app.watch_behind();
    let words = app.bot(|bot, _| bot.strings.newest.clone());
    match words.filter(|_| behind) {
        Some(words) => button("newest", "newest").child(icon(DOWN)).text(&words),
        None => el("span", "gone"),
    }
}

/// Handles the clicks on all buttons of the conversation; `data-do` is the action.
fn clicked(app: App, event: &web_sys::Event) {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|t| t.closest("[data-do]").ok().flatten()) else {
        return;
    };
    let value = button.get_attribute("data-v").unwrap_or_default();
    match button.get_attribute("data-do").unwrap_or_default().as_str() {
        "send" => composer::submit(app),
        "stop" => app.dispatch(Event::StopAsked),
        "ask" => {
            ask(app, value);
            composer::focus(app);
        }
        "retry" => {
            if let Ok(message) = value.parse() {
                app.dispatch(Event::RetryAsked { message });
                composer::focus(app);
            }
        }
        "reload" => {
            // The button disappears, so the panel takes the focus.
            focus::panel(app);
            app.with_mut(|state| state.composer.focus = state.chat.phase() != Phase::Ready);
            app.dispatch(Event::ReloadAsked);
            focus::log(app);
        }
        "earlier" => {
            earlier(app, true);
            focus::log(app);
        }
        "newest" => {
            app.with_mut(|state| state.scroll.following = Following::End);
            follow(app);
            focus::log(app);
        }
        "copy" => {
            let message = |id: Id| app.bot(|_, chat| Some(chat.message(id)?.plain()));
            if let Some(Some(plain)) = value.parse().ok().and_then(message) {
                copy(app, &button, &plain);
            }
        }
        "copy-code" => {
            let code = button
                .closest(".code")
                .ok()
                .flatten()
                .and_then(|block| block.query_selector("pre").ok().flatten())
                .and_then(|pre| pre.text_content());
            if let Some(code) = code {
                copy(app, &button, &code);
            }
        }
        "sources" => {
            event.prevent_default();
            toggle_sources(app, &button);
        }
        "cite" => show_source(app, &button, &value),
        "good" => rate(app, &value, Rating::Up),
        "bad" => rate(app, &value, Rating::Down),
        "image" => {
            app.with_mut(|state| state.list.images.push(value));
            let messages = |state: &State| -> Vec<Id> {
                let messages = state.chat.messages().iter();
                messages.map(|message| message.id).collect()
            };
            rows::redraw_messages(app, &app.with(messages).unwrap_or_default());
            focus::log(app);
        }
        _ => {}
    }
}

/// Submits a suggested question; the draft stays. A text that is too long becomes the draft instead, if there is none.
pub(crate) fn ask(app: App, question: String) {
    let max = app.with(|state| state.chat.max_chars()).unwrap_or_default();
    if question.trim().chars().count() > max && composer::put(app, &question) {
        return composer::submit(app);
    }
    app.with_mut(|state| state.scroll.following = Following::Question);
    app.submit(Event::Picked { text: question });
}

fn rate(app: App, message: &str, rating: Rating) {
    if let Ok(message) = message.parse() {
        app.dispatch(Event::Rated {
            message,
            rating: Some(rating),
        });
    }
}

fn copy(app: App, button: &Element, words: &str) {
    app.with_mut(|state| state.copy_button = Some(button.clone()));
    if let Some(host) = app.host() {
        host.copy(words);
    }
}

/// Confirms that the text is on the clipboard.
pub(crate) fn copied(app: App) {
    let Some(button) = app.with_mut(|state| state.copy_button.take()).flatten() else {
        return;
    };
    if let Some(copied) = app.bot(|bot, _| bot.strings.copied.clone()) {
        announce(app, &copied);
    }
    flash(&button, "copied");
}

fn show_source(app: App, cite: &Element, number: &str) {
    let message = cite.closest(".msg").ok().flatten();
    let find = |selector: &str| message.as_ref()?.query_selector(selector).ok().flatten();
    if let Some(details) = find("details") {
        let _ = details.set_attribute("open", "");
    }
    let item = find(&format!("[data-n=\"{number}\"]"));
    let (Some(item), Some(log)) = (item, app.log()) else {
        return;
    };
    // `scrollIntoView` would scroll the page around the bubble too.
    let top = item.get_bounding_client_rect().top() - log.get_bounding_client_rect().top();
    let by = pixels(top) - log.client_height() / 3;
    log.set_scroll_top(log.scroll_top() + by);
    focus::take(item.unchecked_ref());
    flash(&item, "flash");
}

/// Opens or closes sources. The browser would do it after the click, and what is opened is scrolled into view, at most
/// until its title is at the top of the list.
fn toggle_sources(app: App, title: &Element) {
    let (Some(log), Some(sources)) = (app.log(), title.parent_element()) else {
        return;
    };
    if sources.get_attribute("open").is_some() {
        let _ = sources.remove_attribute("open");
        return;
    }
    let _ = sources.set_attribute("open", "");
    let place = sources.get_bounding_client_rect();
    let view = log.get_bounding_client_rect();
    let hidden = (place.bottom() - view.bottom()).min(place.top() - view.top());
    log.set_scroll_top(log.scroll_top() + pixels(hidden).max(0));
}

/// Adds a class to an element for 1.6 seconds.
fn flash(element: &Element, class: &'static str) {
    let _ = element.class_list().add_1(class);
    let element = element.clone();
    let end = move || {
        let _ = element.class_list().remove_1(class);
    };
    set_timeout(end, std::time::Duration::from_millis(1600));
}
