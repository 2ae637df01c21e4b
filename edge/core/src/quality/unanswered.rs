//! Whether a question was asked in vain, so that the owner should hear of it.

use bulle_protocol::event::Finish;

use super::{Finished, claims::AnswerClaims};

/// Whether the documents did not answer the question: the answer says so itself, or `quoted`, written of quotations or of
/// the owner's lines alone, it quotes nothing. A greeting, which has no words to look for, is no question, and what the
/// visitor has stopped was not finished.
pub fn is_unanswered(answer: &Finished, quoted: bool) -> bool {
    if answer.passages.terms().is_empty() || answer.finish == Finish::Stopped {
        return false;
    }
    AnswerClaims::of(answer.blocks).admissions > 0 || (quoted && answer.cites.is_empty())
}
