//! The bubble in the browser.
//!
//! The loader draws the launcher and the panel's frame, then hands over two elements inside its
//! shadow root. Everything decided here is how things look and which browser function carries an
//! effect out; what happens next is decided by [`bulle_widget_core`].
//!
//! No HTML is ever parsed: views build a tree of [`node::Node`], which creates elements one by one, so that
//! the widget violates neither Trusted Types nor a strict style policy of the page.

mod app;
mod blocks;
mod browser;
mod composer;
mod conversation;
mod effects;
mod focus;
mod host;
mod icons;
mod leptos;
mod message;
mod node;
mod rows;
mod scroll;

use bulle_widget_core::{Event, Ticket, wire};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use app::App;
use host::Host;

/// Fills the loader's frame.
///
/// - `body`: the panel below its header; its content is replaced.
/// - `tools`: the container of the header's buttons; the button for a new conversation is added.
/// - `settings`: the JSON of [`LoaderConfig`](bulle_protocol::loader::LoaderConfig).
/// - `focus`: whether the composer takes the focus once it is drawn: the visitor has opened the panel. False
///   when the panel opens by itself after a reload.
/// - `host`: the page's side of the widget.
///
/// Returns `None` when the settings cannot be read. The session opens on the command `start`
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
    body.replace_children_with_node_0();
    let app = App::new(config, focus, host);
    leptos::begin();
    conversation::mount_new_button(app, tools);
    conversation::mount(app, body);

    Some(Handle { app })
}

/// What the host calls: `Handle` in widget/page/bridge.d.ts.
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
        host::identified(self.app, subject);
    }

    /// The page's JWT and its `sub`. The JWT is empty for a visitor who is not signed in; there is none when the page
    /// failed.
    pub fn named(&self, ticket: u32, jwt: Option<String>, subject: Option<String>) {
        host::named(self.app, Ticket(ticket), jwt, subject);
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
    /// | `new` | a new conversation |
    /// | `show` | the id of the conversation to show |
    /// | `reload` | the chat, or the messages, loaded again |
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
            "start" => return self.app.start(),
            "ask" => return conversation::ask(self.app, value),
            "new" => Event::NewAsked,
            "show" => match value.parse() {
                Ok(conversation) => Event::ShowAsked { conversation },
                Err(_) => return,
            },
            "reload" => Event::ReloadAsked,
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
        let ticket = self.app.with(|inner| inner.chat.next_ticket());
        self.app.dispatch(Event::Overheard {
            conversation,
            message,
            text,
            stored: browser::kept(self.app).0,
        });
        let reads =
            |ticket: &Ticket| self.app.with(|inner| inner.chat.reads(*ticket)) == Some(true);
        ticket.filter(reads).map_or(0, |ticket| ticket.0)
    }

    /// Calls the edge as the visitor, and renews an expired token. Returns the ticket of the answer, which
    /// goes to `Host.replied`.
    pub fn call(&self, method: String, path: String, body: Option<String>) -> u32 {
        let ticket = self.app.with_mut(|inner| inner.chat.next_ticket());
        self.app.dispatch(Event::CallAsked { method, path, body });
        ticket.map_or(0, |ticket| ticket.0)
    }
}
