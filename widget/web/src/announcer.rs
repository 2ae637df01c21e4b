//! Announcements to screen readers: every text goes through the one live region.

use std::time::Duration;

use crate::{
    app::App,
    dom::{el, set_timeout_with_handle},
    state::State,
};

/// How long a text stays in the live region.
const DURATION: Duration = Duration::from_secs(5);

/// Announces a text to screen readers. It is removed after a while, so that no second copy stays on the page and
/// a repeated text is announced again. An empty text empties the live region now.
pub(crate) fn announce(app: App, words: &str) {
    let clear = move || {
        app.with(|state| {
            if let Some(element) = &state.announcer.element {
                element.set_text_content(None);
            }
        });
    };
    if words.is_empty() {
        return clear();
    }
    let timer = set_timeout_with_handle(clear, DURATION).ok();
    app.with_mut(|state: &mut State| {
        if let Some(element) = &state.announcer.element {
            el("p", "").text(words).place(element);
        }
        if let Some(old) = std::mem::replace(&mut state.announcer.timer, timer) {
            old.clear();
        }
    });
}
