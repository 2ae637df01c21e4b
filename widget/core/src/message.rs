//! Messages as the bubble shows them.

use bulle_protocol::{
    Id,
    block::{Block, blocks_to_text},
    conversation::{self, Attachment, Rating, Role, Status},
    event::{Finish, Source},
    problem::Code,
    strings::Strings,
};

use crate::failure::Failure;

/// A message of the visitor or an answer of the bot, with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// The message's id, which is also its key in the list.
    pub id: Id,
    /// Whether the visitor or the bot wrote it.
    pub role: Role,
    /// The text of the visitor; empty for an answer.
    pub text: String,
    /// The blocks of the answer; empty for the visitor.
    pub blocks: Vec<Block>,
    /// The version of each streamed block: a number that changes with the block and is never used again. A block that
    /// was drawn with the same number need not be drawn again.
    pub marks: Vec<u32>,
    /// The delivery state.
    pub stage: Stage,
    /// The visitor's message that this one answers.
    pub reply_to: Option<Id>,
    /// The sources of the answer.
    pub sources: Vec<Source>,
    /// Suggested follow-up questions.
    pub suggestions: Vec<String>,
    /// Remarks about the answer.
    pub caveats: Vec<Caveat>,
    /// Why the exchange failed.
    pub failure: Option<Failure>,
    /// The attached files. In a message restored from storage they have no name.
    pub attachments: Vec<Attachment>,
    /// When it was written, in Unix milliseconds.
    pub at: u64,
    /// The visitor's rating of the answer.
    pub rating: Option<Rating>,
}

/// The delivery state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In the outbox.
    Waiting,
    /// Sent, but not acknowledged by the edge.
    Sending,
    /// Acknowledged by the edge.
    Delivered,
    /// An answer that is arriving.
    Writing,
    /// An answer that has ended.
    Complete,
}

/// A remark on an answer that is not as the visitor expects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// The visitor stopped it.
    Stopped,
    /// The model reached its length limit.
    Truncated,
    /// The edge could not store it: it will be gone after a reload.
    NotKept,
    /// It broke off before its end.
    Interrupted,
}

impl Caveat {
    /// The text to show.
    pub fn text(self, strings: &Strings) -> &str {
        match self {
            Self::Stopped => &strings.stopped,
            Self::Truncated => &strings.truncated,
            Self::NotKept => &strings.not_kept,
            Self::Interrupted => &strings.upstream_interrupted,
        }
    }

    pub(crate) fn of(finish: Option<Finish>) -> Option<Self> {
        match finish? {
            Finish::Stopped => Some(Self::Stopped),
            Finish::Length => Some(Self::Truncated),
            Finish::Stop | Finish::Fallback => None,
        }
    }
}

impl ChatMessage {
    /// A new message of the visitor, for the outbox.
    pub(crate) fn waiting(id: Id, text: String, at: u64) -> Self {
        Self {
            text,
            at,
            ..Self::empty(id, Role::User, Stage::Waiting)
        }
    }

    /// A new, empty answer.
    pub(crate) fn reply(id: Id, to: Id, at: u64) -> Self {
        Self {
            reply_to: Some(to),
            at,
            ..Self::empty(id, Role::Assistant, Stage::Writing)
        }
    }

    /// A message as the edge stored it.
    pub(crate) fn stored(message: conversation::Message) -> Self {
        let visitor = message.role == Role::User;
        let stage = if visitor {
            Stage::Delivered
        } else {
            Stage::Complete
        };
        let notice = match message.status {
            Status::Complete => Caveat::of(message.finish),
            Status::Stopped => Some(Caveat::Stopped),
            Status::Failed => Some(Caveat::Interrupted),
        };
        Self {
            text: if visitor { message.text } else { String::new() },
            blocks: if visitor { Vec::new() } else { message.blocks },
            sources: message.sources,
            reply_to: message.reply_to,
            caveats: notice.into_iter().collect(),
            attachments: message.attachments,
            at: message.created_at,
            rating: message.feedback.map(|feedback| feedback.rating),
            ..Self::empty(message.id, message.role, stage)
        }
    }

    fn empty(id: Id, role: Role, stage: Stage) -> Self {
        Self {
            id,
            role,
            text: String::new(),
            blocks: Vec::new(),
            marks: Vec::new(),
            stage,
            reply_to: None,
            sources: Vec::new(),
            suggestions: Vec::new(),
            caveats: Vec::new(),
            failure: None,
            attachments: Vec::new(),
            at: 0,
            rating: None,
        }
    }

    /// Sets the failure; it replaces the remark about an interruption, which says less.
    pub(crate) fn failed_with(&mut self, failure: Failure) {
        self.caveats.retain(|notice| *notice != Caveat::Interrupted);
        self.failure = Some(failure);
    }

    /// True for a message of the visitor.
    pub fn is_visitors(&self) -> bool {
        self.role == Role::User
    }

    /// The id of the exchange: that of the visitor's message.
    pub(crate) fn exchange(&self) -> Id {
        self.reply_to.unwrap_or(self.id)
    }

    /// True for both messages of a turn's exchange.
    pub(crate) fn belongs_to(&self, turn: Id) -> bool {
        self.exchange() == turn
    }

    /// True while only this browser has the message.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Sending)
    }

    /// True while the message is still to be sent: only this browser has it, and the visitor did not stop it.
    pub(crate) fn is_unsent(&self) -> bool {
        let taken_back = |failure: &Failure| failure.code == Code::Interrupted;
        self.is_local() && !self.failure.as_ref().is_some_and(taken_back)
    }

    /// The message as plain text, for copying and for screen readers.
    pub fn plain(&self) -> String {
        if self.is_visitors() {
            self.text.clone()
        } else {
            blocks_to_text(&self.blocks)
        }
    }
}
