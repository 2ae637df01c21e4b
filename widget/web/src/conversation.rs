//! The panel below its header: messages, what is going on, and the composer.

use bulle_protocol::{Id, conversation::Rating};
use bulle_widget_core::{Activity, Changes, Connection, Event, Failure, Phase, format::fill};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::{
    app::{App, Following, Inner, listen, part},
    blocks::action,
    composer, focus, host,
    icons::{DOWN, NEW, RETRY, icon},
    leptos::*,
    node::{Node, button, el},
    scroll::{self, earlier, follow, pixels, scrolled, settle},
};

/// Everything below the header.
pub(crate) fn mount(app: App, body: &HtmlElement) {
    let root = el("div", "app").place(body);
    listen(app, &root, "click", clicked);
    part(app, &root, cover);
    part(app, &root, bar);
    let middle = el("div", "middle").place(&root);
    let log = el("div", "log")
        .attr("role", "log")
        // Streaming would be read letter by letter: the live region below says whole answers.
        .attr("aria-live", "off")
        .attr("tabindex", "0")
        .place(&middle);
    listen(app, &log, "scroll", scrolled);
    app.with_mut(|inner| inner.log = Some(log.clone()));
    part(app, &log, head);
    part(app, &log, tail);
    part(app, &middle, newest);
    composer::mount(app, &root);
    // What screen readers are told: whole answers, and what went wrong.
    let announcer = el("div", "sr").attr("role", "status").place(&root);
    app.with_mut(|inner| inner.announcer = Some(announcer));
    focus::mount(app);
    scroll::follow_size(app, &log);
}

/// The header's button for a new conversation, once there is an old one.
pub(crate) fn mount_new_button(app: App, tools: &HtmlElement) {
    listen(app, tools, "click", |app, _| {
        app.dispatch(Event::NewAsked);
        composer::focus(app);
    });
    part(app, tools, new_icon);
}

fn new_icon(app: App) -> Node {
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

/// Keeps the newest words in sight, or says that there are some.
pub(crate) fn after_change(app: App, changes: &Changes) {
    if changes.phase {
        host::update_challenge(app);
        let lost = app.with(|inner| {
            let lost = inner.chat.phase() == Phase::Unavailable;
            lost.then(|| refusal(inner))
        });
        if let Some(lost) = lost.flatten() {
            app.say(&lost);
        }
        // The composer goes out of sight; the focus stays in the panel, and comes back.
        let covered = app.with(|inner| inner.chat.phase() != Phase::Ready) == Some(true);
        if covered && app.field().is_some_and(|field| focus::is_at(app, &field)) {
            focus::panel(app);
            app.with_mut(|inner| inner.focus = true);
        }
        app.on_frame(name_and_focus);
    }
    app.tell_of_code(&changes.messages);
    let writing = app.with(|inner| inner.chat.activity()) == Some(Activity::Writing);
    app.when_drawn(settle);
    if writing && !changes.messages.is_empty() {
        scroll::came(app);
    }
}

/// Names what has a name now, and gives the composer the focus that it was promised.
fn name_and_focus(app: App) {
    let focus = app
        .with_mut(|inner| inner.chat.phase() == Phase::Ready && std::mem::take(&mut inner.focus));
    composer::name_field(app);
    let label = app.bot(|bot, _| bot.strings.messages.clone());
    if let (Some(label), Some(log)) = (label, app.log()) {
        let _ = log.set_attribute("aria-label", &label);
    }
    // A visitor who has gone back to the page meanwhile is writing there.
    if focus == Some(true) && focus::is_here(app) {
        composer::focus(app);
    }
}

/// Instead of the conversation: loading, or nothing to be had.
fn cover(app: App) -> Node {
    app.watch_phase();
    app.watch_status();
    let cover = app.with(|inner| match inner.chat.phase() {
        Phase::Ready => el("div", "gone"),
        Phase::Opening => el("div", "cover wait")
            .attr("role", "status")
            .spoken(&inner.config.loading)
            .children(["", "", ""].map(|class| el("i", class))),
        Phase::Unavailable => refused(inner),
    });
    cover.unwrap_or_else(|| el("div", ""))
}

/// Why there is no conversation, and what helps.
fn refused(inner: &Inner) -> Node {
    let chat = &inner.chat;
    let words = el("p", "").attr("dir", "auto").text(&refusal(inner));
    let cover = el("div", "cover").child(words);
    if chat.challenge().is_some() {
        return cover.child(el("slot", "").attr("name", "challenge"));
    }
    let refused = chat.opening_failure();
    let passed = |refused: &Failure| refused.may_pass() && refused.seconds_left(chat.now()) == 0;
    let retry = refused.is_none_or(passed).then(|| {
        let retry = button("retry", "reload").child(icon(RETRY));
        retry.text(&inner.config.retry)
    });
    let new_window = chat.bot().map_or("", |bot| bot.strings.new_window.as_str());
    let action = action(refused.and_then(|r| r.action.as_ref()), new_window);
    cover.child(el("div", "ways").maybe(action).maybe(retry))
}

/// The edge's reason for opening no chat, or that nothing is known.
fn refusal(inner: &Inner) -> String {
    let chat = &inner.chat;
    let strings = chat.bot().map(|bot| &bot.strings);
    let words = chat
        .opening_failure()
        .map(|refused| refused.text(strings, chat.now()));
    let words = words.filter(|words| !words.is_empty());
    words.unwrap_or_else(|| inner.config.unavailable.clone())
}

/// One line about the connection, when there is something to say.
fn bar(app: App) -> Node {
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

/// Above the messages: the way to older ones, or the greeting of an empty conversation.
fn head(app: App) -> Node {
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
            return el("div", "cover wait").children(["", "", ""].map(|class| el("i", class)));
        }
        let questions = empty.then(|| chips(&bot.suggestions));
        let topics = empty.then(|| {
            let title = el("p", "notice").text(&bot.strings.topics);
            chips(&bot.topics).map(|list| el("div", "topics").child(title).child(list))
        });
        let greeting = el("div", "text")
            .attr("dir", "auto")
            .child(el("p", "").text(&bot.greeting));
        el("div", "msg theirs greeting")
            .spoken(&bot.name)
            .maybe((!bot.greeting.is_empty()).then_some(greeting))
            .maybe(questions.flatten())
            .maybe(topics.flatten())
    });
    head.unwrap_or_else(|| el("div", ""))
}

