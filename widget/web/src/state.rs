//! The state of the views beside the chat itself, by the part of the page that it belongs to.

use bulle_protocol::{Id, loader::LoaderConfig};
use bulle_widget_core::{Chat, Ticket};
use web_sys::{Element, HtmlElement, HtmlTextAreaElement};

use crate::{
    dom::{ArcTrigger, Mounted, RenderEffect, TimeoutHandle},
    host::Host,
};

/// The state of one bubble.
pub(crate) struct State {
    pub config: LoaderConfig,
    pub chat: Chat,
    pub host: Host,
    pub list: List,
    pub scroll: Scroll,
    pub composer: Composer,
    pub announcer: Announcer,
    /// The timer of `Effect::Wake`.
    pub wake: Option<TimeoutHandle>,
    /// Bytes of an answer that are not shown yet.
    pub arrived: Option<Arrived>,
    /// The button whose text is being copied to the clipboard.
    pub copy_button: Option<Element>,
    /// Whether the check that the visitor is human is shown.
    pub is_challenge_shown: bool,
}

/// The list of messages.
#[derive(Default)]
pub(crate) struct List {
    /// The element that scrolls.
    pub log: Option<HtmlElement>,
    /// The messages on the page, oldest first.
    pub rows: Vec<Row>,
    /// The number of older messages that are loaded and not on the page.
    pub hidden: usize,
    /// While the list changes above it: the element that keeps its place, and its distance below the list's upper
    /// edge in pixels.
    pub anchor: Option<(Element, f64)>,
    /// The URLs of the images that the visitor has asked to see.
    pub images: Vec<String>,
}

/// A message on the page.
pub(crate) struct Row {
    pub id: Id,
    /// Makes the row draw itself again.
    pub changed: ArcTrigger,
    pub dom: web_sys::Node,
    /// The row is redrawn for as long as this is kept.
    pub _view: RenderEffect<Mounted>,
}

/// The part of the list that is kept in view while an answer arrives.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Following {
    /// The newest words, but never past the question that they answer: a long answer is read from its start.
    #[default]
    Question,
    /// The newest words: the visitor has scrolled to the end.
    End,
    /// Nothing: the visitor reads further up.
    Nothing,
}

/// The scrolling position of the list.
#[derive(Default)]
pub(crate) struct Scroll {
    pub following: Following,
    /// The position when it was last looked at, in pixels.
    pub top: i32,
    /// The largest possible position then.
    pub end: i32,
    /// The visitor reads further up, and something new has come.
    pub behind: bool,
}

/// The text field and its draft.
pub(crate) struct Composer {
    pub field: Option<HtmlTextAreaElement>,
    /// Characters in the draft.
    pub draft: usize,
    /// The field takes the focus once, as soon as it can.
    pub focus: bool,
}

/// The live region for screen readers.
#[derive(Default)]
pub(crate) struct Announcer {
    pub element: Option<HtmlElement>,
    /// Empties the live region.
    pub timer: Option<TimeoutHandle>,
}

/// Bytes of an answer that the next frame shows.
pub(crate) struct Arrived {
    pub ticket: Ticket,
    pub bytes: Vec<u8>,
    /// When the first of them came, in Unix milliseconds.
    pub since: u64,
}
