//! Earlier exchanges of a conversation, and its summary.

/// A question of the conversation with its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Position of the question in the conversation; even.
    pub position: u32,
    /// The visitor's words.
    pub question: String,
    /// The bot's answer as plain text; empty when nothing was written.
    pub answer: String,
}

/// The summary of a conversation's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Plain text, written by a model.
    pub text: String,
    /// The position up to which (exclusive) the summary covers the conversation; even.
    pub until: u32,
}
