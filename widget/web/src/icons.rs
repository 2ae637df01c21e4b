//! Icons as single paths on a 24-pixel grid, stroked with the text colour.

use crate::dom::{VNode, el};

pub(crate) const SEND: &str = "M12 19V5M5.5 11.5 12 5l6.5 6.5";
pub(crate) const STOP: &str = "M8 8h8v8H8z";
pub(crate) const NEW: &str = "M12 4H7a3 3 0 0 0-3 3v10a3 3 0 0 0 3 3h10a3 3 0 0 0 3-3v-5M18.4 3.6a1.7 1.7 0 0 1 2.4 2.4L12.5 14.3 9 15l.7-3.5z";
pub(crate) const COPY: &str = "M9 9h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2zM15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3";
pub(crate) const CHECK: &str = "m5 12.5 4.5 4.5L19 7.5";
pub(crate) const DOWN: &str = "M12 5v14M5.5 12.5 12 19l6.5-6.5";
pub(crate) const RETRY: &str = "M20 11a8 8 0 1 0-2.3 6.3M20 4.5V11h-6.5";
pub(crate) const CHEVRON: &str = "m9 6 6 6-6 6";
pub(crate) const ALERT: &str = "M12 8v5M12 16.4v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
pub(crate) const THUMB: &str = "M7 11v9H4v-9zM7 11l4-8a2.2 2.2 0 0 1 2.2 2.6L12.6 9H18a2 2 0 0 1 2 2.4l-1.3 7A2 2 0 0 1 16.7 20H7";
pub(crate) const OUT: &str = "M8 16 16 8M9.5 8H16v6.5";

/// A decorative icon; the button around it carries the name.
pub(crate) fn icon(path: &str) -> VNode {
    el("svg", "icon")
        .attr("viewBox", "0 0 24 24")
        .attr("aria-hidden", "true")
        .child(el("path", "").attr("d", path))
}
