//! One visitor, several tabs: what one of them asks, all of them show.
//!
//! A tab that sends a message tells the others and hands them every piece of the answer, so that the edge serves one
//! stream. A tab that hears nothing any more follows the turn by itself, as after any lost stream.

use bulle_protocol::Id;

use crate::{
    Chat, Stage, Ticket,
    message::ChatMessage,
    turn::{Link, Turn},
};

impl Chat {
    /// Another tab has sent a message. Its turn becomes this tab's own, unless there is one.
    pub(crate) fn overheard(
        &mut self,
        conversation: Id,
        message: Id,
        text: String,
        stored: Option<&str>,
    ) {
        if self.conversation.is_none() && self.messages.is_empty() {
            // The first words of the visitor: this tab joins in.
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

    /// True while a stream is read under this ticket.
    pub fn reads(&self, ticket: Ticket) -> bool {
        let link = self.turn.as_ref().map(|turn| turn.link);
        matches!(link, Some(Link::Open { ticket: open, .. }) if open == ticket)
    }
}
