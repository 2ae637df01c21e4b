//! The handle on one bubble: its state, its event loop, and the signals that make views draw again.
//!
//! The chat is the single source of truth. Signals carry no data: a view that watches one draws again from the state.

use std::{cell::RefCell, fmt};

use bulle_protocol::{loader::LoaderConfig, session::Bot};
use bulle_widget_core::{Chat, Effect, Event as ChatEvent, Ticket};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, HtmlElement, HtmlTextAreaElement, js_sys::Function};

use crate::{
    browser,
    dom::{ArcTrigger, Notify, Track, VNode, view, window},
    host::Host,
    state::{Announcer, Arrived, Composer, List, Scroll, State},
};

/// Bytes of an answer are shown after this time without a frame, in milliseconds: browsers draw no frames for hidden
/// pages.
const FRAME_TIMEOUT: u64 = 200;

/// A handle on one bubble; copied into every view and handler.
#[derive(Clone, Copy)]
pub(crate) struct App(&'static Shared);

/// Lives as long as the page.
struct Shared {
    state: RefCell<State>,
    /// Carries an effect out.
    perform: fn(App, Effect),
    phase: ArcTrigger,
    list: ArcTrigger,
    status: ArcTrigger,
    draft: ArcTrigger,
    behind: ArcTrigger,
}

/// Appends a view to an element, for as long as the page lives.
pub(crate) fn mount_view(app: App, parent: &HtmlElement, draw: fn(App) -> VNode) {
    let view = view(Box::new(move || draw(app)));
    view.with_value_mut(|mounted| {
        let _ = parent.append_child(&mounted.dom);
    });
    std::mem::forget(view);
}

/// Adds an event listener, for as long as the page lives.
pub(crate) fn listen(app: App, target: &EventTarget, name: &str, react: fn(App, &Event)) {
    let listener: Closure<dyn FnMut(Event)> = Closure::new(move |event| react(app, &event));
    let listener = listener.into_js_value();
    let _ = target.add_event_listener_with_callback(name, listener.unchecked_ref());
}

impl App {
    pub fn new(config: LoaderConfig, focus: bool, host: Host, perform: fn(Self, Effect)) -> Self {
        let state = State {
            chat: Chat::new(config.site.clone(), config.locale.clone()),
            config,
            host,
            list: List::default(),
            scroll: Scroll::default(),
            composer: Composer {
                field: None,
                draft: 0,
                focus,
            },
            announcer: Announcer::default(),
            wake: None,
            arrived: None,
            copy_button: None,
            is_challenge_shown: false,
        };
        Self(Box::leak(Box::new(Shared {
            state: RefCell::new(state),
            perform,
            phase: ArcTrigger::new(),
            list: ArcTrigger::new(),
            status: ArcTrigger::new(),
            draft: ArcTrigger::new(),
            behind: ArcTrigger::new(),
        })))
    }

    /// Clears all timers, and drops the references to the page.
    pub fn end(self) {
        self.with_mut(|state| {
            let timers = [state.wake.take(), state.announcer.timer.take()];
            for timer in timers.into_iter().flatten() {
                timer.clear();
            }
            state.list.log = None;
            state.composer.field = None;
            state.announcer.element = None;
        });
    }

    /// Submits a message, after reading storage again: another tab may have stored a visitor since this one was opened.
    pub fn submit(self, message: ChatEvent) {
        let stored = self.with(|state| browser::stored(&state.config.site));
        if let Some(stored) = stored.flatten() {
            self.dispatch(ChatEvent::Found { stored });
        }
        self.dispatch(message);
    }

    /// Passes an event to the chat and carries out the effects. Bytes of a stream are passed on once per frame, because
    /// the screen shows no more.
    pub fn dispatch(self, event: ChatEvent) {
        if let ChatEvent::Streamed { ticket, bytes } = event {
            return self.gather(ticket, bytes);
        }
        self.show_arrived();
        self.update(event);
    }

    fn gather(self, ticket: Ticket, bytes: Vec<u8>) {
        let now = browser::now();
        let append = |state: &mut State| match &mut state.arrived {
            Some(arrived) if arrived.ticket == ticket => {
                arrived.bytes.extend_from_slice(&bytes);
                Some(now.saturating_sub(arrived.since) > FRAME_TIMEOUT)
            }
            _ => None,
        };
        let is_late = self.with_mut(append).flatten();
        if is_late.is_none() {
            self.show_arrived();
            self.with_mut(|state| {
                state.arrived = Some(Arrived {
                    ticket,
                    bytes,
                    since: now,
                });
            });
            self.on_frame(Self::show_arrived);
        }
        if is_late == Some(true) || browser::is_hidden() {
            self.show_arrived();
        }
    }

    fn show_arrived(self) {
        let arrived = self.with_mut(|state| state.arrived.take());
        if let Some(Arrived { ticket, bytes, .. }) = arrived.flatten() {
            self.update(ChatEvent::Streamed { ticket, bytes });
        }
    }

    fn update(self, event: ChatEvent) {
        let tick = browser::tick();
        let effects = self.with_mut(|state| state.chat.update(tick, event));
        for effect in effects.unwrap_or_default() {
            (self.0.perform)(self, effect);
        }
    }

    /// Runs a function with the next frame.
    pub fn on_frame(self, run: fn(Self)) {
        let _ = window().request_animation_frame(&self.function(run));
    }

    /// Runs a function when all changes are drawn, before the browser shows them.
    pub fn when_drawn(self, run: fn(Self)) {
        window().queue_microtask(&self.function(run));
    }

    fn function(self, run: fn(Self)) -> Function {
        Closure::once_into_js(move || run(self)).unchecked_into()
    }

    /// Reads the state; `None` only while it is being changed.
    pub fn with<T>(self, read: impl FnOnce(&State) -> T) -> Option<T> {
        self.0.state.try_borrow().ok().map(|state| read(&state))
    }

    /// Changes the state; `None` only while it is in use.
    pub fn with_mut<T>(self, write: impl FnOnce(&mut State) -> T) -> Option<T> {
        let state = self.0.state.try_borrow_mut();
        state.ok().map(|mut state| write(&mut state))
    }

    /// The host, for calls that may call the widget before they return.
    pub fn host(self) -> Option<Host> {
        self.with(|state| state.host.clone())
    }

    /// Reads the bot, once the session is open.
    pub fn bot<T>(self, read: impl FnOnce(&Bot, &Chat) -> T) -> Option<T> {
        self.with(|state| state.chat.bot().map(|bot| read(bot, &state.chat)))
            .flatten()
    }

    pub fn log(self) -> Option<HtmlElement> {
        self.with(|state| state.list.log.clone()).flatten()
    }

    pub fn field(self) -> Option<HtmlTextAreaElement> {
        self.with(|state| state.composer.field.clone()).flatten()
    }

    /// Makes the calling view draw again when the phase changes.
    pub fn watch_phase(self) {
        self.0.phase.track();
    }

    pub fn notify_phase(self) {
        self.0.phase.notify();
    }

    /// Makes the calling view draw again when the list of messages changes.
    pub fn watch_list(self) {
        self.0.list.track();
    }

    pub fn notify_list(self) {
        self.0.list.notify();
    }

    /// Makes the calling view draw again when activity or connection change.
    pub fn watch_status(self) {
        self.0.status.track();
    }

    pub fn notify_status(self) {
        self.0.status.notify();
    }

    /// The characters in the draft; makes the calling view draw again when they change.
    pub fn watch_draft(self) -> usize {
        self.0.draft.track();
        self.with(|state| state.composer.draft).unwrap_or_default()
    }

    /// Sets the number of characters in the draft; returns the one before.
    pub fn set_draft(self, draft: usize) -> usize {
        let old = self.with_mut(|state| std::mem::replace(&mut state.composer.draft, draft));
        if old != Some(draft) {
            self.0.draft.notify();
        }
        old.unwrap_or_default()
    }

    /// True while the visitor reads further up and something new has come; makes the calling view draw again when that
    /// changes.
    pub fn watch_behind(self) -> bool {
        self.0.behind.track();
        self.with(|state| state.scroll.behind).unwrap_or_default()
    }

    pub fn set_behind(self, behind: bool) {
        let old = self.with_mut(|state| std::mem::replace(&mut state.scroll.behind, behind));
        if old != Some(behind) {
            self.0.behind.notify();
        }
    }

    /// True when there are loaded messages that are not on the page.
    pub fn has_hidden(self) -> bool {
        self.with(|state| state.list.hidden > 0).unwrap_or_default()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
