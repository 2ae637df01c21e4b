//! What makes an answer good, decided from evidence: its language, its topic, how much of it rests on the
//! documents, whether it may be shown, and what may be asked next. No model is asked.

mod claims;
pub mod confidence;
pub mod suggest;
pub mod topic;
pub mod unanswered;
pub mod validate;

use bulle_protocol::{block::Block, event::Finish};

use crate::retrieval::Passages;

/// An answer that has been written, and what it was written from.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// The visitor's words.
    pub question: &'a str,
    /// What was written: [`Reply::blocks`](crate::reply::Reply::blocks).
    pub blocks: &'a [Block],
    /// Cited passages: [`Reply::cites`](crate::reply::Reply::cites).
    pub cites: &'a [u32],
    /// What was found for the question.
    pub passages: &'a Passages,
    /// How it ended.
    pub finish: Finish,
}
