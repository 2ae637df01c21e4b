//! What an isolate keeps in its memory: the windows that it has counted, and what it has read. Both are lost with the isolate,
//! which may end at any time.

use bulle_edge_core::{
    meter::window::Window,
    ports::{IsolateCache, IsolateValues},
};
use std::{any::Any, cell::RefCell, collections::HashMap, rc::Rc};

use super::Edge;

/// Most windows in memory; the memory of an isolate is 128 MB.
const MOST: usize = 10_000;

/// Most values in memory: sites, of a few kilobytes each.
const MOST_VALUES: usize = 1_000;

thread_local! {
    static VALUES: RefCell<HashMap<String, Rc<dyn Any>>> = RefCell::default();
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
            insert(windows, MOST, key, window);
        });
    }
}

impl IsolateValues for Edge {
    fn value(&self, key: &str) -> Option<Rc<dyn Any>> {
        VALUES.with_borrow(|values| values.get(key).cloned())
    }

    fn set_value(&self, key: &str, value: Option<Rc<dyn Any>>) {
        VALUES.with_borrow_mut(|values| match value {
            Some(value) => insert(values, MOST_VALUES, key, value),
            None => drop(values.remove(key)),
        });
    }
}

/// Inserts an entry. When there are too many, some others are dropped, but never all.
fn insert<T>(entries: &mut HashMap<String, T>, most: usize, key: &str, value: T) {
    if entries.len() >= most && !entries.contains_key(key) {
        let mut keep = false;
        entries.retain(|_, _| {
            keep = !keep;
            keep
        });
    }
    entries.insert(key.to_owned(), value);
}
