//! What a conversation does about failures: a turn that died with its isolate, a record that the archive refused.

use bulle_edge_core::{
    ports::{Archive, Clock, Entropy, Kept},
    record::{self, Record, StoredMessage},
    strings,
};
use bulle_protocol::{
    Id,
    conversation::{Message, Role},
    event::{self, EventId, ServerEvent, TurnError, Usage},
    problem::{Code, Problem},
};
use std::rc::Rc;
use worker::Response;

use super::{
    super::{frames::Frame, stream},
    Inner, internal,
};
use crate::log;

/// Milliseconds before a record that the archive refused is offered again for the first time.
const OFFER_AGAIN_MS: u64 = 5_000;

impl Inner {
    /// Ends a turn that is stored as running but runs no longer, because its isolate died: with the error `interrupted`.
    pub(super) fn end_dead_turn(self: &Rc<Self>) -> Result<(), Problem> {
        let store = |e| internal(&e);
        if self.live.borrow().is_some() {
            return Ok(());
        }
        let Some(turn) = self.store.running_turn().map_err(store)? else {
            return Ok(());
        };
        let frames = self.store.frames(turn.number).map_err(store)?;
        let mut blocks = Vec::new();
        for frame in stream::decode(&frames) {
            // The text of the answer ends before the first frame that cannot be applied.
            if event::apply(&mut blocks, frame).is_err() {
                break;
            }
        }
        let now = self.edge.now_ms();
        let mut record = turn.record;
        record.reply(
            record::Reply {
                id: Id::from_parts(now, self.edge.random()),
                blocks,
                sources: Vec::new(),
                finish: None,
                error: Some(Code::Interrupted),
                provider: String::new(),
                model: String::new(),
                usage: Usage::default(),
                evidence: record::Evidence::default(),
            },
            now,
        );
        let last = ServerEvent::Error(TurnError {
            code: Code::Interrupted,
            message: strings::failure(None, &turn.locale, Code::Interrupted),
            retry_after: None,
            action: None,
            kept: true,
        });
        let id = EventId {
            turn: turn.message_id,
            seq: after_gap(&frames),
        };
        let frame = Frame {
            seq: id.seq,
            text: last
                .to_frame(id)
                .map(|frame| frame.encode())
                .unwrap_or_default()
                .into(),
        };
        let stored = self.store.end(turn.number, &record, true, &[frame]);
        stored.map_err(store)?;
        let inner = Rc::clone(self);
        self.state
            .wait_until(async move { inner.offer_records(OFFER_AGAIN_MS).await });
        Ok(())
    }

    /// The messages of the turns that the archive may lack, oldest first.
    pub(super) fn unrecorded(self: &Rc<Self>) -> Result<Response, Problem> {
        self.end_dead_turn()?;
        let records = self.store.unarchived().map_err(|e| internal(&e))?;
        let messages: Vec<Message> = records.into_iter().flat_map(shown).collect();
        Response::from_json(&messages).map_err(|e| internal(&e))
    }

    /// Offers the archive what it has not taken yet; what it refuses is offered again after `again_ms`. When the archive keeps
    /// only the costs, because the visitor was erased, everything is deleted here too.
    pub(super) async fn offer_records(&self, again_ms: u64) {
        let mut refused = false;
        for (id, record) in self.store.spent().unwrap_or_default() {
            let taken = match &record.reply {
                Some(reply) => {
                    let (prefix, question) = (reply.id.to_string(), Some(record.question.id));
                    let (owner, conversation) = (&record.owner, record.conversation_id);
                    let calls = &record.calls;
                    let offered =
                        (self.edge).record_calls(owner, conversation, question, &prefix, calls);
                    offered.await.is_ok()
                }
                None => true,
            };
            refused |= !taken;
            if let Err(error) = self.store.offered_spent(id, taken) {
                internal(&error);
            }
        }
        let mut orphaned = false;
        for (number, record) in self.store.unrecorded().unwrap_or_default() {
            let taken = self.edge.record(&record).await;
            orphaned |= taken == Ok(Kept::Costs);
            if let Err(error) = &taken {
                refused = true;
                log::error("archive", error);
            }
            if let Err(error) = self.store.offered(number, taken == Ok(Kept::Everything)) {
                internal(&error);
            }
        }
        let is_running = self.live.borrow().is_some();
        if orphaned && !refused && !is_running {
            self.erased.set(true);
            match self.forget().await {
                Ok(()) => return,
                Err(error) => drop(internal(&error)),
            }
        }
        if orphaned || refused || is_running {
            self.wake_in(again_ms).await;
        }
    }

    /// Sets the alarm soon when the archive has not taken everything. Otherwise the alarm of the turn stays: setting and
    /// deleting one for each turn costs more than a look at a conversation in which nothing is to be done.
    pub(super) async fn see_to_records(&self) {
        if !self.erased.get() && self.store.has_unrecorded().unwrap_or(true) {
            self.wake_in(OFFER_AGAIN_MS).await;
        }
    }
}

/// The messages of a record, without the files of the visitor's.
fn shown(record: Record) -> impl Iterator<Item = Message> {
    let question = record.question.id;
    let message = move |message: StoredMessage| Message {
        reply_to: (message.role == Role::Assistant).then_some(question),
        id: message.id,
        role: message.role,
        blocks: message.blocks,
        text: message.text,
        created_at: message.created_at,
        status: message.status,
        sources: message.sources,
        finish: message.finish,
        feedback: None,
        attachments: Vec::new(),
    };
    [Some(record.question), record.reply]
        .into_iter()
        .flatten()
        .map(message)
}

/// A number past the last frame's, with room for events that were sent but lost before they were stored: a browser that has
/// seen them takes the next event as new.
pub(super) fn after_gap(frames: &[Frame]) -> u32 {
    const GAP: u32 = 1_000;
    frames
        .last()
        .map_or(0, |frame| frame.seq)
        .saturating_add(GAP)
}
