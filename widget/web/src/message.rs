//! The views of messages: the visitor's bubble, and the bot's answer with its sources and tools.

use bulle_protocol::{Id, conversation::Rating, event::Source, session::Bot, strings::Strings};
use bulle_widget_core::{Activity, Caveat, Chat, ChatMessage, Connection, Failure, Stage};

use crate::{
    app::App,
    blocks::{BlockContext, action, copy_button, link},
    dom::{VNode, button, el, text},
    host,
    icons::{ALERT, CHEVRON, OUT, RETRY, THUMB, icon},
    state::State,
};

/// How an answer was drawn last. A block need not be drawn again while the place of the blocks, the images and its mark
/// are the same.
#[derive(Default)]
pub(crate) struct Drawn {
    on_new_day: bool,
    images: usize,
    marks: Vec<u32>,
}

/// The view of a message. `drawn` is how it was drawn last.
pub(crate) fn view(app: App, id: Id, drawn: &mut Drawn) -> VNode {
    let view = app.with(|state| {
        let chat = &state.chat;
        let messages = chat.messages();
        let at = messages.iter().rposition(|message| message.id == id)?;
        let message = messages.get(at)?;
        let Some(bot) = chat.bot() else {
            // It waits for the session.
            app.watch_phase();
            return Some(el("div", "msg mine").child(bubble(message, "bubble unsent")));
        };
        let before = at.checked_sub(1).and_then(|before| messages.get(before));
        if before.is_none() {
            // Messages before it may be loaded later, and then its day may not be shown.
            app.watch_list();
        }
        let local = matches!(message.stage, Stage::Waiting | Stage::Sending);
        if local || message.failure.is_some() {
            // The view also depends on the connection and on whether a turn is running.
            app.watch_status();
        }
        let day = new_day(message, before, &state.host);
        let now = Drawn {
            on_new_day: day.is_some(),
            images: state.list.images.len(),
            marks: message.marks.clone(),
        };
        let was = std::mem::replace(drawn, now);
        let same = was.on_new_day == drawn.on_new_day && was.images == drawn.images;
        let marks: &[u32] = if same { &was.marks } else { &[] };
        let node = el(
            "div",
            if message.is_visitors() {
                "msg mine"
            } else {
                "msg theirs"
            },
        )
        .maybe(day);
        Some(if message.is_visitors() {
            visitors(node, message, bot, state)
        } else {
            answer(node, message, bot, state, marks)
        })
    });
    view.flatten().unwrap_or_else(|| el("div", ""))
}

/// The day of a message, if the message before is of another day.
fn new_day(
    message: &ChatMessage,
    before: Option<&ChatMessage>,
    host: &host::Host,
) -> Option<VNode> {
    let day = |message: &ChatMessage| host::date(host, message.at, "day");
    let today = day(message);
    let same = before.is_some_and(|before| day(before) == today);
    (!same).then(|| el("p", "day").text(&today))
}

fn time(message: &ChatMessage, state: &State) -> VNode {
    el("time", "").text(&host::date(&state.host, message.at, "time"))
}

fn visitors(node: VNode, message: &ChatMessage, bot: &Bot, state: &State) -> VNode {
    let chat = &state.chat;
    let words = &bot.strings;
    let sent = message.stage == Stage::Delivered;
    let waits = match message.stage {
        Stage::Waiting => true,
        // On a good connection, the message is delivered before the text could be read.
        Stage::Sending => chat.connection() != Connection::Fine,
        _ => false,
    };
    let now = chat.now();
    let countdown = |failure: &Failure| failure.countdown(words, now);
    let status = match &message.failure {
        Some(_) if message.stage == Stage::Sending => Some(words.not_sent.clone()),
        failure => waits.then(|| {
            let left = failure.as_ref().and_then(countdown);
            with_time(&words.waiting, left)
        }),
    };
    let class = if sent { "bubble" } else { "bubble unsent" };
    // The time is that of the answer.
    let foot = status.map(|status| el("p", "notice").text(&status));
    node.spoken(&words.you)
        .child(bubble(message, class))
        .maybe(files(message))
        .maybe(foot)
        .maybe(failure(message, message.id, bot, chat))
}

fn bubble(message: &ChatMessage, class: &str) -> VNode {
    el("div", class)
        .attr("part", "message")
        .attr("dir", "auto")
        .text(&message.text)
}

/// The names of the attached files.
fn files(message: &ChatMessage) -> Option<VNode> {
    let named = message
        .attachments
        .iter()
        .filter(|file| !file.name.is_empty());
    let items = named.map(|file| el("li", "").attr("dir", "auto").text(&file.name));
    let list = el("ul", "given").attr("role", "list").children(items);
    (!message.attachments.is_empty()).then_some(list)
}

