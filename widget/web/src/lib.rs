//! The bubble in the browser.
//!
//! The loader draws the launcher and the panel's frame, then hands over two elements inside its
//! shadow root. This crate decides how things look and which browser function carries an effect out;
//! [`bulle_widget_core`] decides everything else.
//!
//! No HTML is ever parsed: views build a tree of [`dom::VNode`], which creates elements one by one, so that
//! the widget violates neither Trusted Types nor a strict style policy of the page.

mod announcer;
mod app;
mod blocks;
mod browser;
mod composer;
mod conversation;
mod dom;
mod effects;
mod focus;
mod host;
mod icons;
mod message;
mod rows;
mod scroll;
mod state;

use bulle_widget_core::{Event, Ticket, wire};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use app::App;
use host::Host;
use state::State;

/// Fills the loader's frame.
///
/// - `body`: the panel below its header. The loader's text field in it stays, with what the visitor has written; the rest
///   is replaced.
/// - `tools`: the container of the header's buttons; the button for a new conversation is added.
/// - `settings`: the JSON of [`LoaderConfig`](bulle_protocol::loader::LoaderConfig).
/// - `focus`: whether the composer takes the focus once it is drawn: the visitor has opened the panel. False
///   when the panel opens by itself after a reload.
/// - `host`: the page's side of the widget.
///
/// Returns `None` when the settings cannot be read, or there is no text field. The session opens on the command `start`
/// ([`Handle::command`]).
#[wasm_bindgen]
pub fn mount(
    body: &HtmlElement,
    tools: &HtmlElement,
    settings: &str,
    focus: bool,
    host: Host,
) -> Option<Handle> {
    let config = wire::loader_config(settings)?;
    let composer: HtmlElement = body.query_selector(".composer").ok()??.unchecked_into();
    let app = App::new(config, focus, host, effects::perform);
    dom::start_effects();
    conversation::mount_new_button(app, tools);
    conversation::mount(app, body, &composer);

    Some(Handle { app })
}

/// The methods that the host calls: `Handle` in widget/page/bridge.d.ts.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Handle {
    app: App,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.app.end();
    }
}

#[wasm_bindgen]
impl Handle {
    /// A call was answered with a whole body.
    pub fn answered(&self, ticket: u32, status: u16, body: String) {
        self.app.dispatch(Event::Answered {
            ticket: Ticket(ticket),
            status,
            body,
        });
    }

    /// Bytes of an event stream, cut anywhere.
    pub fn streamed(&self, ticket: u32, bytes: Vec<u8>) {
        self.app.dispatch(Event::Streamed {
            ticket: Ticket(ticket),
            bytes,
        });
    }

    /// A call got no answer, or its answer has ended or broken off.
    pub fn broken(&self, ticket: u32) {
        self.app.dispatch(Event::Unreachable {
            ticket: Ticket(ticket),
        });
    }

    /// The page has given another identity: the `sub` of a JWT, nothing for a visitor who is not signed in, or ""
    /// when the page must be asked for a JWT.
    pub fn identified(&self, subject: Option<String>) {
        self.set_identity(subject);
    }

    /// The page's JWT and its `sub`. The JWT is empty for a visitor who is not signed in; there is none when the page
    /// failed.
    pub fn named(&self, ticket: u32, jwt: Option<String>, subject: Option<String>) {
        let ticket = Ticket(ticket);
        // A call that is not pending any more was for an earlier identity.
        if self.app.with(|state| state.chat.awaits(ticket)) != Some(true) {
            return;
        }
        match jwt {
            Some(jwt) if jwt.is_empty() => self.set_identity(None),
            Some(jwt) => self.app.dispatch(Event::Named {
                ticket,
                jwt,
                identity: host::parse_identity(subject),
            }),
            None => self.app.dispatch(Event::Unreachable { ticket }),
        }
    }

    /// A token of Turnstile, or nothing when it cannot be shown.
    pub fn challenged(&self, token: Option<String>) {
        self.app.dispatch(Event::Challenged { token });
    }

