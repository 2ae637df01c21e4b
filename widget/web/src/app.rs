//! The bridge between the core's session and the views.
//!
//! The session is the only truth. Signals carry no data: they tell of changes, and a view that watches
//! one draws again from the chat.

use std::{cell::RefCell, fmt, time::Duration};

use bulle_protocol::{Id, block::Block, loader::LoaderConfig, session::Bot};
use bulle_widget_core::{Changes, Chat, ChatMessage, Event as Happened, Stage, Ticket};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventTarget, HtmlElement, HtmlTextAreaElement, js_sys::Function};

use crate::{
    browser, effects,
    host::{self, Host},
    leptos::*,
    node::{Mounted, Node, el},
    rows::{self, Row},
};

/// How long the live region keeps what it has said.
const SAID: Duration = Duration::from_secs(5);

/// After this time without a frame, what has arrived is shown without waiting for one, in milliseconds: a browser
/// draws no frames of what nobody sees.
const LATE: u64 = 200;

/// A handle on one bubble; copied into every view and handler.
#[derive(Clone, Copy)]
pub(crate) struct App(&'static State);

/// It lives as long as the page.
struct State {
    inner: RefCell<Inner>,
    phase: ArcTrigger,
    list: ArcTrigger,
    status: ArcTrigger,
    draft: ArcTrigger,
    behind: ArcTrigger,
}

/// What the list keeps in sight while words arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Following {
    /// The newest words, but never past the question that they answer: a long answer is read from its start.
    Question,
    /// The newest words: the visitor went to the end.
    End,
    /// Nothing: the visitor reads further up.
    Nothing,
}

pub(crate) struct Inner {
    pub config: LoaderConfig,
    pub chat: Chat,
    /// The list of messages, which scrolls.
    pub log: Option<HtmlElement>,
    /// The composer's text field.
    pub field: Option<HtmlTextAreaElement>,
    pub wake: Option<TimeoutHandle>,
    /// The button that copies, until that is done.
    pub copies: Option<Element>,
    /// Images that the visitor has asked to see, by address.
    pub shown: Vec<String>,
    /// The live region; everything that is said goes through [`App::say`].
    pub announcer: Option<HtmlElement>,
    /// Empties the live region.
    pub said: Option<TimeoutHandle>,
    /// What the list follows.
    pub following: Following,
    /// Where the list was scrolled to when it was last looked at.
    pub top: i32,
    /// How far it could be scrolled then.
    pub end: i32,
    /// Messages on the page, oldest first.
    pub rows: Vec<Row>,
    /// How many older ones are known and not on the page.
    pub hidden: usize,
    /// What is to stay where it is while the list changes above it, and how far below the list's upper edge it stands.
    pub kept: Option<(Element, f64)>,
    /// True while the visitor reads further up and something new has come.
    behind: bool,
    /// Characters in the composer.
    draft: usize,
    /// Bytes of an answer that the next frame will show, and when the first of them came.
    arrived: Option<(Ticket, Vec<u8>, u64)>,
    /// The composer takes the focus once.
    pub focus: bool,
    /// What the page does for the widget.
    pub host: Host,
    /// A check stands in the cover.
    pub challenged: bool,
}

/// Something that draws itself again when what it watches changes. One type for all: every type of closure would cost
/// its own copy of the machinery.
pub(crate) fn drawn(mut draw: Box<dyn FnMut() -> Node>) -> RenderEffect<Mounted> {
    RenderEffect::new(move |mounted: Option<Mounted>| match mounted {
        Some(mut mounted) => {
            mounted.patch(draw());
            mounted
        }
        None => draw().build(),
    })
}

/// Mounts a part of the page at the end of an element, for as long as the page lives.
pub(crate) fn part(app: App, parent: &HtmlElement, draw: fn(App) -> Node) {
    let part = drawn(Box::new(move || draw(app)));
    part.with_value_mut(|mounted| {
        let _ = parent.append_child(&mounted.dom);
    });
    std::mem::forget(part);
}

/// Listens for as long as the page lives.
pub(crate) fn listen(app: App, target: &EventTarget, name: &str, react: fn(App, &Event)) {
    let react: Closure<dyn FnMut(Event)> = Closure::new(move |event| react(app, &event));
    let react = react.into_js_value();
    let _ = target.add_event_listener_with_callback(name, react.unchecked_ref());
}

