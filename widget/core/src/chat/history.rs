//! The stored messages: loading them page by page, and merging them with what this browser knows.

use bulle_protocol::{
    Id,
    conversation::{self, Role, Status},
    problem::{Code, Problem},
};

use crate::{
    Chat, Effect,
    chat::calls::PendingCall,
    effect::{ApiCall, HostEvent},
    failure::{Failure, NextCall},
    message::ChatMessage,
    wire,
};

/// How much of the stored messages is loaded.
#[derive(Debug, Default)]
pub(crate) struct HistoryState {
    pub loading: bool,
    pub failed: bool,
    /// The cursor of the page before the oldest loaded message.
    pub next: Option<String>,
}

impl Chat {
    /// Loads the newest page.
    pub(crate) fn load_history(&mut self) {
        self.read_history(None);
    }

    pub(crate) fn load_earlier(&mut self) {
        if let Some(before) = self.history.next.clone() {
            self.read_history(Some(before));
        }
    }

    pub(crate) fn load_all(&mut self) {
        self.loading_all = true;
        if self.history.failed {
            self.read_history(self.history.next.clone());
        }
    }

    /// Loads page after page while the page has asked for all messages.
    pub(crate) fn load_rest(&mut self) {
        let HistoryState {
            loading, failed, ..
        } = self.history;
        if !self.loading_all || loading {
            return;
        }
        if self.history.next.is_some() && !failed {
            return self.load_earlier();
        }
        self.loading_all = false;
        self.effects
            .push(Effect::Emit(HostEvent::AllLoaded(!failed)));
    }

    fn read_history(&mut self, before: Option<String>) {
        let (Some(conversation), false) = (self.conversation, self.history.loading) else {
            return;
        };
        self.history.loading = true;
        self.history.failed = false;
        self.changes.list = true;
        self.request(ApiCall::History {
            conversation,
            before,
        });
    }

    pub(crate) fn history_answered(&mut self, earlier: bool, problem: Option<Problem>, body: &str) {
        if problem.is_some_and(|problem| problem.code == Code::NotFound) {
            // The conversation was erased or belongs to another visitor: this browser starts a new one.
            self.history = HistoryState::default();
            self.conversation = None;
            self.changes.list = true;
            self.store();
            return;
        }
        let Some(page) = wire::history(body) else {
            return self.history_failed_to_load();
        };
        self.history = HistoryState {
            loading: false,
            failed: false,
            next: page.next,
        };
        self.changes.list = true;
        if earlier {
            self.put_before(page.items);
        } else {
            self.put_newest(page.items);
        }
    }

    pub(crate) fn history_failed_to_load(&mut self) {
        self.history.loading = false;
        self.history.failed = true;
        self.changes.list = true;
        self.announce(|strings| &strings.history_unavailable);
    }

    /// Clears the view; the next message creates a conversation.
    pub(crate) fn start_afresh(&mut self) {
        self.drop_turn();
        let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| call.call.opens() || matches!(call.call, ApiCall::Other { .. }));
        self.calls = kept;
        let abort = |call: PendingCall| Effect::Abort {
            ticket: call.ticket,
        };
        self.effects.extend(dropped.into_iter().map(abort));
        if let Some(stored) = &mut self.restored {
            stored.conversation = None;
        }
        self.messages.clear();
        self.history = HistoryState::default();
        self.conversation = None;
        self.last = None;
        self.draft_error = None;
        self.limited_until = None;
        self.limited_tries = 0;
        self.changes.list = true;
        self.changes.status = true;
        self.store();
    }

    /// Shows another conversation of the visitor.
    pub(crate) fn show_conversation(&mut self, conversation: Id) {
        if self.conversation == Some(conversation) {
            return;
        }
        self.start_afresh();
        self.conversation = Some(conversation);
        self.store();
        self.load_history();
    }

    /// Inserts older messages at the front; those already known keep their place.
    fn put_before(&mut self, items: Vec<conversation::Message>) {
        let mut all: Vec<ChatMessage> = items
            .into_iter()
            .filter(|item| self.message(item.id).is_none())
            .map(ChatMessage::stored)
            .collect();
        all.append(&mut self.messages);
        self.messages = all;
    }

    /// Merges the newest page with what this browser knows: older messages before it, unfinished exchanges after it.
    fn put_newest(&mut self, items: Vec<conversation::Message>) {
        let last = items
            .last()
            .map(|item| (item.id, item.role, item.status, item.reply_to));
        let mut known = std::mem::take(&mut self.messages);
        let mut page: Vec<ChatMessage> = Vec::with_capacity(items.len());
        for item in items {
            if page.iter().any(|m| m.id == item.id) {
                continue;
            }
            let at = known.iter().position(|old| old.id == item.id);
            let old = at.map(|at| known.remove(at));
            let mut message = ChatMessage::stored(item);
            if let Some(old) = old {
                if let Some(failure) = old.failure {
                    message.failed_with(failure);
                }
                message.suggestions = old.suggestions;
            }
            self.changes.message(message.id);
            page.push(message);
        }
        let mut unfinished: Vec<Id> = known
            .iter()
            .filter(|old| old.is_local() || old.failure.is_some())
            .map(ChatMessage::exchange)
            .collect();
        unfinished.extend(self.turn.as_ref().map(|turn| turn.message));
        let (behind, mut front): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|old| unfinished.contains(&old.exchange()));
        // An answer whose question is on the page is on the page too, or will be streamed again.
        front.retain(|old| old.is_visitors() || !page.iter().any(|m| m.id == old.exchange()));
        self.messages = front;
        self.messages.extend(page);
        self.messages.extend(behind);
        self.go_on_from(last);
    }

    /// Continues from the last message: resumes the turn of an unanswered one, and offers a retry for a broken one.
    fn go_on_from(&mut self, last: Option<(Id, Role, Status, Option<Id>)>) {
        let Some((id, role, status, reply_to)) = last else {
            return;
        };
        match role {
            Role::User => {
                let failed = self
                    .messages
                    .iter()
                    .any(|m| m.belongs_to(id) && m.failure.is_some());
                if self.turn.is_none() && !failed {
                    self.follow(id);
                }
            }
            Role::Assistant
                if status == Status::Failed
                    && reply_to.is_some_and(|to| self.message(to).is_some()) =>
            {
                if let Some(message) = self.message_mut(id) {
                    message.failed_with(Failure::new(
                        Code::UpstreamInterrupted,
                        NextCall::Post { retry: true },
                    ));
                }
            }
            Role::Assistant => {}
        }
    }
}