    /// A command of the page or of its visitor:
    ///
    /// | command | value |
    /// |---|---|
    /// | `start` | opens the session; the first command of all |
    /// | `ask` | a question, sent as if it were typed |
    /// | `send` | sends what is written in the text field |
    /// | `new` | a new conversation |
    /// | `show` | the id of the conversation to show |
    /// | `reload` | loads the session, or the messages, again |
    /// | `shown` | the visitor looks at the panel again |
    /// | `online`, `offline` | the browser has got, or has lost, its network |
    /// | `unrate` | the id of an answer whose rating the edge has not taken |
    /// | `attach` | the files that go with the next message: a JSON array of `{id, name, bytes}` |
    /// | `forget` | the edge has erased the visitor |
    /// | `erased` | the id of a visitor whom another tab has had erased |
    /// | `copied` | the text of the last [`Host::copy`](host::Host) is on the clipboard |
    /// | `all` | loads every message; the event `whole` tells the page whether that succeeded |
    /// | `print` | not empty: draws every loaded message; empty: draws only the usual ones again |
    pub fn command(&self, name: &str, value: String) {
        let event = match name {
            "start" => return self.start(),
            "ask" => return conversation::ask(self.app, value),
            "send" => return composer::submit(self.app),
            "new" => Event::NewAsked,
            "show" => match value.parse() {
                Ok(conversation) => Event::ShowAsked { conversation },
                Err(_) => return,
            },
            "reload" => Event::ReloadAsked,
            "shown" => Event::Shown,
            "online" => Event::Online,
            "offline" => Event::Offline,
            "unrate" => match value.parse() {
                Ok(message) => Event::Rated {
                    message,
                    rating: None,
                },
                Err(_) => return,
            },
            "attach" => Event::Attached { files: value },
            "forget" => Event::Erased,
            "erased" => match value.parse() {
                Ok(visitor) => Event::ErasedElsewhere { visitor },
                Err(_) => return,
            },
            "copied" => return conversation::copied(self.app),
            "all" => Event::AllAsked,
            "print" => return scroll::print(self.app, !value.is_empty()),
            _ => return,
        };
        self.app.dispatch(event);
    }

    /// Another tab of the visitor has sent a message. Returns the ticket for the chunks of its answer, which come to
    /// [`streamed`](Self::streamed); 0 when this tab does not show them.
    pub fn overheard(&self, conversation: &str, message: &str, text: String) -> u32 {
        let (Ok(conversation), Ok(message)) = (conversation.parse(), message.parse()) else {
            return 0;
        };
        let ticket = self.app.with(|state| state.chat.next_ticket());
        self.app.dispatch(Event::Overheard {
            conversation,
            message,
            text,
            stored: self.stored_visitor().0,
        });
        let reads =
            |ticket: &Ticket| self.app.with(|state| state.chat.reads(*ticket)) == Some(true);
        ticket.filter(reads).map_or(0, |ticket| ticket.0)
    }

    /// Calls the edge as the visitor, and renews an expired token. Returns the ticket of the answer, which
    /// goes to `Host.replied`.
    pub fn call(&self, method: String, path: String, body: Option<String>) -> u32 {
        let ticket = self.app.with_mut(|state| state.chat.next_ticket());
        self.app.dispatch(Event::CallAsked { method, path, body });
        ticket.map_or(0, |ticket| ticket.0)
    }
}

impl Handle {
    /// Opens the session.
    fn start(&self) {
        let Some(host) = self.app.host() else { return };
        let identity = host::identity(&host);
        let (stored, outbox) = self.stored_visitor();
        self.app.dispatch(Event::Started {
            online: browser::online(),
            stored,
            outbox,
            page: browser::page(&host),
            identity,
        });
    }

    fn set_identity(&self, subject: Option<String>) {
        let (stored, outbox) = self.stored_visitor();
        self.app.dispatch(Event::Identified {
            identity: host::parse_identity(subject),
            stored,
            outbox,
        });
    }

    /// The visitor and the outbox that earlier pages have stored.
    fn stored_visitor(&self) -> (Option<String>, Option<String>) {
        let read = |state: &State| browser::stored_visitor(&state.config.site);
        self.app.with(read).unwrap_or_default()
    }
}
