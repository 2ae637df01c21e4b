//! The result of the step `write`: a finished answer with its writer.

use bulle_protocol::event::Finish;

use super::client::Account;
use crate::provider::{Failure, extractive};

/// The name that is recorded as provider and as model when the owner's own lines answer.
pub(super) const PERSONA: &str = "persona";

/// Who wrote the answer, how it ended, and what it cost.
pub(super) struct Written {
    pub end: Result<Finish, Failure>,
    pub provider: String,
    pub model: String,
    /// The questions that the writer suggests to ask next.
    pub suggestions: Vec<String>,
    /// True when the answer has a defect and was not replaced, because the reader had seen it already.
    pub flawed: bool,
    pub account: Account,
}

impl Written {
    /// A result of a writer that is not a model: its name stands for provider and model.
    pub fn by(provider: &str, end: Result<Finish, Failure>, account: Account) -> Self {
        Self {
            end,
            provider: provider.to_owned(),
            model: provider.to_owned(),
            suggestions: Vec::new(),
            flawed: false,
            account,
        }
    }

    /// Whether the visitor got an answer. The owner's lines, which say that no answer is possible now, are none.
    pub fn is_answer(&self) -> bool {
        self.end.is_ok() && self.provider != PERSONA
    }

    /// Whether the text consists only of quotations, or of the owner's lines.
    pub fn is_quoted(&self) -> bool {
        [extractive::NAME, PERSONA].contains(&self.provider.as_str())
    }
}
