//! A visitor's message, from acceptance to record: the one place that calls every stage.
//!
//! 1. `record`: the message is stored, while
//! 2. `retrieval` looks for passages;
//! 3. `prompt`, `budget` and `provider` (or the embedded model) write, and
//! 4. `reply` turns what they write into events as it comes;
//! 5. `record`: the ending is stored, whatever it is, and told.

mod model;

use bulle_protocol::{
    Id,
    event::{Done, Finish, ServerEvent, Source, Sources, Start, Suggestions, TurnError, Usage},
    problem::Code,
};
use futures_util::future::join;

use crate::{
    budget::{self, Funding},
    guard::{Question, limit},
    ports::{Archive, Clock, Index, Meters, Models},
    prompt::{self, Exchange},
    provider::{Deployment, Failure, Model, Provider, extractive},
    record::{self, Record},
    reply::Reply,
    retrieval::{self, Passages},
    strings,
};

/// Where the events of a turn go.
pub trait Sink {
    /// Takes the next event.
    fn emit(&mut self, event: ServerEvent);
    /// Takes a line for the log. Never holds a visitor's words.
    fn log(&mut self, line: &str);
}

/// Everything that a turn needs of the platform.
pub trait Platform: Archive + Clock + Index + Meters + Models {}
impl<P: Archive + Clock + Index + Meters + Models> Platform for P {}

/// A question in its conversation.
pub struct Ask<'a> {
    /// What the guard let through.
    pub question: &'a Question,
    /// The conversation.
    pub conversation_id: Id,
    /// Id of the reply.
    pub reply_id: Id,
    /// Number of the turn in its conversation, from 0.
    pub number: u32,
    /// Earlier exchanges, oldest first.
    pub history: &'a [Exchange],
}

/// How a turn ended.
pub struct Ended {
    /// What was, or should have been, stored.
    pub record: Record,
    /// False when the archive refused: the caller keeps the record and tries again.
    pub kept: bool,
}

/// An answer as far as it went.
struct Written {
    reply: Reply,
    end: Result<Finish, Failure>,
    provider: &'static str,
    model: String,
    usage: Usage,
    /// True when a model has taken the request: from then on it costs money.
    paid: bool,
    suggestions: Vec<String>,
}

/// Runs a turn to its end. `cancel` resolves when the visitor stops the answer.
pub async fn run<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    sink: &mut impl Sink,
    cancel: impl Future<Output = ()> + Unpin,
) -> Ended {
    sink.emit(ServerEvent::Start(Start {
        conversation_id: ask.conversation_id,
        message_id: ask.question.id(),
        reply_id: ask.reply_id,
    }));
    // 1 and 2. A message that cannot be stored now is stored with the ending.
    let mut record = Record::accepted(
        ask.question,
        ask.conversation_id,
        ask.number,
        ports.now_ms(),
    );
    let previous = ask
        .history
        .last()
        .map(|exchange| exchange.question.as_str());
    let (stored, found) = join(
        ports.record(&record),
        retrieval::search(ports, ask.question, previous),
    )
    .await;
    if let Err(error) = stored {
        sink.log(&format!("the message was not stored: {error}"));
    }
    let found = found.inspect_err(|error| sink.log(&format!("no passages: {error}")));
    // 3 and 4.
    let passages = found.as_ref().cloned().unwrap_or_default();
    let mut written = match deployment.provider(&ask.question.site().bot) {
        Provider::Model(model) => {
            funded(ports, deployment, model, ask, &passages, sink, cancel).await
        }
        Provider::Extractive if found.is_err() => Written::failed(Failure::new(
            Code::StorageUnavailable,
            "the documents cannot be searched",
        )),
        Provider::Extractive => extract(ask.question, &passages, Finish::Stop, sink),
    };
    for event in written.reply.finish() {
        sink.emit(event);
    }
    if let Err(failure) = &written.end {
        sink.log(&format!("{} failed: {failure}", written.provider));
    }
    // What came to nothing, and cost nothing.
    if written.end.is_err() && !written.paid {
        let given_back = limit::give_back(ports, ask.question).await;
        if let Err(error) = given_back {
            sink.log(&format!("the message stays counted: {error}"));
        }
    }
    // 5.
    let sources = cited(&written.reply, &passages);
    record.reply(
        record::Reply {
            id: ask.reply_id,
            blocks: written.reply.blocks().to_vec(),
            sources: sources.clone(),
            finish: written.end.as_ref().ok().copied(),
            error: written.end.as_ref().err().map(|failure| failure.code),
            provider: written.provider.to_owned(),
            model: written.model.clone(),
            usage: written.usage,
            evidence: record::Evidence::default(),
        },
        ports.now_ms(),
    );
    let stored = ports.record(&record).await;
    if let Err(error) = &stored {
        sink.log(&format!("the answer was not stored: {error}"));
    }
    let kept = stored.is_ok();
    if !sources.is_empty() {
        sink.emit(ServerEvent::Sources(Sources { items: sources }));
    }
    if !written.suggestions.is_empty() {
        let items = written.suggestions.clone();
        sink.emit(ServerEvent::Suggestions(Suggestions { items }));
    }
    sink.emit(last_event(ask, written, kept));
    Ended { record, kept }
}

