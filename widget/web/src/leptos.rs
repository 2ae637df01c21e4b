//! What the widget uses of Leptos: its signals and effects, its renderer and its helpers.

pub(crate) use leptos_dom::helpers::*;
pub(crate) use reactive_graph::{
    effect::RenderEffect,
    signal::ArcTrigger,
    traits::{Notify, Track},
};
pub(crate) use tachys::renderer::Rndr;

/// Lets effects run: when the code is done that has changed what they watch.
pub(crate) fn begin() {
    // Refused from the second bubble on: they run already.
    let _ = any_spawner::Executor::init_wasm_bindgen();
}
