//! The refund of the visitor's quota. The guard charges a message before its turn has begun; whether the charge is
//! refunded is decided here and nowhere else. The turn knows whether there was an answer and whether a model was paid.
//! The one case that it cannot know is a turn that never began: the route reports it.

use super::{Ask, draft::Draft, written::Written};
use crate::{
    guard::{Question, limit},
    ports::{Meters, PortError},
};

/// Refunds a message for which no turn was begun: the conversation refused it, or replayed the turn that the message
/// already had.
///
/// # Errors
/// The meter failed; the message stays counted.
pub async fn refund_unbegun<P: Meters>(ports: &P, question: &Question) -> Result<(), PortError> {
    limit::refund(ports, question).await
}

/// Refunds a message when no model was paid and there is no answer. The owner's own lines, which say that no answer is
/// possible now, do not count as an answer.
pub(super) async fn refund_unanswered<P: Meters>(
    ports: &P,
    ask: &Ask<'_>,
    written: &Written,
    draft: &mut Draft<'_>,
) {
    if written.is_answer() || written.account.paid {
        return;
    }
    if let Err(error) = limit::refund(ports, ask.question).await {
        draft.log(&format!("the message stays counted: {error}"));
    }
}
