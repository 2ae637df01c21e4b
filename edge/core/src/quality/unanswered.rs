//! Whether a question stayed unanswered, so that the owner is to see it among the gaps.

use bulle_protocol::event::Finish;

use super::{Finished, claims::AnswerClaims};

/// Whether the documents did not answer the question: the answer says so, or a `quoted` answer (quotations or the
/// owner's lines) cites nothing. A greeting, which has no words to search for, is not a question, and an answer that
/// the visitor stopped is not judged.
pub fn is_unanswered(answer: &Finished, quoted: bool) -> bool {
    if answer.passages.terms().is_empty() || answer.finish == Finish::Stopped {
        return false;
    }
    AnswerClaims::of(answer.blocks).admissions > 0 || (quoted && answer.cites.is_empty())
}
