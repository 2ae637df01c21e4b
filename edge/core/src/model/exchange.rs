//! What a conversation has said before.

/// A question of the conversation and what was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Position of the question in the conversation; even.
    pub position: u32,
    /// The visitor's words.
    pub question: String,
    /// The bot's, as plain text; empty when nothing was written.
    pub answer: String,
}

/// What stands for the beginning of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Plain text, written by a model.
    pub text: String,
    /// The position up to which (exclusive) it stands for the conversation; even.
    pub until: u32,
}