fn answer(node: VNode, message: &ChatMessage, bot: &Bot, state: &State, marks: &[u32]) -> VNode {
    let around = BlockContext {
        strings: &bot.strings,
        sources: &message.sources,
        images: &state.list.images,
    };
    let writing = message.stage == Stage::Writing;
    let class = if writing { "text writing" } else { "text" };
    let body = el("div", class)
        .attr("part", "reply")
        .attr("dir", "auto")
        .children(around.changed(&message.blocks, &message.marks, marks));
    let empty = message.blocks.is_empty();
    let asked = message.reply_to.unwrap_or(message.id);
    let tools = (!writing && !empty).then(|| {
        let id = message.id.to_string();
        let thumb = |action, name: &str, rating| {
            let pressed = message.rating == Some(rating);
            button("tool small", action)
                .attr("data-v", &id)
                .attr("aria-label", name)
                .attr("title", name)
                .attr("aria-pressed", if pressed { "true" } else { "false" })
                .child(icon(THUMB))
        };
        let thumbs = bot.features.feedback.then(|| {
            [
                thumb("good", &bot.strings.good, Rating::Up),
                thumb("bad", &bot.strings.bad, Rating::Down),
            ]
        });
        el("div", "tools")
            .child(time(message, state))
            .children(thumbs.into_iter().flatten())
            .child(copy_button("copy", &id, &bot.strings.copy))
    });
    let foot = el("div", "foot")
        .maybe(sources(&message.sources, &bot.strings))
        .maybe(tools);
    node.spoken(&bot.name)
        .maybe((!empty).then_some(body))
        .child(foot)
        .children(message.caveats.iter().map(|n| notice(*n, &bot.strings)))
        .maybe(failure(message, asked, bot, &state.chat))
}

fn notice(notice: Caveat, strings: &Strings) -> VNode {
    el("p", "notice").text(notice.text(strings))
}

fn sources(sources: &[Source], strings: &Strings) -> Option<VNode> {
    if sources.is_empty() {
        return None;
    }
    let count = sources.len().to_string();
    let summary = el("summary", "")
        .attr("data-do", "sources")
        .child(icon(CHEVRON))
        .text(&strings.sources)
        .child(el("span", "count").text(&count));
    let cards = sources.iter().map(|source| {
        let title = match &source.url {
            Some(url) => {
                let content = [text(&source.title), icon(OUT)];
                link(url, "title", content, &strings.new_window)
            }
            None => el("span", "title").text(&source.title),
        };
        let number = source.n.to_string();
        el("li", "")
            .attr("tabindex", "-1")
            .attr("data-n", &number)
            .child(el("span", "n").attr("aria-hidden", "true").text(&number))
            .child(title)
            .child(el("p", "").text(&source.snippet))
    });
    let list = el("ol", "").attr("role", "list").children(cards);
    Some(el("details", "sources").child(summary).child(list))
}

/// The failure of an exchange, with its action and the retry button.
fn failure(message: &ChatMessage, asked: Id, bot: &Bot, chat: &Chat) -> Option<VNode> {
    let failure: &Failure = message.failure.as_ref()?;
    let now = chat.now();
    let text = failure.text(Some(&bot.strings), now);
    let left = failure.countdown(&bot.strings, now);
    // After a long wait, a retry button is not useful.
    let soon = left.is_some() || !failure.waits_long(now);
    let mut retry = button("retry", "retry")
        .attr("data-v", &asked.to_string())
        .child(icon(RETRY))
        .text(&with_time(&bot.strings.retry, left));
    if failure.seconds_left(now) > 0 || chat.activity() != Activity::Idle {
        retry = retry.attr("disabled", "");
    }
    let reason = (!text.is_empty()).then(|| {
        let text = el("p", "").attr("dir", "auto").text(&text);
        el("div", "why").child(icon(ALERT)).child(text)
    });
    // A waiting message is sent automatically.
    let has_retry = message.stage != Stage::Waiting && soon;
    let ways = el("div", "ways")
        .maybe(action(failure.action.as_ref(), &bot.strings.new_window))
        .maybe(has_retry.then_some(retry));
    Some(el("div", "failure").maybe(reason).child(ways))
}

/// A text, followed by the time left to wait, if there is one.
fn with_time(words: &str, left: Option<String>) -> String {
    match left {
        Some(left) => format!("{words} ({left})"),
        None => words.to_owned(),
    }
}
