//! Messages that go through the guard and are counted.

use super::*;
use crate::guard::limit::Counted;

/// A message that the guard has let through and that was counted.
#[derive(Debug)]
pub struct Said {
    pub question: Question,
    pub counted: Counted,
}

pub fn say(ports: &Fakes, admitted: &Admitted, n: u128, text: &str) -> Result<Said, Problem> {
    say_in(ports, admitted, 0, n, text)
}

pub fn say_in(
    ports: &Fakes,
    admitted: &Admitted,
    conversation: u128,
    n: u128,
    text: &str,
) -> Result<Said, Problem> {
    let message = SendMessage {
        id: Id::from_parts(0, n),
        text: text.into(),
        retry: false,
        attachments: Vec::new(),
    };
    let conversation = Id::from_parts(0, conversation);
    let question = admit_message(ports, admitted.clone(), conversation, message);
    let question = block_on(question)?;
    let counted = block_on(limit::count(ports, &question))?;
    Ok(Said { question, counted })
}
