//! The bubble in the browser.
//!
//! The loader draws the launcher and the panel's frame, then hands over two elements inside its
//! shadow root. Everything decided here is how things look and which browser function carries an
//! effect out; what happens next is decided by [`bulle_widget_core`].
//!
//! No HTML is ever parsed: views are built with the builder syntax and [`node::Node`], which create
//! elements one by one, so that pages that enforce Trusted Types or a strict style policy stay quiet.

mod app;
mod blocks;
mod browser;
mod composer;
mod conversation;
mod effects;
mod focus;
mod icons;
mod leptos;
mod message;
mod node;
mod page;
mod rows;
mod scroll;

use bulle_widget_core::{Event, Ticket, wire};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use app::App;
use page::Page;

/// Fills the loader's frame.
///
/// - `body`: the panel below its header; whatever it shows is replaced.
/// - `tools`: where the header keeps its buttons; some are added.
/// - `settings`: the JSON of [`LoaderConfig`](bulle_protocol::loader::LoaderConfig).
/// - `focus`: the visitor has asked for the panel, so the composer takes the focus as soon as it is
///   there; false when the panel opens by itself after a reload.
/// - `page`: what the page does for the widget.
///
/// Nothing when the settings cannot be read. It does not begin before [`Handle::tell`] is told to `start`.
#[wasm_bindgen]
pub fn mount(
    body: &HtmlElement,
    tools: &HtmlElement,
    settings: &str,
    focus: bool,
    page: Page,
) -> Option<Handle> {
    let config = wire::loader_config(settings)?;
    body.replace_children_with_node_0();
    let app = App::new(config, focus, page);
    leptos::begin();
    conversation::mount_new_button(app, tools);
    conversation::mount(app, body);

    Some(Handle { app })
}

/// What the page tells a bubble: `Handle` in widget/page/bridge.d.ts.
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

    /// The page says anew who its visitor is: the `sub` of a JWT, nobody, or "" when it takes asking.
    pub fn identified(&self, who: Option<String>) {
        page::say(self.app, who);
    }

    /// The page's JWT, which is empty for nobody, and its `sub`; no JWT when the page failed.
    pub fn named(&self, ticket: u32, jwt: Option<String>, subject: Option<String>) {
        page::named(self.app, Ticket(ticket), jwt, subject);
    }

    /// A token of Turnstile, or nothing when it cannot be shown.
    pub fn challenged(&self, token: Option<String>) {
        self.app.dispatch(Event::Challenged { token });
    }

    /// A wish of the page or of its visitor:
    ///
    /// | wish | value |
    /// |---|---|
    /// | `start` | opens the session; the first wish of all |
    /// | `ask` | a question, sent as if it were typed |
    /// | `new` | a new conversation |
    /// | `show` | the id of the conversation to show |
    /// | `reload` | the session, or the messages, loaded again |
    /// | `online`, `offline` | the browser's network has come, or has gone |
    /// | `unrate` | the id of an answer whose rating the edge has not taken |
    /// | `attach` | the files that go with the next message: a JSON array of `{id, name, bytes}` |
    /// | `forget` | the edge has erased the visitor |
    /// | `erased` | the id of a visitor whom another tab has had erased |
    /// | `copied` | what [`Page::copy`](page::Page) was last given is on the clipboard |
    /// | `all` | every message is to be known: the page is told `whole`, with whether they are |
    /// | `print` | every message that is known on the page, until this is said with nothing |
    pub fn tell(&self, wish: &str, value: String) {
        let event = match wish {
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

    /// Another tab of the visitor has sent a message. The ticket under which the pieces of its answer are awaited, from
    /// [`streamed`](Self::streamed); 0 when nobody here wants them.
    pub fn overheard(&self, conversation: &str, message: &str, text: String) -> u32 {
        let (Ok(conversation), Ok(message)) = (conversation.parse(), message.parse()) else {
            return 0;
        };
        let ticket = self.app.with(|inner| inner.session.next_ticket());
        self.app.dispatch(Event::Overheard {
            conversation,
            message,
            text,
            stored: browser::kept(self.app).0,
        });
        let reads =
            |ticket: &Ticket| self.app.with(|inner| inner.session.reads(*ticket)) == Some(true);
        ticket.filter(reads).map_or(0, |ticket| ticket.0)
    }

    /// Calls the edge as the visitor, with a token that is renewed when it must be. The ticket of the answer, which
    /// goes to `Page.replied`.
    pub fn call(&self, method: String, path: String, body: Option<String>) -> u32 {
        let ticket = self.app.with_mut(|inner| inner.session.next_ticket());
        self.app.dispatch(Event::Called { method, path, body });
        ticket.map_or(0, |ticket| ticket.0)
    }
}