/// Below the messages: the bot is thinking, or what to ask next.
fn tail(app: App) -> Node {
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

fn chips(questions: &[String]) -> Option<Node> {
    let chip = |question: &String| {
        let chip = button("chip", "ask").attr("data-v", question);
        let chip = chip.attr("part", "chip").attr("dir", "auto");
        el("li", "").child(chip.text(question))
    };
    let list = el("ul", "chips").attr("role", "list");
    (!questions.is_empty()).then(|| list.children(questions.iter().map(chip)))
}

fn newest(app: App) -> Node {
    let behind = app.watch_behind();
    let words = app.bot(|bot, _| bot.strings.newest.clone());
    match words.filter(|_| behind) {
        Some(words) => button("newest", "newest").child(icon(DOWN)).text(&words),
        None => el("span", "gone"),
    }
}

/// One handler for every button of the conversation: a button names what it does in `data-do`.
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
            // The button goes away; the focus stays in the panel.
            focus::panel(app);
            app.with_mut(|inner| inner.focus = inner.chat.phase() != Phase::Ready);
            app.dispatch(Event::ReloadAsked);
            focus::log(app);
        }
        "earlier" => {
            earlier(app, true);
            focus::log(app);
        }
        "newest" => {
            app.with_mut(|inner| inner.following = Following::End);
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
            let code = button.closest(".code").ok().flatten();
            let code = code.and_then(|code| code.query_selector("pre").ok().flatten());
            if let Some(code) = code.and_then(|code| code.text_content()) {
                copy(app, &button, &code);
            }
        }
        "cite" => show_source(app, &button, &value),
        "good" => rate(app, &value, Rating::Up),
        "bad" => rate(app, &value, Rating::Down),
        "image" => {
            app.with_mut(|inner| inner.shown.push(value));
            let messages = |inner: &Inner| -> Vec<Id> {
                let messages = inner.chat.messages().iter();
                messages.map(|message| message.id).collect()
            };
            let messages = app.with(messages).unwrap_or_default();
            app.changed(&Changes {
                messages,
                ..Changes::default()
            });
            focus::log(app);
        }
        _ => {}
    }
}

/// Sends a question that the visitor has not typed; the draft stays.
pub(crate) fn ask(app: App, question: String) {
    app.with_mut(|inner| inner.following = Following::Question);
    app.send(Event::Picked { text: question });
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
    app.with_mut(|inner| inner.copies = Some(button.clone()));
    if let Some(host) = app.host() {
        host.copy(words);
    }
}

/// What was to be copied is on the clipboard.
pub(crate) fn copied(app: App) {
    let Some(button) = app.with_mut(|inner| inner.copies.take()).flatten() else {
        return;
    };
    if let Some(copied) = app.bot(|bot, _| bot.strings.copied.clone()) {
        app.say(&copied);
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
    // Only the list scrolls: scrolling into view would move the page around the bubble too.
    let top = item.get_bounding_client_rect().top() - log.get_bounding_client_rect().top();
    let by = pixels(top) - log.client_height() / 3;
    log.set_scroll_top(log.scroll_top() + by);
    focus::take(item.unchecked_ref());
    flash(&item, "flash");
}

/// Gives an element a class for a tick.
fn flash(element: &Element, class: &'static str) {
    let _ = element.class_list().add_1(class);
    let element = element.clone();
    let end = move || {
        let _ = element.class_list().remove_1(class);
    };
    set_timeout(end, std::time::Duration::from_millis(1600));
}
