//! The events of a running turn that are not stored yet.
//!
//! When the machine fails in the middle of an answer, the text that the visitor has read must be kept. So an event is stored
//! before it is sent to the visitor. Each batch is a row that costs money and time, so of a quick succession of short events a
//! few are sent before they are stored. The last ones are stored with the end of the turn.

use bulle_protocol::event::ServerEvent;

use super::frames::Frame;

/// Most events in a batch. One fewer can be sent and not stored.
const MOST_FRAMES: usize = 8;

/// An event with so much new text, in bytes, contains several words, and is stored before it is sent.
const LONG_BYTES: usize = 40;

/// Bytes of a frame with a block, beside the block's text.
const BLOCK_BYTES: usize = 140;

/// An event that comes this many milliseconds or more after the one before it is stored before it is sent.
const SLOW_MS: u64 = 200;

/// The events that are not stored yet.
pub struct Batch {
    frames: Vec<Frame>,
    /// When the last event came, in Unix milliseconds.
    last_ms: u64,
    /// How many batches of the turn are stored.
    place: u32,
}

impl Batch {
    /// An empty batch of a turn with so many stored ones.
    pub fn new(place: u32, now_ms: u64) -> Self {
        Self {
            frames: Vec::new(),
            last_ms: now_ms,
            place,
        }
    }

    /// Adds an event that is about to be sent; gives the place and the events of a batch to store before that.
    pub fn add(
        &mut self,
        event: &ServerEvent,
        frame: Frame,
        now_ms: u64,
    ) -> Option<(u32, Vec<Frame>)> {
        let is_slow = now_ms.saturating_sub(self.last_ms) >= SLOW_MS;
        self.last_ms = now_ms;
        let is_long = match event {
            ServerEvent::Append(append) => append.text.len() >= LONG_BYTES,
            ServerEvent::Block(_) => frame.text.len() >= BLOCK_BYTES + LONG_BYTES,
            // No text of the answer.
            _ => false,
        };
        self.frames.push(frame);
        if !is_long && !is_slow && self.frames.len() < MOST_FRAMES {
            return None;
        }
        let place = self.place;
        self.place = place.saturating_add(1);
        Some((place, self.take()))
    }

    /// Adds the last event of the turn, which is not sent before [`take`](Self::take) has given it to be stored.
    pub fn add_last(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    /// The events that are not stored.
    pub fn take(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_protocol::{
        Id,
        block::Block,
        event::{AppendEvent, BlockEvent, EventId},
    };

    fn append(text: &str) -> ServerEvent {
        ServerEvent::Append(AppendEvent {
            index: 0,
            text: text.to_owned(),
        })
    }

    fn frame(seq: u32, event: &ServerEvent) -> Frame {
        let turn = Id::from_parts(0, 1);
        let frame = event.to_frame(EventId { turn, seq }).unwrap();
        let text = frame.encode().into();
        Frame { seq, text }
    }

    /// How many events are told and not stored, after each of these with the pause before it in milliseconds, and the places of
    /// the batches.
    fn behind(events: &[(u64, ServerEvent)]) -> (Vec<usize>, Vec<u32>) {
        let mut now = 1_000;
        let mut batch = Batch::new(0, now);
        let (mut behind, mut places) = (Vec::new(), Vec::new());
        for ((pause, event), seq) in events.iter().zip(1..) {
            now += pause;
            let due = batch.add(event, frame(seq, event), now);
            places.extend(due.map(|(place, _)| place));
            behind.push(batch.frames.len());
        }
        (behind, places)
    }

    #[test]
    fn what_is_told_is_stored_or_at_most_seven_short_events_behind() {
        let (many, places) = behind(&vec![(40, append("word ")); 17]);
        assert_eq!(many, [1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
        assert_eq!(places, [0, 1]);
        let long = append(&"word ".repeat(8));
        let (many, places) = behind(&vec![(0, long.clone()); 3]);
        assert_eq!((many, places), (vec![0; 3], vec![0, 1, 2]), "many words");
        let (many, _) = behind(&[(0, append("a")), (0, long), (0, append("a"))]);
        assert_eq!(many, [1, 0, 1]);
        assert_eq!(behind(&vec![(200, append("a")); 3]).0, [0; 3], "slowly");
        let block = |text: &str| {
            ServerEvent::Block(BlockEvent {
                index: 0,
                block: Block::paragraph(text),
            })
        };
        let (many, _) = behind(&[(0, block("word ")), (0, block(&"word ".repeat(16)))]);
        assert_eq!(many, [1, 0]);
    }

    #[test]
    fn the_end_is_stored_with_what_is_left() {
        let mut batch = Batch::new(3, 0);
        let event = append("word");
        assert!(batch.add(&event, frame(1, &event), 0).is_none());
        batch.add_last(frame(2, &event));
        let left = batch.take();
        assert_eq!(
            left.iter().map(|frame| frame.seq).collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(batch.take().is_empty());
    }
}
