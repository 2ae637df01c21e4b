//! The check that a visitor is human, when the edge asks for it before it opens a session.

use bulle_widget_core::Event;
use wasm_bindgen::prelude::*;
use web_sys::Node;

use crate::app::App;

#[wasm_bindgen(module = "/src/challenge.js")]
extern "C" {
    fn show(
        root: &Node,
        script: &str,
        sitekey: &str,
        language: &str,
        passed: JsValue,
        failed: JsValue,
    );
    fn hide(root: &Node);
}

/// Shows the check or takes it away, as the session stands.
pub(crate) fn update(app: App) {
    let asked = app.with(|inner| {
        let asked = inner.session.challenge().cloned();
        (asked, inner.challenged, inner.config.locale.clone())
    });
    let (Some((asked, shown, language)), Some(log)) = (asked, app.log()) else {
        return;
    };
    let root = log.get_root_node();
    app.with_mut(|inner| inner.challenged = asked.is_some());
    match asked {
        Some(asked) => {
            let passed: Closure<dyn FnMut(String)> =
                Closure::new(move |token| app.dispatch(Event::Challenged { token }));
            let failed: Closure<dyn FnMut()> =
                Closure::new(move || app.dispatch(Event::ChallengeBroken));
            show(
                &root,
                &asked.url,
                &asked.label,
                &language,
                passed.into_js_value(),
                failed.into_js_value(),
            );
        }
        None if shown => hide(&root),
        None => {}
    }
}
