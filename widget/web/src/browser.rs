//! Clock, randomness, media queries and storage of the browser. Where the browser refuses, a default is returned.

use bulle_protocol::session::Page;
use bulle_widget_core::Tick;
use js_sys::{Date, Math};
use wasm_bindgen::JsValue;
use web_sys::{Storage, Window, window};

use crate::host::Host;

/// The time and the randomness of one update.
pub(crate) fn tick() -> Tick {
    Tick {
        unix_ms: now(),
        random: random(),
    }
}

/// Milliseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 are a positive whole number"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that the session is given"
)]
pub(crate) fn now() -> u64 {
    Date::now() as u64
}

/// True while the page is hidden.
pub(crate) fn is_hidden() -> bool {
    let document = window().and_then(|window| window.document());
    document.is_some_and(|document| document.hidden())
}

/// 128 random bits: from `crypto.getRandomValues`, or from `Math.random` where that is missing.
fn random() -> u128 {
    let mut bytes = [0; 16];
    let filled = window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if !filled {
        for byte in &mut bytes {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::disallowed_methods,
                reason = "the randomness that the session is given, a number from 0 up to, not including, 256"
            )]
            let value = (Math::random() * 256.0) as u8;
            *byte = value;
        }
    }
    u128::from_le_bytes(bytes)
}

/// False only when the browser is sure that there is no network.
pub(crate) fn online() -> bool {
    window().is_none_or(|window| window.navigator().on_line())
}

/// The page's URL and title, without query and fragment, which may hold private data. `None` for a visitor who has set
/// Global Privacy Control or Do Not Track.
pub(crate) fn page(host: &Host) -> Option<Page> {
    if host.private() {
        return None;
    }
    let window = window()?;
    let location = window.location();
    Some(Page {
        url: location.origin().ok()? + &location.pathname().ok()?,
        title: window.document()?.title(),
    })
}

/// True when the main pointer is a finger: a text field that takes the focus raises a keyboard.
pub(crate) fn has_touch_keyboard() -> bool {
    matches_media("(pointer: coarse)")
}

/// True when the panel fills the screen; the loader's style sheet has the same width.
pub(crate) fn is_full_screen() -> bool {
    matches_media("(max-width: 480px)")
}

fn matches_media(query: &str) -> bool {
    let list = window().and_then(|window| window.match_media(query).ok().flatten());
    list.is_some_and(|list| list.matches())
}

/// The text that an earlier page has stored for this site key.
pub(crate) fn stored(site: &str) -> Option<String> {
    let storage = storage(Window::local_storage)?;
    storage.get_item(&format!("bulle:{site}")).ok()?
}

/// The data of an anonymous visitor that earlier pages have stored: the visitor, and the outbox.
pub(crate) fn stored_visitor(site: &str) -> (Option<String>, Option<String>) {
    (stored(site), stored_for_tab("outbox", site))
}

/// Stores a text for the next page; an empty one removes the entry. A refusal of the browser is ignored.
pub(crate) fn store(site: &str, text: &str) {
    put(storage(Window::local_storage), "bulle", site, text);
}

/// The text that an earlier page has stored for this tab: its `outbox` of unacknowledged messages, or its `draft`.
pub(crate) fn stored_for_tab(what: &str, site: &str) -> Option<String> {
    let storage = storage(Window::session_storage)?;
    storage.get_item(&format!("bulle-{what}:{site}")).ok()?
}

/// Stores a text for the next page of this tab; an empty one removes the entry.
pub(crate) fn store_for_tab(what: &str, site: &str, text: &str) {
    let area = storage(Window::session_storage);
    put(area, &format!("bulle-{what}"), site, text);
}

fn put(storage: Option<Storage>, what: &str, site: &str, text: &str) {
    let Some(storage) = storage else { return };
    let key = format!("{what}:{site}");
    let _ = if text.is_empty() {
        storage.remove_item(&key)
    } else {
        storage.set_item(&key, text)
    };
}

fn storage(which: fn(&Window) -> Result<Option<Storage>, JsValue>) -> Option<Storage> {
    which(&window()?).ok()?
}
