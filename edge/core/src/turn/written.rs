//! What an answer is once it is written.

use bulle_protocol::event::Finish;

use super::client::Account;
use crate::provider::{Failure, extractive};

/// Name of the provider and of its model when the owner's own lines answer.
pub(super) const PERSONA: &str = "persona";

/// Who wrote the answer, how it ended, and what it took.
pub(super) struct Written {
    pub end: Result<Finish, Failure>,
    pub provider: String,
    pub model: String,
    /// What the writer says may be asked next.
    pub suggestions: Vec<String>,
    /// True when the answer has a defect and stays because the reader has it already.
    pub flawed: bool,
    pub account: Account,
}

impl Written {
    /// Written by something that is no model, and has one name.
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

    /// Whether the visitor was answered. The owner's lines say that nothing can answer now.
    pub fn is_answer(&self) -> bool {
        self.end.is_ok() && self.provider != PERSONA
    }

    /// Whether it consists of quotations, or of the owner's lines, alone.
    pub fn is_quoted(&self) -> bool {
        [extractive::NAME, PERSONA].contains(&self.provider.as_str())
    }
}
