//! The answer while it is being written: what the visitor sees of it, and what is held back.

use std::rc::Rc;

use bulle_edge_text::words::Word;
use bulle_protocol::{
    block::Block,
    event::{ServerEvent, Start},
};

use super::Sink;
use crate::{
    ports::Clock,
    reply::{Reply, suggestion_line::SuggestionLine},
};

/// An answer that may still be thrown away and begun again.
pub(super) struct Draft<'s> {
    sink: &'s mut dyn Sink,
    start: Start,
    reply: Reply,
    /// Events that are held back until the answer is checked; `None` when nothing is held back.
    held: Option<Vec<ServerEvent>>,
    /// How many passages the answer may cite.
    passages: usize,
    /// Markdown of which the visitor has seen nothing yet.
    unseen: String,
    /// Separates the line of suggestions from the answer's text. The words are those of the visitor's question, which
    /// is never a suggestion.
    suggestion_line: Option<(SuggestionLine, Rc<[Word]>)>,
    /// The questions that the model suggests to ask next.
    suggestions: Vec<String>,
    /// Whether the visitor has seen text of this answer.
    shown: bool,
    /// When the visitor first saw text of this turn, in Unix milliseconds.
    first_ms: Option<u64>,
}

impl<'s> Draft<'s> {
    /// An empty answer; emits the start of the turn.
    pub fn begin(sink: &'s mut dyn Sink, start: Start) -> Self {
        sink.emit(ServerEvent::Start(start.clone()));
        Self {
            sink,
            start,
            reply: Reply::new(0),
            held: None,
            passages: 0,
            unseen: String::new(),
            suggestion_line: None,
            suggestions: Vec::new(),
            shown: false,
            first_ms: None,
        }
    }

    /// Begins the answer again. It may cite passages `1..=passages`; text that was shown before is taken back from the
    /// page. A `held` answer is not shown before [`Draft::release`].
    pub fn reset(&mut self, passages: usize, held: bool) {
        if std::mem::take(&mut self.shown) {
            self.sink.emit(ServerEvent::Start(self.start.clone()));
        }
        self.reply = Reply::new(passages);
        self.held = held.then(Vec::new);
        self.passages = passages;
        self.unseen.clear();
        self.suggestion_line = None;
        self.suggestions.clear();
    }

    /// Removes the text after the first `bytes` bytes, because it is not part of the answer.
    pub fn rewind(&mut self, clock: &impl Clock, bytes: usize) {
        let kept = self.text().get(..bytes).unwrap_or_default().to_owned();
        let question = self.suggestion_line.take().map(|(_, question)| question);
        self.reset(self.passages, self.held.is_some());
        self.add(clock, &kept);
        if let Some(question) = question {
            self.expect_suggestions(&question);
        }
    }

    /// From here on the text may end with a line of suggestions, which the page shows as buttons and not as text.
    pub fn expect_suggestions(&mut self, question: &Rc<[Word]>) {
        self.suggestion_line = Some((SuggestionLine::new(), Rc::clone(question)));
    }

    /// Adds text.
    pub fn push(&mut self, clock: &impl Clock, text: &str) {
        match &mut self.suggestion_line {
            Some((suggestion_line, _)) => {
                let text = suggestion_line.push(text);
                self.add(clock, &text);
            }
            None => self.add(clock, text),
        }
    }

    fn add(&mut self, clock: &impl Clock, text: &str) {
        let events = self.reply.push(text);
        self.unseen.push_str(text);
        self.tell(clock, events);
    }

    /// Shows what was held back.
    pub fn release(&mut self, clock: &impl Clock) {
        if let Some(events) = self.held.take() {
            self.tell(clock, events);
        }
    }

    /// Ends the model's text, and takes the suggestions out of it.
    pub fn close(&mut self, clock: &impl Clock) {
        if let Some((suggestion_line, question)) = self.suggestion_line.take() {
            let (rest, suggestions) = suggestion_line.finish(&question);
            self.add(clock, &rest);
            self.suggestions = suggestions;
        }
    }

    /// Ends the answer's text. Text that is held back stays so.
    pub fn complete(&mut self, clock: &impl Clock) {
        self.close(clock);
        let events = self.reply.finish();
        self.tell(clock, events);
    }

    /// Ends the answer, and shows the text that was held back.
    pub fn finish(&mut self, clock: &impl Clock) {
        self.complete(clock);
        self.release(clock);
    }

    fn tell(&mut self, clock: &impl Clock, events: Vec<ServerEvent>) {
        if let Some(held) = &mut self.held {
            held.extend(events);
            return;
        }
        if !events.is_empty() {
            self.shown = true;
            self.first_ms.get_or_insert_with(|| clock.now_ms());
        }
        for event in events {
            self.sink.emit(event);
        }
        if self.shown && !self.unseen.is_empty() {
            self.sink.wrote(&self.unseen, self.passages);
            self.unseen.clear();
        }
    }

    /// See [`Sink::at`].
    pub fn at(&mut self, now_ms: Option<u64>) {
        self.sink.at(now_ms);
    }

    /// Writes a line to the log.
    pub fn log(&mut self, line: &str) {
        self.sink.log(line);
    }

    /// Emits an event that is not part of the answer.
    pub fn emit(&mut self, event: ServerEvent) {
        self.sink.emit(event);
    }

    /// The answer's Markdown so far.
    pub fn text(&self) -> &str {
        self.reply.text()
    }

    /// The blocks of the answer as the page has them, or will have them after the release of held text.
    pub fn blocks(&self) -> &[Block] {
        self.reply.blocks()
    }

    /// The passages that are cited, in the order of their numbers.
    pub fn cites(&self) -> &[u32] {
        self.reply.cites()
    }

    /// The questions that the model suggests to ask next.
    pub fn suggestions(&self) -> &[String] {
        &self.suggestions
    }

    /// Whether the answer is held back.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the visitor has seen text of this answer.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Whether the answer has reached the longest length that is accepted.
    pub fn is_full(&self) -> bool {
        self.reply.is_full()
    }

    /// When the visitor first saw text of this turn.
    pub fn first_ms(&self) -> Option<u64> {
        self.first_ms
    }
}
