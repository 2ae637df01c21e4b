//! A turn: one exchange of the visitor's message and the answer as it arrives.

use bulle_protocol::{
    Id,
    block::blocks_to_text,
    event::{AppendEvent, BlockEvent, Done, EventId, ServerEvent, Start, TurnError, apply},
    problem::{Code, Problem},
    sse::{Decoder, Frame},
};

use crate::{
    ApiCall, Chat, Effect, Stage, Ticket,
    effect::HostEvent,
    failure::{Failure, NextCall},
    format::fill,
    message::{Caveat, ChatMessage},
    wire,
};

/// A stream without a byte for this long counts as lost; the edge sends a comment every 15 seconds.
pub(crate) const SILENCE_MS: u64 = 40_000;

/// Stopping is ignored for this long: the second click of a double click on "send" hits the stop button.
const DOUBLE_CLICK_MS: u64 = 500;

/// Reloads of the conversation within one turn, when another tab has changed it meanwhile.
const MAX_RESYNCS: u32 = 3;

/// The current turn; there is at most one.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The id of the visitor's message, which is also that of the turn.
    pub message: Id,
    /// Posting until the edge has acknowledged the message, resuming from then on.
    pub next_call: NextCall,
    pub link: Link,
    /// When it began.
    pub begun: u64,
    /// Attempts to connect since the last event.
    pub tries: u32,
    /// The visitor has stopped it.
    pub stopping: bool,
    /// Blocks of the answer that have been announced to screen readers.
    pub announced: usize,
    /// An `error` event has come; in a replayed stream, another attempt may still follow.
    pub failed: bool,
    decoder: Decoder,
}

/// The turn's connection to the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// A call is pending or its stream is open.
    Open { ticket: Ticket, silent_at: u64 },
    /// The connection is lost; the next attempt is at this time, or when the network is back.
    Broken { until: Option<u64> },
}

/// Why reading a stream has ended.
enum Unreadable {
    /// An event is malformed: the stream counts as lost.
    Malformed,
    /// The stream is of another message: the conversation has continued elsewhere.
    Elsewhere,
}

impl Turn {
    /// A turn that begins by posting its message.
    pub fn asking(message: Id, retry: bool) -> Self {
        Self {
            message,
            next_call: NextCall::Post { retry },
            link: Link::Broken { until: None },
            begun: 0,
            tries: 0,
            stopping: false,
            announced: 0,
            failed: false,
            decoder: Decoder::default(),
        }
    }

    /// A turn that the edge already has.
    pub fn following(message: Id) -> Self {
        Self {
            next_call: NextCall::Attach,
            ..Self::asking(message, false)
        }
    }

    pub fn open(&mut self, ticket: Ticket, now: u64) {
        self.decoder = Decoder::default();
        self.link = Link::Open {
            ticket,
            silent_at: now + SILENCE_MS,
        };
    }

    /// Restarts the timer of silence.
    pub fn heard(&mut self, now: u64) {
        if let Link::Open { silent_at, .. } = &mut self.link {
            *silent_at = now + SILENCE_MS;
        }
    }

    /// True from the loss of the connection until the next event.
    pub fn is_broken(&self) -> bool {
        self.tries > 0
    }

    /// The turn's next deadline.
    pub fn due(&self) -> Option<u64> {
        match self.link {
            Link::Open { silent_at, .. } => Some(silent_at),
            Link::Broken { until } => until,
        }
    }

    pub fn holds(&self, ticket: Ticket) -> bool {
        matches!(self.link, Link::Open { ticket: open, .. } if open == ticket)
    }
}