impl App {
    pub fn new(config: LoaderConfig, focus: bool, host: Host) -> Self {
        let chat = Chat::new(config.site.clone(), config.locale.clone());
        let inner = Inner {
            config,
            chat,
            log: None,
            field: None,
            wake: None,
            copies: None,
            shown: Vec::new(),
            announcer: None,
            said: None,
            following: Following::Question,
            top: 0,
            end: 0,
            rows: Vec::new(),
            hidden: 0,
            kept: None,
            behind: false,
            draft: 0,
            arrived: None,
            focus,
            host,
            challenged: false,
        };
        Self(Box::leak(Box::new(State {
            inner: RefCell::new(inner),
            phase: ArcTrigger::new(),
            list: ArcTrigger::new(),
            status: ArcTrigger::new(),
            draft: ArcTrigger::new(),
            behind: ArcTrigger::new(),
        })))
    }

    /// Opens the chat.
    pub fn start(self) {
        let Some(host) = self.host() else { return };
        let identity = host::identity(&host);
        let (stored, outbox) = browser::kept(self);
        self.dispatch(Happened::Started {
            online: browser::online(),
            stored,
            outbox,
            page: browser::page(&host),
            identity,
        });
    }

    /// Stops what would happen later, and lets go of the page.
    pub fn end(self) {
        self.with_mut(|inner| {
            for timer in [inner.wake.take(), inner.said.take()].into_iter().flatten() {
                timer.clear();
            }
            inner.log = None;
            inner.field = None;
            inner.announcer = None;
        });
    }

    /// Sends, after a look at what another tab may have stored since this one was opened.
    pub fn send(self, message: Happened) {
        let stored = self.with(|inner| browser::stored(&inner.config.site));
        if let Some(stored) = stored.flatten() {
            self.dispatch(Happened::Found { stored });
        }
        self.dispatch(message);
    }

    /// Says something to screen readers. It is gone after a while: nobody comes across a second copy, and the same
    /// words are heard when they are said again.
    pub fn say(self, words: &str) {
        let clear = move || {
            self.with(|inner| {
                if let Some(announcer) = &inner.announcer {
                    announcer.set_text_content(None);
                }
            });
        };
        if words.is_empty() {
            return clear();
        }
        let timer = set_timeout_with_handle(clear, SAID).ok();
        self.with_mut(|inner| {
            if let Some(announcer) = &inner.announcer {
                el("p", "").text(words).place(announcer);
            }
            if let Some(old) = std::mem::replace(&mut inner.said, timer) {
                old.clear();
            }
        });
    }

    /// Tells the session what happened and carries out what it wants. Of a stream, once in a frame: faster than the
    /// screen is nobody.
    pub fn dispatch(self, event: Happened) {
        if let Happened::Streamed { ticket, bytes } = event {
            return self.gather(ticket, bytes);
        }
        self.show_arrived();
        self.update(event);
    }

    fn gather(self, ticket: Ticket, bytes: Vec<u8>) {
        let now = browser::now();
        let same = |inner: &mut Inner| match &mut inner.arrived {
            Some((of, all, since)) if *of == ticket => {
                all.extend_from_slice(&bytes);
                Some(now.saturating_sub(*since) > LATE)
            }
            _ => None,
        };
        let late = self.with_mut(same).flatten();
        if late.is_none() {
            self.show_arrived();
            self.with_mut(|inner| inner.arrived = Some((ticket, bytes, now)));
            self.on_frame(Self::show_arrived);
        }
        if late == Some(true) || browser::is_hidden() {
            self.show_arrived();
        }
    }

    fn show_arrived(self) {
        let arrived = self.with_mut(|inner| inner.arrived.take());
        if let Some((ticket, bytes, _)) = arrived.flatten() {
            self.update(Happened::Streamed { ticket, bytes });
        }
    }

    fn update(self, event: Happened) {
        let tick = browser::tick();
        let effects = self.with_mut(|inner| inner.chat.update(tick, event));
        for effect in effects.unwrap_or_default() {
            effects::perform(self, effect);
        }
    }

    /// Does something with the next frame.
    pub fn on_frame(self, run: fn(Self)) {
        let _ = window().request_animation_frame(&self.function(run));
    }

