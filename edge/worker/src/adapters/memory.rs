//! The windows that an isolate has counted, in its memory. They are lost with the isolate, which may end at any time.

use bulle_edge_core::{meter::window::Window, ports::IsolateCache};
use std::{cell::RefCell, collections::HashMap};

use super::Edge;

/// Most windows in memory; the memory of an isolate is 128 MB.
const MOST: usize = 10_000;

thread_local! {
    static WINDOWS: RefCell<HashMap<String, Window>> = RefCell::default();
}

impl IsolateCache for Edge {
    fn recall(&self, key: &str) -> Window {
        WINDOWS.with_borrow(|windows| windows.get(key).cloned().unwrap_or_default())
    }

    fn remember(&self, key: &str, window: Window) {
        WINDOWS.with_borrow_mut(|windows| {
            if window.is_empty() {
                windows.remove(key);
                return;
            }
            // When there are too many keys, some windows are dropped, but never all.
            if windows.len() >= MOST && !windows.contains_key(key) {
                let mut keep = false;
                windows.retain(|_, _| {
                    keep = !keep;
                    keep
                });
            }
            windows.insert(key.to_owned(), window);
        });
    }
}
