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
mod message;
mod node;
mod page;

use bulle_widget_core::wire;
use leptos::prelude::Owner;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

/// Fills the loader's frame.
///
/// - `body`: the panel below its header; whatever it shows is replaced.
/// - `tools`: where the header keeps its buttons; one is added.
/// - `config`: the JSON of [`LoaderConfig`](bulle_protocol::loader::LoaderConfig).
/// - `focus`: the visitor has asked for the panel, so the composer takes the focus as soon as it is
///   there; false when the panel opens by itself after a reload.
/// - `bubble`: the page's handle on it. Its `id` is what the page has said of its visitor, or else `tag` is; its
///   `identify`, which says it anew, is taken over.
///
/// False when the configuration cannot be read.
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over what JavaScript gives"
)]
#[wasm_bindgen]
pub fn mount(
    body: HtmlElement,
    tools: HtmlElement,
    config: &str,
    focus: bool,
    bubble: &JsValue,
) -> bool {
    let Some(config) = wire::loader_config(config) else {
        return false;
    };
    body.replace_children_with_node_0();
    // Views and listeners live as long as the page.
    let owner = Owner::new();
    let app = owner.with(|| app::App::new(config, focus));
    std::mem::forget(owner);
    conversation::mount_new_button(app, &tools);
    conversation::mount(app, &body);
    app.start(page::identity(bubble, app));
    true
}