impl Chat {
    /// Handles a chunk of the answer's stream.
    pub(crate) fn streamed(&mut self, ticket: Ticket, bytes: &[u8]) {
        let now = self.now;
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.holds(ticket)) else {
            return;
        };
        turn.heard(now);
        let Ok(frames) = turn.decoder.push(bytes) else {
            return self.stream_unreadable(ticket);
        };
        for frame in frames {
            match self.read(&frame) {
                Ok(()) => {}
                Err(Unreadable::Elsewhere) if self.may_resync() => return self.resync(),
                Err(_) => return self.stream_unreadable(ticket),
            }
            if !self.turn.as_ref().is_some_and(|turn| turn.holds(ticket)) {
                return;
            }
        }
    }

    fn stream_unreadable(&mut self, ticket: Ticket) {
        self.abort(ticket);
        self.link_broke(ticket);
    }

    fn read(&mut self, frame: &Frame) -> Result<(), Unreadable> {
        let Some(turn) = &self.turn else {
            return Ok(());
        };
        let id: Option<EventId> = frame.id.as_ref().and_then(|id| id.parse().ok());
        let seen = |last: &EventId| id.is_some_and(|id| id.turn == last.turn && id.seq <= last.seq);
        if id.is_some_and(|id| id.turn == turn.message) && self.last.as_ref().is_some_and(seen) {
            return Ok(());
        }
        let event = wire::event(frame).map_err(|_| Unreadable::Malformed)?;
        if let Some(event) = event {
            self.apply(event)?;
        }
        if id.is_some() {
            self.last = id;
            if let Some(turn) = &mut self.turn {
                self.changes.status |= turn.tries > 0;
                turn.tries = 0;
            }
        }
        Ok(())
    }

    fn apply(&mut self, event: ServerEvent) -> Result<(), Unreadable> {
        match event {
            ServerEvent::Start(start) => return self.turn_started(&start),
            ServerEvent::Done(done) => self.turn_done(&done),
            ServerEvent::Error(error) => self.turn_failed(error),
            ServerEvent::Block(BlockEvent { index, .. })
            | ServerEvent::Append(AppendEvent { index, .. }) => {
                let mark = self.last_mark + 1;
                let reply = self.reply().ok_or(Unreadable::Malformed)?;
                let first = reply.blocks.is_empty();
                let begins = index == reply.blocks.len();
                apply(&mut reply.blocks, event).map_err(|_| Unreadable::Malformed)?;
                reply.marks.resize(reply.blocks.len(), mark);
                if let Some(changed) = reply.marks.get_mut(index) {
                    *changed = mark;
                }
                self.last_mark = mark;
                // With the first block, the activity changes from thinking to writing.
                self.changes.status |= first;
                if begins {
                    self.say_blocks(index);
                }
            }
            ServerEvent::Sources(sources) => {
                let mark = self.last_mark + 1;
                let reply = self.reply().ok_or(Unreadable::Malformed)?;
                reply.sources = sources.items;
                // Citations show the titles of the sources, so all blocks must be redrawn.
                reply.marks.fill(mark);
                self.last_mark = mark;
            }
            ServerEvent::Suggestions(suggestions) => {
                self.reply().ok_or(Unreadable::Malformed)?.suggestions = suggestions.items;
            }
        }
        Ok(())
    }

    /// Announces the blocks before this one to screen readers. They are complete, so the answer is read neither letter by
    /// letter nor only at its end.
    fn say_blocks(&mut self, before: usize) {
        let Some(from) = self.turn.as_ref().map(|turn| turn.announced) else {
            return;
        };
        let reply = self.reply().map(|reply| {
            let whole = reply.blocks.get(from..before).unwrap_or_default();
            blocks_to_text(whole)
        });
        let Some(said) = reply.filter(|said| !said.is_empty()) else {
            return;
        };
        if let Some(turn) = &mut self.turn {
            turn.announced = before;
        }
        self.effects.push(Effect::Announce(said));
    }

    /// The answer of the current turn.
    fn reply(&mut self) -> Option<&mut ChatMessage> {
        let message = self.turn.as_ref()?.message;
        let id = self.reply_to(message)?.id;
        self.message_mut(id)
    }

    /// Handles `start`: the edge has accepted the message, and the answer of an earlier attempt is discarded.
    fn turn_started(&mut self, start: &Start) -> Result<(), Unreadable> {
        let Some(turn) = &mut self.turn else {
            return Ok(());
        };
        if start.message_id != turn.message {
            return Err(Unreadable::Elsewhere);
        }
        // Ids are the keys of the list: a reply with the id of another message would make a key ambiguous.
        let taken = |m: &ChatMessage| m.id == start.reply_id && m.is_visitors();
        if self.messages.iter().any(taken) {
            return Err(Unreadable::Malformed);
        }
        turn.next_call = NextCall::Attach;
        turn.failed = false;
        turn.announced = 0;
        let stopping = turn.stopping;
        self.limited_until = None;
        self.limited_tries = 0;
        let old = |m: &ChatMessage| m.reply_to == Some(start.message_id) || m.id == start.reply_id;
        self.messages.retain(|m| !old(m));
        let at = self
            .messages
            .iter()
            .position(|m| m.id == start.message_id)
            .map_or(self.messages.len(), |at| at + 1);
        let reply = ChatMessage::reply(start.reply_id, start.message_id, self.now);
        self.messages.insert(at, reply);
        if let Some(message) = self.message_mut(start.message_id) {
            message.stage = Stage::Delivered;
            message.failure = None;
        }
        self.changes.message(start.reply_id);
        self.changes.list = true;
        self.changes.status = true;
        if stopping {
            self.cancel();
        }
        Ok(())
    }

    fn turn_done(&mut self, done: &Done) {
        let from = self.turn.as_ref().map_or(0, |turn| turn.announced);
        let mut said = String::new();
        let mut answered = None;
        if let Some(reply) = self.reply() {
            reply.stage = Stage::Complete;
            reply.caveats = Caveat::of(Some(done.finish)).into_iter().collect();
            if !done.kept {
                reply.caveats.push(Caveat::NotKept);
            }
            said = blocks_to_text(reply.blocks.get(from..).unwrap_or_default());
            answered = Some(HostEvent::Answered {
                message: reply.id,
                text: reply.plain(),
                unanswered: done.unanswered,
            });
            let caveats = reply.caveats.clone();
            if let Some(bot) = self.bot() {
                for notice in caveats {
                    said.push('\n');
                    said.push_str(notice.text(&bot.strings));
                }
            }
        }
        self.left = done.remaining.day;
        if let (Some(left), Some(bot)) = (self.few_left(), self.bot()) {
            said.push('\n');
            said.push_str(&fill(&bot.strings.left_today, "n", &left.to_string()));
        }
        if !said.is_empty() {
            self.effects.push(Effect::Announce(said));
        }
        self.effects.extend(answered.map(Effect::Emit));
        self.resyncs = 0;
        self.drop_turn();
    }

    fn turn_failed(&mut self, error: TurnError) {
        let kept = error.kept;
        let failure = Failure::from_turn_error(error, self.now);
        if let (false, Some(reply)) = (kept, self.reply()) {
            reply.caveats.push(Caveat::NotKept);
        }
        self.show(failure);
        if let Some(turn) = &mut self.turn {
            turn.failed = true;
        }
    }

    /// Handles an answer to a call of the turn that is not a stream.
    pub(crate) fn stream_answered(&mut self, ticket: Ticket, problem: Option<Problem>) {
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.holds(ticket)) else {
            return;
        };
        let asked = matches!(turn.next_call, NextCall::Post { .. });
        match problem {
            None => self.link_broke(ticket),
            Some(problem) => match problem.code {
                Code::TurnInProgress if self.may_resync() => self.resync(),
                // The conversation was erased, or the visitor is a new one: the message goes into a new conversation.
                Code::NotFound if asked && self.may_resync() && self.conversation.is_some() => {
                    self.resyncs += 1;
                    self.conversation = None;
                    self.connect();
                }
                // The edge has no turn to resume: a retry must post the message.
                Code::NoTurn => {
                    let next_call = NextCall::Post { retry: true };
                    self.fail(Failure::new(Code::Internal, next_call));
                }
                _ => self.refuse(&problem),
            },
        }
    }

    fn may_resync(&self) -> bool {
        self.resyncs < MAX_RESYNCS
    }

    /// Reloads the conversation, because it has continued elsewhere; an unsent message goes back to the outbox.
    fn resync(&mut self) {
        let Some(message) = self.turn.as_ref().map(|turn| turn.message) else {
            return;
        };
        self.resyncs += 1;
        self.drop_turn();
        if self.message(message).is_some_and(ChatMessage::is_local) {
            self.set_stage(message, Stage::Waiting);
        }
        self.load_history();
    }

    /// Stops the answer; the edge then ends the turn.
    pub(crate) fn stop(&mut self) {
        let now = self.now;
        let stoppable = |turn: &&mut Turn| !turn.failed && now >= turn.begun + DOUBLE_CLICK_MS;
        let Some(turn) = self.turn.as_mut().filter(stoppable) else {
            return;
        };
        turn.stopping = true;
        if turn.next_call == NextCall::Attach {
            self.cancel();
        } else if let Link::Broken { .. } = turn.link {
            self.take_back();
        }
    }

    pub(crate) fn cancel(&mut self) {
        if let Some(conversation) = self.conversation {
            self.request(ApiCall::Cancel { conversation });
        }
    }

    /// Ends the turn with a failure.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.show(failure);
        self.drop_turn();
    }

    /// Shows a failure at the message where the exchange broke off, and announces it.
    fn show(&mut self, failure: Failure) {
        let Some(message) = self.turn.as_ref().map(|turn| turn.message) else {
            return;
        };
        if failure.code == Code::RateLimited {
            self.limited_until = failure.until;
        }
        let now = self.now;
        self.effects
            .push(Effect::Emit(HostEvent::Failed(failure.code)));
        match self.bot().map(|bot| failure.text(Some(&bot.strings), now)) {
            Some(said) if !said.is_empty() => self.effects.push(Effect::Announce(said)),
            _ => self.announce(|strings| &strings.not_sent),
        }
        let reply = self.reply_to(message).map(|reply| reply.id);
        if let Some(shown) = self.message_mut(reply.unwrap_or(message)) {
            shown.failed_with(failure);
            if reply.is_some() {
                shown.stage = Stage::Complete;
            }
        }
        self.changes.status = true;
    }
}
