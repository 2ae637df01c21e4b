//! A message as the bubble shows it.

use bulle_protocol::{
    Id,
    block::{Block, blocks_to_text},
    conversation::{self, Attachment, Rating, Role, Status},
    event::{Finish, Source},
    problem::Code,
    strings::Strings,
};

use crate::failure::Failure;

/// A message of the visitor or of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Its id, which is also its key in the list.
    pub id: Id,
    /// Who wrote it.
    pub role: Role,
    /// What the visitor wrote; empty for the bot.
    pub text: String,
    /// What the bot wrote; empty for the visitor.
    pub blocks: Vec<Block>,
    /// For each block that came in a stream, a number that changes when it does and never comes back: what was drawn
    /// under the same number need not be drawn again.
    pub marks: Vec<u32>,
    /// How far it has come.
    pub stage: Stage,
    /// The visitor's message that this one answers.
    pub reply_to: Option<Id>,
    /// What the answer rests on.
    pub sources: Vec<Source>,
    /// What the visitor may want to ask next.
    pub suggestions: Vec<String>,
    /// What to know about the answer.
    pub caveats: Vec<Caveat>,
    /// Why the exchange went no further.
    pub failure: Option<Failure>,
    /// Files that the visitor has given with it. Those of a message that another page has left have no name.
    pub attachments: Vec<Attachment>,
    /// When it was written, in Unix milliseconds.
    pub at: u64,
    /// What the visitor thinks of it.
    pub rating: Option<Rating>,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In the outbox.
    Waiting,
    /// On its way; the edge has not acknowledged it yet.
    Sending,
    /// The edge has it.
    Delivered,
    /// The bot is writing it.
    Writing,
    /// Nothing more will come.
    Complete,
}

/// Something that the visitor should know about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// The visitor stopped it.
    Stopped,
    /// The model reached its limit.
    Truncated,
    /// It will be gone after a reload.
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

    /// An answer of which nothing is known yet.
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

    /// The exchange went no further; a failure says more than the notice of an interruption.
    pub(crate) fn failed_with(&mut self, failure: Failure) {
        self.caveats.retain(|notice| *notice != Caveat::Interrupted);
        self.failure = Some(failure);
    }

    /// True for a message of the visitor.
    pub fn is_visitors(&self) -> bool {
        self.role == Role::User
    }

    /// The visitor's message that this one is, or answers.
    pub(crate) fn exchange(&self) -> Id {
        self.reply_to.unwrap_or(self.id)
    }

    /// True for the message that a turn answers, and for its answer.
    pub(crate) fn belongs_to(&self, turn: Id) -> bool {
        self.exchange() == turn
    }

    /// True while only this browser has the message.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Sending)
    }

    /// True while the message should still reach the edge: only this browser has it, and the visitor did not stop it.
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
