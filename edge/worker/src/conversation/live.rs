//! A running turn in memory: its frames so far and the browsers that listen.

use bulle_edge_core::{guard::Question, ports::Clock, turn::Sink};
use bulle_protocol::{
    Id,
    event::{EventId, ServerEvent},
};
use futures_channel::{mpsc, oneshot};
use futures_util::{StreamExt, stream, stream::LocalBoxStream};
use std::{cell::RefCell, rc::Rc};

use super::{
    batch::Batch,
    store::{ConversationStore, Frame},
};
use crate::{adapters::Edge, log};

/// Most browsers that listen to one turn; a further one replaces the first.
const MAX_LISTENERS: usize = 16;

/// A running turn.
pub struct Live {
    /// Number of the turn.
    pub number: u32,
    frames: Vec<Frame>,
    listeners: Vec<mpsc::UnboundedSender<Rc<str>>>,
    stop: Option<oneshot::Sender<()>>,
    /// Since when the turn has no listener, in Unix milliseconds.
    alone_ms: Option<u64>,
}

impl Live {
    /// A turn with the frames of its earlier attempts.
    pub fn new(number: u32, frames: Vec<Frame>, stop: oneshot::Sender<()>) -> Self {
        Self {
            number,
            frames,
            listeners: Vec::new(),
            stop: Some(stop),
            alone_ms: None,
        }
    }

    /// The frames after event `seq`, and those to come.
    pub fn listen(&mut self, seq: u32) -> LocalBoxStream<'static, Rc<str>> {
        let (sender, receiver) = mpsc::unbounded();
        if self.listeners.len() >= MAX_LISTENERS {
            self.listeners.remove(0);
        }
        self.listeners.push(sender);
        self.alone_ms = None;
        let past: Vec<Rc<str>> = self
            .frames
            .iter()
            .filter(|frame| frame.seq > seq)
            .map(|frame| Rc::clone(&frame.text))
            .collect();
        stream::iter(past).chain(receiver).boxed_local()
    }

    /// Asks the turn to stop.
    pub fn cancel(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the turn has just ended.
            let _ = stop.send(());
        }
    }

    /// Sends a frame to the listeners, and drops those that have left.
    fn add(&mut self, frame: Frame, now_ms: u64) {
        let tell = |listener: &mpsc::UnboundedSender<_>| {
            listener.unbounded_send(Rc::clone(&frame.text)).is_ok()
        };
        self.listeners.retain(tell);
        if self.listeners.is_empty() {
            self.alone_ms.get_or_insert(now_ms);
        }
        self.frames.push(frame);
    }
}

/// Takes the events of the running turn: to storage in small batches, and to the listeners.
pub struct TurnSink<'a> {
    edge: &'a Edge,
    store: &'a ConversationStore,
    live: &'a RefCell<Option<Live>>,
    turn: Id,
    number: u32,
    seq: u32,
    unsaved: Batch,
    /// Milliseconds that the turn goes on without a listener; without end when absent.
    patience_ms: Option<u64>,
}

impl<'a> TurnSink<'a> {
    /// A sink for the turn of a message, whose events so far are numbered up to `seq`.
    pub fn new(
        (edge, store, live): (&'a Edge, &'a ConversationStore, &'a RefCell<Option<Live>>),
        question: &Question,
        number: u32,
        seq: u32,
    ) -> Self {
        let patience = question.site().bot.model.abandoned_after_seconds;
        Self {
            edge,
            store,
            live,
            turn: question.id(),
            patience_ms: patience.map(|seconds| u64::from(seconds) * 1_000),
            number,
            seq,
            unsaved: Batch::new(edge.now_ms()),
        }
    }

    /// Stores what is not stored yet.
    pub fn flush(&mut self) {
        let frames = self.unsaved.take(self.edge.now_ms());
        self.save(&frames);
    }

    fn save(&self, frames: &[Frame]) {
        if let Err(error) = self.store.add_frames(self.number, frames) {
            log::error("frames", &error);
        }
    }
}

impl Sink for TurnSink<'_> {
    fn emit(&mut self, event: ServerEvent) {
        self.seq = self.seq.saturating_add(1);
        let id = EventId {
            turn: self.turn,
            seq: self.seq,
        };
        let frame = match event.to_frame(id) {
            Ok(frame) => Frame {
                seq: self.seq,
                text: frame.encode().into(),
            },
            Err(error) => {
                log::error("frame", &error);
                return;
            }
        };
        let now = self.edge.now_ms();
        let due = self.unsaved.add(frame.clone(), event.is_last(), now);
        self.save(&due);
        let mut live = self.live.borrow_mut();
        if let Some(live) = live.as_mut().filter(|live| live.number == self.number) {
            live.add(frame, now);
            let alone = live.alone_ms.map(|since| now.saturating_sub(since));
            if alone
                .zip(self.patience_ms)
                .is_some_and(|(alone, patience)| alone >= patience)
            {
                live.cancel();
            }
        }
    }

    fn log(&mut self, line: &str) {
        let line = serde_json::json!({ "turn": self.turn.to_string(), "note": line });
        log::line(&line);
    }
}