    /// Does something when everything that has changed is drawn, before the browser shows it.
    pub fn when_drawn(self, run: fn(Self)) {
        window().queue_microtask(&self.function(run));
    }

    fn function(self, run: fn(Self)) -> Function {
        Closure::once_into_js(move || run(self)).unchecked_into()
    }

    /// Reads, outside of views; `None` only when that is being done already.
    pub fn with<T>(self, read: impl FnOnce(&Inner) -> T) -> Option<T> {
        self.0.inner.try_borrow().ok().map(|inner| read(&inner))
    }

    pub fn with_mut<T>(self, write: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        let inner = self.0.inner.try_borrow_mut();
        inner.ok().map(|mut inner| write(&mut inner))
    }

    /// What the page does, for what may call the widget before it returns.
    pub fn host(self) -> Option<Host> {
        self.with(|inner| inner.host.clone())
    }

    /// Reads the bot, once there is one.
    pub fn bot<T>(self, read: impl FnOnce(&Bot, &Chat) -> T) -> Option<T> {
        self.with(|inner| inner.chat.bot().map(|bot| read(bot, &inner.chat)))
            .flatten()
    }

    pub fn log(self) -> Option<HtmlElement> {
        self.with(|inner| inner.log.clone()).flatten()
    }

    pub fn field(self) -> Option<HtmlTextAreaElement> {
        self.with(|inner| inner.field.clone()).flatten()
    }

    /// The view draws again when the session opens or fails to.
    pub fn watch_phase(self) {
        self.0.phase.track();
    }

    /// The view draws again when messages come or go.
    pub fn watch_list(self) {
        self.0.list.track();
    }

    /// The view draws again when activity or connection change.
    pub fn watch_status(self) {
        self.0.status.track();
    }

    /// Characters in the composer; the view draws again when they change.
    pub fn watch_draft(self) -> usize {
        self.0.draft.track();
        self.with(|inner| inner.draft).unwrap_or_default()
    }

    /// Counts the characters in the composer; how many there were.
    pub fn set_draft(self, draft: usize) -> usize {
        let old = self.with_mut(|inner| std::mem::replace(&mut inner.draft, draft));
        if old != Some(draft) {
            self.0.draft.notify();
        }
        old.unwrap_or_default()
    }

    /// True while the visitor reads further up and something new has come; the view draws again when that changes.
    pub fn watch_behind(self) -> bool {
        self.0.behind.track();
        self.with(|inner| inner.behind).unwrap_or_default()
    }

    pub fn set_behind(self, behind: bool) {
        let old = self.with_mut(|inner| std::mem::replace(&mut inner.behind, behind));
        if old != Some(behind) {
            self.0.behind.notify();
        }
    }

    /// True when there are messages that are known and not on the page.
    pub fn has_hidden(self) -> bool {
        self.with(|inner| inner.hidden > 0).unwrap_or_default()
    }

    /// Draws again what has changed.
    pub fn changed(self, changes: &Changes) {
        if changes.phase {
            self.0.phase.notify();
        }
        if changes.list {
            self.list_changed(0);
        }
        if changes.status {
            self.0.status.notify();
        }
        for id in &changes.messages {
            let of = |inner: &Inner| {
                inner
                    .rows
                    .iter()
                    .find(|row| row.id == *id)
                    .map(Row::changed)
            };
            if let Some(changed) = self.with(of).flatten() {
                changed.notify();
            }
        }
    }

    /// Tells the page of code in whole answers, when it is there to be seen.
    pub fn tell_of_code(self, messages: &[Id]) {
        let is_code = |block: &Block| matches!(block, Block::Code { .. });
        let has_code = |message: &ChatMessage| {
            message.stage == Stage::Complete && message.blocks.iter().any(is_code)
        };
        let code = self.with(|inner| {
            let mut messages = messages.iter().filter_map(|id| inner.chat.message(*id));
            messages.any(has_code)
        });
        if code == Some(true) {
            // They are on the page with the next frame.
            self.on_frame(|app| {
                app.with(|inner| inner.host.emit("code", "{}"));
            });
        }
    }

    /// Draws the list again, with so many more of the older messages.
    pub fn list_changed(self, more: usize) {
        rows::arrange(self, more);
        self.0.list.notify();
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
