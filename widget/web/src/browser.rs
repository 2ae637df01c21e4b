//! What the browser knows, each as a plain value: a browser that refuses an answer is no error.

use bulle_protocol::session::Page;
use bulle_widget_core::Moment;
use js_sys::{Date, Math};
use web_sys::{Storage, Window, window};

/// The time, with random bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 are a positive whole number"
)]
pub(crate) fn moment() -> Moment {
    Moment {
        unix_ms: Date::now() as u64,
        random: random(),
    }
}

/// 128 random bits: from the page's generator for secrets, or else from the one for everything.
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
                reason = "a number from 0 up to, not including, 256"
            )]
            let value = (Math::random() * 256.0) as u8;
            *byte = value;
        }
    }
    u128::from_le_bytes(bytes)
}

/// False only when the browser is sure.
pub(crate) fn online() -> bool {
    window().is_none_or(|window| window.navigator().on_line())
}

/// The page, without query and fragment: those may hold what is nobody's business.
pub(crate) fn page() -> Option<Page> {
    let window = window()?;
    let location = window.location();
    Some(Page {
        url: location.origin().ok()? + &location.pathname().ok()?,
        title: window.document()?.title(),
    })
}

/// What an earlier page has stored for this site key.
pub(crate) fn stored(site: &str) -> Option<String> {
    storage()?.get_item(&key(site)).ok()?
}

/// Stores for the next page; a browser that refuses only forgets sooner.
pub(crate) fn store(site: &str, text: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(&key(site), text);
    }
}

fn key(site: &str) -> String {
    format!("bulle:{site}")
}

fn storage() -> Option<Storage> {
    window()
        .as_ref()
        .map(Window::local_storage)
        .and_then(Result::ok)
        .flatten()
}
