//! The outbox: messages from the composer wait here until the edge has acknowledged them.

use bulle_protocol::{
    Id,
    conversation::SendMessage,
    problem::{Code, Problem},
};

use crate::{
    ApiCall, Chat, DraftError, Effect, Phase, Stage, Ticket,
    chat::turn::{Link, Turn},
    effect::HostEvent,
    failure::{Failure, NextCall, is_challenge},
    message::ChatMessage,
    wire,
};

/// Automatic retries in a row of a rate-limited message.
const MAX_LIMITED_TRIES: u32 = 3;

impl Chat {
    pub(crate) fn submit(&mut self, draft: &str) {
        let text = draft.trim();
        let max = self.max_chars();
        self.draft_error = if text.is_empty() {
            Some(DraftError::Empty)
        } else if text.chars().count() > max {
            Some(DraftError::TooLong(max))
        } else {
            None
        };
        self.changes.status = true;
        match self.draft_error {
            None => {}
            Some(DraftError::Empty) => return,
            Some(DraftError::TooLong(max)) => {
                return self.announce_filled(|strings| &strings.too_long, "max", &max.to_string());
            }
        }
        self.effects.push(Effect::DraftTaken);
        self.enqueue(text.to_owned());
    }

    pub(crate) fn pick(&mut self, question: &str) {
        let text = question.trim();
        if !text.is_empty() {
            // Suggestions come from the edge, which limits their length: a longer one is cut, not refused.
            self.enqueue(text.chars().take(self.max_chars()).collect());
        }
    }

    fn enqueue(&mut self, text: String) {
        let id = self.new_id();
        self.effects
            .push(Effect::Emit(HostEvent::Asked(text.clone())));
        self.messages.push(ChatMessage {
            attachments: std::mem::take(&mut self.files),
            ..ChatMessage::waiting(id, text, self.now)
        });
        self.changes.list = true;
        self.look_at_hours();
    }

    /// The draft has changed, so its error may no longer hold.
    pub(crate) fn edited(&mut self) {
        self.changes.status |= self.draft_error.take().is_some();
    }

    /// Sends the oldest waiting message, if the connection is free.
    pub(crate) fn flush(&mut self) {
        let free = self.phase == Phase::Ready
            && self.online
            && self.turn.is_none()
            // The visitor of another tab is being taken over.
            && self.restored.is_none()
            && self.limited_until.is_none_or(|until| until <= self.now)
            // The history may end with a turn that is still running; that one is resumed first.
            && !self.history.loading;
        if !free {
            return;
        }
        let waiting = |message: &&ChatMessage| message.stage == Stage::Waiting;
        let Some(id) = self.messages.iter().find(waiting).map(|m| m.id) else {
            return;
        };
        self.set_stage(id, Stage::Sending);
        self.begin(id, Turn::asking(id, false));
        self.announce_thinking();
    }

    /// Makes a turn the current one and connects it.
    pub(crate) fn begin(&mut self, message: Id, mut turn: Turn) {
        if !self.uses_storage {
            self.uses_storage = true;
            self.store();
        }
        self.clear_failures(message);
        turn.begun = self.now;
        self.turn = Some(turn);
        self.changes.status = true;
        self.connect();
    }

    /// Makes the turn's next call: creates the conversation, posts the message, or resumes the turn.
    pub(crate) fn connect(&mut self) {
        let Some(turn) = &self.turn else { return };
        let message = turn.message;
        if turn.next_call == NextCall::Attach && self.reply_to(message).is_none() {
            // The answer is not in the list, so the turn is replayed from its start.
            self.last = None;
        }
        let call = match (self.conversation, turn.next_call) {
            (None, _) => ApiCall::CreateConversation,
            (Some(conversation), NextCall::Attach) => ApiCall::Attach {
                conversation,
                after: self.last.filter(|last| last.turn == message),
            },
            (Some(conversation), NextCall::Post { retry }) => {
                let said = self.message(message);
                let files = said.into_iter().flat_map(|m| &m.attachments);
                let attachments = files.map(|file| file.id).collect();
                let text = said.map(|m| m.text.clone());
                ApiCall::Send {
                    conversation,
                    body: SendMessage {
                        id: message,
                        text: text.unwrap_or_default(),
                        retry,
                        attachments,
                    },
                }
            }
        };
        let ticket = self.request(call);
        let now = self.now;
        if let Some(turn) = &mut self.turn {
            turn.open(ticket, now);
            if turn.stopping && turn.next_call == NextCall::Attach {
                self.cancel();
            }
        }
        self.changes.status = true;
    }

