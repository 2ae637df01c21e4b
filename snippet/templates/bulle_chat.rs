//! The chat of this site. Put `<BulleChat/>` outside of the router's routes, so that it stays from page to page.
//! Needs the crates `leptos` (0.7 or newer) and `wasm-bindgen`.

use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

const EDGE: &str = "https://EDGE";
const SITE: &str = "SITE_KEY";

#[wasm_bindgen(inline_js = r#"
const path = (edge, site) => `${edge}/s/${site}.js`;
const tags = (src) => document.querySelectorAll(`script[src="${src}"]`);

export function show(edge, site) {
  const src = path(edge, site);
  // The chat goes with its tag. A tag that was taken away may still run: it asks again.
  const onload = () => tags(src).length || window.Bulle?.[site]?.destroy();
  document.head.append(Object.assign(document.createElement("script"), { async: true, src, onload }));
}

export function hide(edge, site) {
  for (const tag of tags(path(edge, site))) tag.remove();
  window.Bulle?.[site]?.destroy();
}
"#)]
extern "C" {
    fn show(edge: &str, site: &str);
    fn hide(edge: &str, site: &str);
}

/// The chat of this site, for as long as this is on the page.
#[component]
pub fn BulleChat() -> impl IntoView {
    // Effects run in the browser only, not where pages are rendered on a server.
    Effect::new(|_| {
        show(EDGE, SITE);
        on_cleanup(|| hide(EDGE, SITE));
    });
}
