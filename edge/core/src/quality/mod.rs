//! The judgement of answers by evidence: language, topic, cited claims, whether the answer may be shown, and the
//! suggestions after it. No model is asked.

mod claims;
pub mod confidence;
pub mod judged;
pub mod suggest;
pub mod topic;
pub mod unanswered;
pub mod validate;

use bulle_protocol::{block::Block, event::Finish};

use crate::retrieval::Passages;

/// A finished answer, with the question and the passages.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// The visitor's words.
    pub question: &'a str,
    /// The answer: [`Reply::blocks`](crate::reply::Reply::blocks).
    pub blocks: &'a [Block],
    /// Cited passages: [`Reply::cites`](crate::reply::Reply::cites).
    pub cites: &'a [u32],
    /// The passages found for the question.
    pub passages: &'a Passages,
    /// How the answer ended.
    pub finish: Finish,
}