    pub(crate) fn conversation_answered(
        &mut self,
        ticket: Ticket,
        problem: Option<Problem>,
        body: &str,
    ) {
        if let Some(problem) = problem {
            return self.stream_answered(ticket, Some(problem));
        }
        let Some(created) = wire::created(body) else {
            return self.link_broke(ticket);
        };
        self.conversation = Some(created.id);
        self.store();
        self.connect();
    }

    /// The visitor retries a failed exchange.
    pub(crate) fn retry(&mut self, message: Id) {
        let failure = self
            .messages
            .iter()
            .filter(|m| m.belongs_to(message))
            .find_map(|m| m.failure.clone());
        let Some(failure) = failure else { return };
        if failure.seconds_left(self.now) > 0 || self.message(message).is_none() {
            return;
        }
        // A failed turn may still have an open stream.
        if self.turn.as_ref().is_some_and(|turn| turn.failed) {
            self.drop_turn();
        }
        if self.phase != Phase::Ready || !self.online || self.turn.is_some() {
            // It cannot be sent now. A message that the edge does not have goes back to the outbox.
            if self.message(message).is_some_and(ChatMessage::is_local) {
                self.clear_failures(message);
                self.set_stage(message, Stage::Waiting);
            }
            return;
        }
        let turn = match failure.next_call {
            NextCall::Attach => Turn::following(message),
            NextCall::Post { retry } => Turn::asking(message, retry),
        };
        if self.message(message).is_some_and(ChatMessage::is_local) {
            self.set_stage(message, Stage::Sending);
        }
        self.begin(message, turn);
        self.announce_thinking();
    }

    /// Handles the refusal of a message: the message stays, with the failure and a retry button.
    pub(crate) fn refuse(&mut self, problem: &Problem) {
        self.log(problem);
        let mut failure = Failure::from_problem(problem, self.now);
        if is_challenge(failure.code) {
            // The action of a challenge is for opening the session, not a link for the visitor.
            failure.action = None;
        }
        let message = self.turn.as_ref().map(|turn| turn.message);
        let passes = failure.code == Code::RateLimited && failure.until.is_some();
        self.fail(failure);
        if let (true, Some(id)) = (passes, message) {
            self.limited_tries += 1;
            let local = self.message(id).is_some_and(ChatMessage::is_local);
            if local && self.limited_tries <= MAX_LIMITED_TRIES {
                // It is sent automatically when the limit ends, before later messages.
                self.set_stage(id, Stage::Waiting);
            }
        }
    }

    /// The visitor has stopped a message while the edge, which has not acknowledged it, is unreachable.
    pub(crate) fn take_back(&mut self) {
        if let Some(turn) = &self.turn {
            let next_call = turn.next_call;
            self.fail(Failure::taken_back(next_call));
        }
    }

    /// Resumes the turn of a message that the edge has.
    pub(crate) fn follow(&mut self, message: Id) {
        self.begin(message, Turn::following(message));
    }

    fn clear_failures(&mut self, message: Id) {
        for m in &mut self.messages {
            if m.belongs_to(message) && m.failure.take().is_some() {
                self.changes.message(m.id);
            }
        }
    }

    fn announce_thinking(&mut self) {
        let name = self.bot().map(|bot| bot.name.clone()).unwrap_or_default();
        self.announce_filled(|strings| &strings.typing, "name", &name);
    }

    /// Ends the current turn, leaving its messages as they are.
    pub(crate) fn drop_turn(&mut self) {
        if let Some(turn) = self.turn.take() {
            if let Link::Open { ticket, .. } = turn.link {
                self.abort(ticket);
            }
            self.changes.status = true;
        }
    }
}
