//! Several tabs of one visitor: all show the exchange that one of them has started.
//!
//! The tab that sends a message announces it to the others and shares every chunk of the answer, so that the edge
//! serves one stream. A tab that gets no more chunks resumes the turn itself, as after any lost stream.

use bulle_protocol::Id;

use crate::{
    Chat, Stage, Ticket,
    chat::turn::{Link, Turn},
    message::ChatMessage,
};

impl Chat {
    /// Another tab has sent a message. Its turn becomes this tab's current one, unless a turn is running here.
    pub(crate) fn overheard(
        &mut self,
        conversation: Id,
        message: Id,
        text: String,
        stored: Option<&str>,
    ) {
        if self.conversation.is_none() && self.messages.is_empty() {
            // The visitor's first message: this tab takes the new visitor over.
            if let Some(stored) = stored {
                self.found(stored);
            }
            return;
        }
        if self.conversation != Some(conversation) || self.turn.is_some() || self.history.loading {
            return;
        }
        if self.message(message).is_none() {
            self.messages.push(ChatMessage {
                stage: Stage::Delivered,
                ..ChatMessage::waiting(message, text, self.now)
            });
            self.changes.list = true;
        }
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        let mut turn = Turn::following(message);
        turn.begun = self.now;
        turn.open(ticket, self.now);
        self.turn = Some(turn);
        self.changes.status = true;
    }

    /// True while a stream with this ticket is open.
    pub fn reads(&self, ticket: Ticket) -> bool {
        let link = self.turn.as_ref().map(|turn| turn.link);
        matches!(link, Some(Link::Open { ticket: open, .. }) if open == ticket)
    }
}
