//! The refund of the visitor's quota. The caller that begins a turn counts its message; whether the day gets it back is decided
//! here and nowhere else. The turn knows whether there was an answer and whether a model was paid.
//!
//! The same message may come in several requests at once (a lost connection, two tabs, an attack). The conversation begins one
//! turn for them, and only the turn is counted: the others have nothing to give back.

use super::{Ask, draft::Draft, written::Written};
use crate::{guard::limit, ports::Meters};

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
