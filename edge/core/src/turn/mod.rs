//! A visitor's message, from acceptance to record: the one place that calls every stage.
//!
//! 1. [`prepare`]: an earlier answer to the same question is looked up; else `retrieval` searches the documents and
//!    `prompt` builds the prompt.
//! 2. [`write`]: the models of the chain are asked until one writes ([`chain`]), or the documents or the owner's own lines
//!    answer. `reply` turns the text into events as it comes ([`draft`]).
//! 3. [`finish`]: `quality` judges the answer, `record` stores message and answer (also a failure), and the page gets the end.
//!
//! What may take longer than the visitor should wait is in [`after()`].

mod after;
mod chain;
mod client;
mod deadlines;
mod draft;
mod finish;
mod prepare;
mod records;
mod refund;
mod request;
mod write;
mod written;

pub use after::after;

use bulle_protocol::{
    Id,
    event::{ServerEvent, Start},
    problem::Problem,
};
use futures_util::future::{Either, LocalBoxFuture, join, select};
use std::pin::pin;

use crate::{
    guard::{Question, limit::Counted},
    model::Exchange,
    notice::NewNotice,
    ports::{
        Archive, Clock, Entropy, Index, IsolateValues, Kept, Kv, Meters, Models, PortError,
        Summaries, VectorIndex,
    },
    provider::Deployment,
    record::Record,
};
use deadlines::Deadlines;
use draft::Draft;

/// Where the events of a turn go.
pub trait Sink {
    /// Takes the next event.
    fn emit(&mut self, event: ServerEvent);
    /// Tells the time (Unix milliseconds) of the events to come, which all come from one piece of a response, so that the
    /// clock is read once for them; `None` after the last of them.
    fn at(&mut self, _now_ms: Option<u64>) {}
    /// Takes the next part of the answer's Markdown, as soon as the visitor sees part of it. It may cite passages
    /// `1..=passages`, and hold numbers that belong to no passage. After a second [`ServerEvent::Start`] the Markdown
    /// begins again.
    fn wrote(&mut self, _text: &str, _passages: usize) {}
    /// Takes a line for the log. Never holds a visitor's words.
    fn log(&mut self, line: &str);
}

/// Everything that a turn needs of the platform.
pub trait Platform:
    Archive + Clock + Entropy + Index + IsolateValues + Kv + VectorIndex + Meters + Models + Summaries
{
}
impl<P> Platform for P where
    P: Archive
        + Clock
        + Entropy
        + Index
        + IsolateValues
        + Kv
        + VectorIndex
        + Meters
        + Models
        + Summaries
{
}

/// The reader of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A visitor, in the bubble. Another [`ServerEvent::Start`] takes back the text that the bubble has shown.
    Page,
    /// A client of the API for owners' servers. It keeps the conversation itself, and text that it has read cannot be
    /// taken back.
    Client,
}

/// A question in its conversation.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The question, which the guard has admitted.
    pub question: &'a Question,
    /// The message's record, made by the caller that begins the turn: [`Record::accepted`].
    pub accepted: &'a Record,
    /// Id of the reply.
    pub reply_id: Id,
    /// Earlier exchanges, oldest first.
    pub history: &'a [Exchange],
    /// The Markdown that an earlier attempt at this turn has written; the answer continues it.
    pub written: &'a str,
    /// The most tokens of the answer; the budget's own bound may be lower. An answer that reaches this limit is not
    /// continued.
    pub most: Option<u32>,
    /// The reader of the answer.
    pub reader: Reader,
}

impl Ask<'_> {
    fn start(&self) -> Start {
        Start {
            conversation_id: self.accepted.conversation_id,
            message_id: self.question.id(),
            reply_id: self.reply_id,
        }
    }

    /// Whether this reader is offered questions to ask next.
    fn offers(&self) -> bool {
        self.reader == Reader::Page && self.question.site().bot.answers.suggestions
    }

    /// Whether the answer depends only on the question's words, so that it may serve other visitors, too.
    fn is_first(&self) -> bool {
        let own = self.most.is_some() || self.question.instructions().is_some();
        let bare = self.question.attachments().is_empty() && !self.question.retry();
        self.history.is_empty() && self.written.is_empty() && bare && !own
    }
}

/// How a turn ended.
pub struct Ended {
    /// The record that was stored, or that the archive refused.
    pub record: Record,
    /// The answer as Markdown.
    pub text: String,
    /// The passages that the answer cites: position `i` is the number of source `i + 1` in its Markdown.
    pub cites: Vec<u32>,
    /// What the archive has stored; `None` when it refused: the caller keeps the record and offers it again.
    pub kept: Option<Kept>,
    /// True when the conversation no longer fits a prompt: [`after()`] has a model sum it up.
    pub outgrown: bool,
    /// The notices for the owner, which [`after()`] sends.
    pub notices: Vec<NewNotice>,
}

/// Runs a turn to its end. `cancel` resolves when the visitor stops the answer. `counted` counts the message beside the search;
/// nothing is emitted and no model is asked before it has resolved.
///
/// # Errors
/// The refusal of `counted`: the turn has not begun.
pub async fn run<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    sink: &mut dyn Sink,
    cancel: LocalBoxFuture<'_, ()>,
    counted: LocalBoxFuture<'_, Result<Counted, Problem>>,
) -> Result<Ended, Problem> {
    let began_ms = ports.now_ms();
    // 1.
    let preparing = pin!(prepare::prepare(ports, deployment, ask));
    let (counted, draft, mut prepared) = match select(counted, preparing).await {
        Either::Left((counted, preparing)) => {
            let counted = counted?;
            // The page learns at once that the message was accepted.
            let draft = Draft::begin(sink, ask.start());
            (counted, draft, preparing.await)
        }
        Either::Right((prepared, counted)) => {
            let counted = counted.await?;
            (counted, Draft::begin(sink, ask.start()), prepared)
        }
    };
    let mut draft = draft;
    for line in std::mem::take(&mut prepared.log) {
        draft.log(&line);
    }
    // 2.
    let deadlines = Deadlines::of(ports, deployment, &ask.question.site().bot, cancel);
    let writing = write::write(ports, ask, &mut prepared.plan, &mut draft, deadlines);
    // The model is asked first, because a database finishes its current write before it answers another statement.
    let (written, stored) = join(writing, record_early(ports, ask)).await;
    if let Err(error) = stored {
        draft.log(&format!("the message was not stored: {error}"));
    }
    // 3.
    let ending = finish::finish(ports, ask, &counted, prepared, written, draft, began_ms);
    Ok(ending.await)
}

/// Stores the message while the model writes, where nothing else holds it until the ending is stored with it. The object of a
/// conversation holds its running turn. But the conversations of an identified visitor are found in the archive alone: the
/// first message makes the conversation known.
async fn record_early<P: Platform>(ports: &P, ask: &Ask<'_>) -> Result<(), PortError> {
    let is_first = ask.accepted.question.position == 0;
    if ask.reader == Reader::Page && !(is_first && ask.question.is_identified()) {
        return Ok(());
    }
    ports.record(ask.accepted).await.map(drop)
}

#[cfg(test)]
mod tests;
