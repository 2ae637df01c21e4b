//! The bridge between the core's session and the views.
//!
//! The session is the only truth. Signals carry no data: they count changes, and a view that reads
//! one draws again from the session.

use std::time::Duration;

use crate::leptos::*;
use bulle_protocol::{Id, loader::LoaderConfig, session::Bot};
use bulle_widget_core::{Changes, Event as Happened, Session};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, HtmlElement, HtmlTextAreaElement};

use crate::{
    browser, effects,
    node::Node,
    page::{self, Page},
};

/// How long the live region keeps what it has said.
const SAID: Duration = Duration::from_secs(5);

/// A handle on one bubble; copied into every view and handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct App {
    inner: StoredValue<Inner, LocalStorage>,
    phase: RwSignal<u32>,
    list: RwSignal<u32>,
    status: RwSignal<u32>,
    /// True while the visitor reads further up and something new has come.
    pub behind: RwSignal<bool>,
    /// Characters in the composer.
    pub draft: RwSignal<usize>,
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
    pub session: Session,
    /// The list of messages, which scrolls.
    pub log: Option<HtmlElement>,
    /// The composer's text field.
    pub field: Option<HtmlTextAreaElement>,
    pub wake: Option<TimeoutHandle>,
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
    /// How far the list's end was away when older messages were asked for.
    pub from_end: Option<i32>,
    /// The composer takes the focus once.
    pub focus: bool,
    /// What the page does for the widget.
    pub page: Page,
    /// A check stands in the cover.
    pub challenged: bool,
    messages: Vec<(Id, ArcRwSignal<u32>)>,
}

impl Inner {
    fn signal(&self, id: Id) -> Option<ArcRwSignal<u32>> {
        let mut signals = self.messages.iter();
        let signal = signals.find(|(of, _)| *of == id)?;
        Some(signal.1.clone())
    }
}

/// Mounts a part of the page at the end of an element; it draws itself again when what it watches
/// changes. One type for all parts: every type of closure would cost its own copy of the machinery.
pub(crate) fn part(app: App, parent: &HtmlElement, draw: fn(App) -> Node) {
    mount_to(parent, || move || draw(app));
}

/// Listens for as long as the page lives.
pub(crate) fn listen(app: App, target: &EventTarget, name: &str, react: fn(App, &Event)) {
    let react: Closure<dyn FnMut(Event)> = Closure::new(move |event| react(app, &event));
    let react = react.into_js_value();
    let _ = target.add_event_listener_with_callback(name, react.unchecked_ref());
}

impl App {
    pub fn new(config: LoaderConfig, focus: bool, page: Page) -> Self {
        let session = Session::new(config.site.clone(), config.locale.clone());
        Self {
            inner: StoredValue::new_local(Inner {
                config,
                session,
                log: None,
                field: None,
                wake: None,
                announcer: None,
                said: None,
                following: Following::Question,
                top: 0,
                end: 0,
                from_end: None,
                focus,
                page,
                challenged: false,
                messages: Vec::new(),
            }),
            phase: RwSignal::new(0),
            list: RwSignal::new(0),
            status: RwSignal::new(0),
            behind: RwSignal::new(false),
            draft: RwSignal::new(0),
        }
    }

    /// Opens the session.
    pub fn start(self) {
        let Some(page) = self.with(|inner| inner.page.clone()) else {
            return;
        };
        let identity = page::identity(&page);
        let (stored, outbox) = browser::kept(self);
        self.dispatch(Happened::Started {
            online: browser::online(),
            stored,
            outbox,
            page: browser::page(),
            identity,
        });
    }

    /// Stops what would happen later.
    pub fn end(self) {
        self.with_mut(|inner| {
            for timer in [inner.wake.take(), inner.said.take()].into_iter().flatten() {
                timer.clear();
            }
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
        let set = |inner: &mut Inner, words: &str| {
            if let Some(announcer) = &inner.announcer {
                announcer.set_text_content(Some(words));
            }
        };
        let clear = move || {
            self.with_mut(|inner| set(inner, ""));
        };
        let timer = set_timeout_with_handle(clear, SAID).ok();
        self.with_mut(|inner| {
            set(inner, words);
            if let Some(old) = std::mem::replace(&mut inner.said, timer) {
                old.clear();
            }
        });
    }

    /// Tells the session what happened and carries out what it wants.
    pub fn dispatch(self, event: Happened) {
        let moment = browser::moment();
        let effects = self.with_mut(|inner| inner.session.update(moment, event));
        for effect in effects.unwrap_or_default() {
            effects::perform(self, effect);
        }
    }

    /// Reads, outside of views; `None` only when the bubble is gone.
    pub fn with<T>(self, read: impl FnOnce(&Inner) -> T) -> Option<T> {
        self.inner.try_with_value(read)
    }

    pub fn with_mut<T>(self, write: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        self.inner.try_update_value(write)
    }

    /// Reads the bot, once there is one.
    pub fn bot<T>(self, read: impl FnOnce(&Bot, &Session) -> T) -> Option<T> {
        self.with(|inner| inner.session.bot().map(|bot| read(bot, &inner.session)))
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
        self.phase.track();
    }

    /// The view draws again when messages come or go.
    pub fn watch_list(self) {
        self.list.track();
    }

    /// The view draws again when activity or connection change.
    pub fn watch_status(self) {
        self.status.track();
    }

    /// The view draws again when this message changes.
    pub fn watch_message(self, id: Id) {
        let signal = self.with_mut(|inner| {
            inner.signal(id).unwrap_or_else(|| {
                let signal = ArcRwSignal::new(0);
                inner.messages.push((id, signal.clone()));
                signal
            })
        });
        if let Some(signal) = signal {
            signal.track();
        }
    }

    /// Draws again what has changed.
    pub fn changed(self, changes: &Changes) {
        let bump = |signal: RwSignal<u32>| signal.update(|n| *n = n.wrapping_add(1));
        if changes.phase {
            bump(self.phase);
        }
        if changes.list {
            self.with_mut(|inner| {
                let session = &inner.session;
                inner
                    .messages
                    .retain(|(id, _)| session.message(*id).is_some());
            });
            bump(self.list);
        }
        if changes.status {
            bump(self.status);
        }
        for id in &changes.messages {
            let signal = self.with(|inner| inner.signal(*id));
            if let Some(signal) = signal.flatten() {
                signal.update(|n| *n = n.wrapping_add(1));
            }
        }
    }
}
