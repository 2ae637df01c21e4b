//! What the widget uses of Leptos: its signals, its renderer and its helpers.

pub(crate) use leptos_dom::helpers::*;
pub(crate) use reactive_graph::{owner::*, prelude::*, signal::*};
pub(crate) use tachys::{prelude::*, reactive_graph::OwnedView, view::keyed::keyed};

use any_spawner::Executor;
use web_sys::HtmlElement;

/// Builds a view at the end of an element, to stay there; what it watches is watched from then on.
pub(crate) fn mount_to<V: Render>(parent: &HtmlElement, view: impl FnOnce() -> V) {
    // Refused from the second time on: the reactive system is running.
    let _ = Executor::init_wasm_bindgen();
    let owner = Owner::new();
    let mounted = owner.with(|| {
        let mut mounted = view().build();
        mounted.mount(parent, None);
        mounted
    });
    std::mem::forget((owner, mounted));
}
