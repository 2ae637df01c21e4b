//! The events of a running turn that are not stored yet.
//!
//! When the machine fails in the middle of an answer, the text that the visitor has read must be kept. So an event is stored
//! before it is sent to the visitor. Each batch is a write that costs money and time, so of a quick succession of short
//! events a few are sent before they are stored.

use super::store::Frame;

/// Most events in a batch. One fewer can be sent and not stored.
const MOST_FRAMES: usize = 4;

/// An event of this many bytes or more contains several words, and is stored before it is sent.
const LONG_BYTES: usize = 130;

/// An event that comes this many milliseconds or more after the last batch is stored before it is sent.
const SLOW_MS: u64 = 200;

/// The events that are not stored yet.
pub struct Batch {
    frames: Vec<Frame>,
    stored_ms: u64,
}

impl Batch {
    /// An empty batch.
    pub fn new(now_ms: u64) -> Self {
        Self {
            frames: Vec::new(),
            stored_ms: now_ms,
        }
    }

    /// Adds an event that is about to be sent; gives the events to store before that. `last`: the last event of the turn,
    /// which is always stored first.
    pub fn add(&mut self, frame: Frame, last: bool, now_ms: u64) -> Vec<Frame> {
        let is_long = frame.text.len() >= LONG_BYTES;
        let is_slow = now_ms.saturating_sub(self.stored_ms) >= SLOW_MS;
        self.frames.push(frame);
        if last || is_long || is_slow || self.frames.len() >= MOST_FRAMES {
            return self.take(now_ms);
        }
        Vec::new()
    }

    /// All events, to be stored now.
    pub fn take(&mut self, now_ms: u64) -> Vec<Frame> {
        self.stored_ms = now_ms;
        std::mem::take(&mut self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many events are told and not stored, after each of these: pauses in milliseconds and bytes.
    fn behind(events: &[(u64, usize)]) -> Vec<usize> {
        let mut now = 1_000;
        let mut batch = Batch::new(now);
        let mut behind = Vec::new();
        for ((pause, bytes), seq) in events.iter().zip(1..) {
            now += pause;
            let text = "x".repeat(*bytes).into();
            batch.add(Frame { seq, text }, false, now);
            behind.push(batch.frames.len());
        }
        behind
    }

    #[test]
    fn what_is_told_is_stored_or_at_most_three_short_events_behind() {
        assert_eq!(behind(&[(10, 90); 9]), [1, 2, 3, 0, 1, 2, 3, 0, 1]);
        assert_eq!(behind(&[(200, 90); 4]), [0; 4], "slowly");
        assert_eq!(behind(&[(0, 300); 4]), [0; 4], "many words at once");
        assert_eq!(behind(&[(0, 90), (500, 90), (0, 90)]), [1, 0, 1]);
    }

    #[test]
    fn the_end_is_stored_before_it_is_told() {
        let mut batch = Batch::new(0);
        let frame = |seq| Frame {
            seq,
            text: "x".into(),
        };
        assert!(batch.add(frame(1), false, 0).is_empty());
        let stored = batch.add(frame(2), true, 0);
        assert_eq!(
            stored.iter().map(|frame| frame.seq).collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(batch.take(0).is_empty());
    }
}
