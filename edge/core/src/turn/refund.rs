//! The refund of the visitor's quota. The guard charges a message before it is known what becomes of it; whether the charge
//! is given back is decided here and nowhere else. The turn knows whether there was an answer and whether a model was
//! paid; the one case that it cannot know, because it never began, is told to it by the route.
//!
//! The same message may come in several requests at once (a lost connection, two tabs, somebody who tries), and the one
//! that the meter has charged need not be the one that begins the turn. Therefore none of them owns the charge: all hold
//! it ([`crate::meter`]), and each of them either begins the turn, which keeps hold of the charge or lets it go when it
//! ends, or lets it go at once. Whichever order they come in, a turn that has answered or cost something is counted once,
//! and a message without one is not.

use super::{Ask, draft::Draft, written::Written};
use crate::{
    guard::{Question, limit},
    ports::{Meters, PortError},
};

/// Gives a message back for which this request has begun no turn: the conversation refused it, or has replayed the turn that the message
/// already had.
///
/// # Errors
/// The meter failed; the message stays counted.
pub async fn refund_unbegun<P: Meters>(ports: &P, question: &Question) -> Result<(), PortError> {
    limit::refund(ports, question).await
}

/// Gives a message back when no model was paid and no answer was produced. The owner's own lines, which say that nothing
/// can answer now, do not count as an answer.
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
