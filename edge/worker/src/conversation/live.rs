//! A running turn in memory: its frames so far and the browsers that listen.

use bulle_edge_core::{guard::Question, ports::Clock, turn::Sink};
use bulle_protocol::{
    Id,
    event::{EventId, ServerEvent},
};
use futures_channel::{mpsc, oneshot};
use futures_util::{StreamExt, stream, stream::LocalBoxStream};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use worker::{console_error, console_log};

use super::Inner;

/// Longest time that a frame stays in memory only.
const FLUSH_MS: u64 = 500;

/// Most browsers that listen to one turn; a further one takes the place of the first.
const MAX_LISTENERS: usize = 16;

/// An event as it goes over the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Number of the event in its turn. Numbers rise, with gaps where something was lost.
    pub seq: u32,
    /// The bytes of the stream.
    pub text: Rc<str>,
}

/// A running turn.
pub struct Live {
    /// Number of the turn.
    pub number: u32,
    frames: Vec<Frame>,
    listeners: Vec<mpsc::UnboundedSender<Rc<str>>>,
    stop: Option<oneshot::Sender<()>>,
    /// Since when nobody listens, in Unix milliseconds.
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
        let past = self.frames.iter().filter(|frame| frame.seq > seq);
        let past: Vec<Rc<str>> = past.map(|frame| Rc::clone(&frame.text)).collect();
        stream::iter(past).chain(receiver).boxed_local()
    }

    /// Asks the turn to stop.
    pub fn cancel(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The turn may have ended in this very moment: then there is nothing to stop.
            let _ = stop.send(());
        }
    }

    /// Tells a frame to those who still listen.
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

/// Takes the events of the running turn: to the listeners at once, to storage in batches.
pub struct TurnSink<'a> {
    inner: &'a Rc<Inner>,
    turn: Id,
    number: u32,
    seq: u32,
    unsaved: Vec<Frame>,
    saved_at: u64,
    /// How long the turn goes on without a listener, in milliseconds; for ever when absent.
    patience_ms: Option<u64>,
}

impl<'a> TurnSink<'a> {
    /// A sink for the turn of a message, whose events so far are numbered up to `seq`.
    pub fn new(inner: &'a Rc<Inner>, question: &Question, number: u32, seq: u32) -> Self {
        let patience = question.site().bot.model.abandoned_after_seconds;
        Self {
            inner,
            turn: question.id(),
            patience_ms: patience.map(|seconds| u64::from(seconds) * 1_000),
            number,
            seq,
            unsaved: Vec::new(),
            saved_at: inner.edge.now_ms(),
        }
    }

    /// Stores what is not stored yet.
    pub fn flush(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        let stored = self.inner.store.add_frames(self.number, &self.unsaved);
        if let Err(error) = stored {
            console_error!("{}", serde_json::json!({ "frames": error.to_string() }));
        }
        self.unsaved.clear();
        self.saved_at = self.inner.edge.now_ms();
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
                console_error!("{}", serde_json::json!({ "frame": error.to_string() }));
                return;
            }
        };
        self.unsaved.push(frame.clone());
        // The ending is stored before it is told: who has seen it will find it again.
        if event.is_last() || self.inner.edge.now_ms().saturating_sub(self.saved_at) >= FLUSH_MS {
            self.flush();
        }
        let mut live = self.inner.live.borrow_mut();
        if let Some(live) = live.as_mut().filter(|live| live.number == self.number) {
            let now = self.inner.edge.now_ms();
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
        console_log!("{line}");
    }
}
