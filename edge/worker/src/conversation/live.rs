//! A running turn in memory: its frames so far and the browsers that listen.

use bulle_edge_core::{guard::Question, ports::Clock, turn::Sink};
use bulle_protocol::{
    Id,
    event::{EventId, ServerEvent},
    problem::{Limit, Problem},
};
use futures_channel::{mpsc, oneshot};
use futures_util::{StreamExt, stream, stream::LocalBoxStream};
use std::{cell::RefCell, rc::Rc};

use super::{batch::Batch, frames::Frame, store::ConversationStore};
use crate::{adapters::Edge, log};

/// Most browsers that listen to one turn; a further one replaces the first.
const MAX_LISTENERS: usize = 16;

/// What becomes of a message: it is accepted, with the state of its limits, or refused.
pub type Verdict = Result<Vec<Limit>, Problem>;

/// A running turn.
pub struct Live {
    /// Number of the turn.
    pub number: u32,
    /// Id of the message.
    pub message: Id,
    /// Text of the message.
    pub text: String,
    /// Those who wait for the verdict; `None` once the message is accepted. Until then nothing of the turn is stored.
    waiting: Option<Vec<oneshot::Sender<Verdict>>>,
    frames: Vec<Frame>,
    listeners: Vec<mpsc::UnboundedSender<Rc<str>>>,
    stop: Option<oneshot::Sender<()>>,
    /// Since when the turn has no listener, in Unix milliseconds.
    alone_ms: Option<u64>,
}

impl Live {
    /// A turn of a message that is not accepted yet, with the frames of its earlier attempts.
    pub fn new(
        number: u32,
        question: &Question,
        frames: Vec<Frame>,
        stop: oneshot::Sender<()>,
    ) -> Self {
        Self {
            number,
            message: question.id(),
            text: question.text().to_owned(),
            waiting: Some(Vec::new()),
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

    /// Whether the message is accepted.
    pub fn is_accepted(&self) -> bool {
        self.waiting.is_none()
    }

    /// The verdict on the message.
    pub fn verdict(&mut self) -> oneshot::Receiver<Verdict> {
        let (tell, verdict) = oneshot::channel();
        match &mut self.waiting {
            Some(waiting) => waiting.push(tell),
            // The receiver is still there.
            None => drop(tell.send(Ok(Vec::new()))),
        }
        verdict
    }

    /// Tells the verdict to those who wait for it.
    pub fn decide(&mut self, verdict: &Verdict) {
        for tell in self.waiting.take().into_iter().flatten() {
            // A client that has left waits no more.
            let _ = tell.send(verdict.clone());
        }
    }

    /// Asks the turn to stop.
    pub fn cancel(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the turn has just ended.
            let _ = stop.send(());
        }
    }

    /// Sends a frame to the listeners, and drops those that have left.
    fn add(&mut self, frame: Frame, clock: &impl Clock) {
        let tell = |listener: &mpsc::UnboundedSender<_>| {
            listener.unbounded_send(Rc::clone(&frame.text)).is_ok()
        };
        self.listeners.retain(tell);
        if self.listeners.is_empty() {
            self.alone_ms.get_or_insert_with(|| clock.now_ms());
        }
        self.frames.push(frame);
    }

    /// Milliseconds for which the turn has had no listener.
    fn alone_for(&self, clock: &impl Clock) -> Option<u64> {
        let since = self.alone_ms?;
        Some(clock.now_ms().saturating_sub(since))
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
    /// The last event, which is sent once it is stored.
    last: Option<Frame>,
    /// See [`Sink::at`].
    now_ms: Option<u64>,
    /// Milliseconds that the turn goes on without a listener; without end when absent.
    patience_ms: Option<u64>,
}

impl<'a> TurnSink<'a> {
    /// A sink for the turn of a message, whose events so far are numbered up to `seq`; there are some if that is not 0.
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
            unsaved: Batch::new(u32::from(seq > 0), edge.now_ms()),
            last: None,
            now_ms: None,
        }
    }

    /// The events that are not stored yet, to be stored with the end of the turn.
    pub fn unsaved(&mut self) -> Vec<Frame> {
        self.unsaved.take()
    }

    /// Sends the last event, which is stored now.
    pub fn tell_last(&mut self) {
        if let Some(last) = self.last.take() {
            self.tell(last);
        }
    }

    fn tell(&self, frame: Frame) {
        let mut live = self.live.borrow_mut();
        let Some(live) = live.as_mut().filter(|live| live.number == self.number) else {
            return;
        };
        live.add(frame, self.edge);
        let alone = live.alone_for(self.edge).zip(self.patience_ms);
        if alone.is_some_and(|(alone, patience)| alone >= patience) {
            live.cancel();
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
        if event.is_last() {
            self.unsaved.add_last(frame.clone());
            self.last = Some(frame);
            return;
        }
        let now_ms = self.now_ms.unwrap_or_else(|| self.edge.now_ms());
        if let Some((place, due)) = self.unsaved.add(&event, frame.clone(), now_ms)
            && let Err(error) = self.store.add_batch(self.number, place, &due)
        {
            log::error("frames", &error);
        }
        self.tell(frame);
    }

    fn at(&mut self, now_ms: Option<u64>) {
        self.now_ms = now_ms;
    }

    fn log(&mut self, line: &str) {
        let line = serde_json::json!({ "turn": self.turn.to_string(), "note": line });
        log::line(&line);
    }
}