fn last_event(ask: &Ask<'_>, written: Written, kept: bool) -> ServerEvent {
    match written.end {
        Ok(finish) => ServerEvent::Done(Done {
            reply_id: ask.reply_id,
            finish,
            provider: written.provider.to_owned(),
            model: written.model,
            confidence: None,
            cached: false,
            usage: written.usage,
            remaining: ask.question.remaining(),
            kept,
        }),
        Err(failure) => ServerEvent::Error(TurnError {
            code: failure.code,
            message: strings::failure(ask.question.locale(), failure.code),
            retry_after: failure.retry_after,
            action: None,
            kept,
        }),
    }
}

/// The passages that the reply cites, under the numbers that it uses.
fn cited(reply: &Reply, passages: &Passages) -> Vec<Source> {
    let find = |n: u32| passages.items().iter().find(|passage| passage.n == n);
    (reply.cites().iter().zip(1..))
        .filter_map(|(passage, n)| {
            Some(Source {
                n,
                ..find(*passage)?.source()
            })
        })
        .collect()
}

impl Written {
    /// What the vendor has counted; nothing when it was not asked, or refused; unknown when it was cut off.
    fn spent(&self) -> Option<Usage> {
        (!self.paid || self.usage != Usage::default()).then_some(self.usage)
    }

    fn failed(failure: Failure) -> Self {
        Self {
            reply: Reply::new(0),
            end: Err(failure),
            provider: extractive::NAME,
            model: extractive::NAME.to_owned(),
            usage: Usage::default(),
            paid: false,
            suggestions: Vec::new(),
        }
    }
}

/// The embedded model writes.
fn extract(question: &Question, passages: &Passages, end: Finish, sink: &mut impl Sink) -> Written {
    let extract = extractive::answer(question, passages);
    let mut reply = Reply::new(passages.items().len());
    for piece in &extract.pieces {
        for event in reply.push(piece) {
            sink.emit(event);
        }
    }
    Written {
        reply,
        end: Ok(end),
        provider: extractive::NAME,
        model: extractive::NAME.to_owned(),
        usage: Usage::default(),
        paid: false,
        suggestions: extract.suggestions,
    }
}

/// A model writes, if there is money for it; the embedded one otherwise, which costs nothing.
async fn funded<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    model: Model<'_>,
    ask: &Ask<'_>,
    passages: &Passages,
    sink: &mut impl Sink,
    cancel: impl Future<Output = ()> + Unpin,
) -> Written {
    let site = ask.question.site();
    let memory = prompt::Memory {
        summary: None,
        exchanges: ask.history,
    };
    let input = prompt::Input::of(ask.question);
    let prompt = prompt::build(&input, passages, &memory, &prompt::Extras::default());
    let reservation = match budget::reserve(ports, site, ask.reply_id, model.name, &prompt).await {
        Funding::Unbounded => None,
        Funding::Reserved(reservation) => Some(reservation),
        Funding::Refused(why) => {
            sink.log(&format!("answered from the documents: {why}"));
            return extract(ask.question, passages, Finish::Fallback, sink);
        }
    };
    let most = reservation.as_ref().map(|_| budget::MAX_OUTPUT_TOKENS);
    let written = model::ask(ports, deployment, model, &prompt, most, sink, cancel).await;
    if let (Some(reservation), Some(usage)) = (reservation, written.spent())
        && let Err(error) = reservation.settle(ports, usage).await
    {
        sink.log(&format!("the budget keeps its reservation: {error}"));
    }
    written
}

#[cfg(test)]
mod tests;
