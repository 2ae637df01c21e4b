//! A visitor's message, from acceptance to record: the one place that calls every stage.
//!
//! 1. `retrieval` looks for passages;
//! 2. `record`: the message is stored, while
//! 3. `prompt`, `budget` and `provider`: the models of the chain are asked until one writes (`turn/chain.rs`), or the
//!    documents and at last the owner's own lines answer (`turn/fallback.rs`), and
//! 4. `reply` turns what they write into events as it comes;
//! 5. `record`: the ending is stored, whatever it is, and told.

mod chain;
mod draft;
mod fallback;
mod model;
mod summary;

pub use summary::summarise;

use bulle_api::notice::Answerer;
use bulle_protocol::{
    Id,
    event::{Done, Finish, ServerEvent, Source, Sources, Start, Suggestions, TurnError, Usage},
};
use futures_util::future::{LocalBoxFuture, join};

use crate::{
    attachments::{self, WithFiles},
    cache::{self, CachedAnswer, Slot},
    guard::{Question, limit},
    notice::{self, Notice},
    ports::{
        Archive, Clock, Entropy, Index, Kept, Kv, Meaning, Meters, Models, Notices, Summaries,
    },
    prompt::{self, Exchange, Extras, Input, Memory, Prompt},
    provider::{Deployment, Failure, Link, breaker::Breaker, extractive},
    quality::{
        self, Finished, confidence::confidence, suggest::suggest, unanswered::is_unanswered,
    },
    record::{self, Call, Evidence, Outcome, Record},
    retrieval::{self, Passages},
    settings::Site,
    strings,
};
use chain::Chain;
use draft::Draft;
use model::Patience;

/// Where the events of a turn go.
pub trait Sink {
    /// Takes the next event.
    fn emit(&mut self, event: ServerEvent);
    /// Takes more of the answer's Markdown as it is written, once the visitor sees something of it. It may cite passages
    /// `1..=passages`, and numbers that point nowhere; see [`crate::reply::citations`]. After a second
    /// [`ServerEvent::Start`] it begins again.
    fn wrote(&mut self, _text: &str, _passages: usize) {}
    /// Takes a line for the log. Never holds a visitor's words.
    fn log(&mut self, line: &str);
}

/// Everything that a turn needs of the platform.
pub trait Platform:
    Archive + Clock + Entropy + Index + Kv + Meaning + Meters + Models + Summaries
{
}
impl<P> Platform for P where
    P: Archive + Clock + Entropy + Index + Kv + Meaning + Meters + Models + Summaries
{
}

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
    /// What an earlier attempt at this turn has written, as Markdown: the answer goes on from there.
    pub written: &'a str,
    /// Most tokens of the answer; the budget's own bound may be lower. What ends there is not continued.
    pub most: Option<u32>,
    /// Whether what was shown can be taken back. Otherwise an answer that is shown is never begun again.
    pub restartable: bool,
}

impl Ask<'_> {
    /// Whether more was said before than a prompt holds.
    fn overflows(&self, passages: &Passages) -> bool {
        let memory = Memory {
            summary: None,
            exchanges: self.history,
        };
        if self.history.is_empty() {
            return false;
        }
        let input = Input::of(self.question);
        let material = attachments::quoted(self.question.attachments());
        let extras = Extras {
            material: material.as_deref(),
            ..Extras::default()
        };
        let prompt = prompt::build(&input, passages, &memory, &extras);
        prompt.dropped() > 0
    }

    /// Whether the reader is offered questions to ask next. What cannot be taken back is read by a program.
    fn offers(&self) -> bool {
        self.restartable && self.question.site().bot.answers.suggestions
    }

    /// Whether nothing that was said before has a part in the answer, so that it may be another's.
    fn is_first(&self) -> bool {
        let own = self.most.is_some() || self.question.instructions().is_some();
        let bare = self.question.attachments().is_empty() && !self.question.retry();
        self.history.is_empty() && self.written.is_empty() && bare && !own
    }
}

/// How a turn ended.
pub struct Ended {
    /// What was, or should have been, stored.
    pub record: Record,
    /// The answer as Markdown.
    pub text: String,
    /// The passages that it cites: position `i` is the number of source `i + 1` in its Markdown.
    pub cites: Vec<u32>,
    /// What the archive has kept; `None` when it refused: the caller keeps the record and tries again.
    pub kept: Option<Kept>,
    /// True when the conversation no longer fits a prompt: [`summarise`] it.
    pub outgrown: bool,
    /// What the owner should know: [`notice::tell`] them.
    pub notices: Vec<Notice>,
}

/// Who wrote the answer, and how it ended.
struct Written {
    end: Result<Finish, Failure>,
    provider: String,
    model: String,
    suggestions: Vec<String>,
}

/// Runs a turn to its end. `cancel` resolves when the visitor stops the answer.
pub async fn run<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    sink: &mut dyn Sink,
    cancel: LocalBoxFuture<'_, ()>,
) -> Ended {
    let began_ms = ports.now_ms();
    let draft = Draft::begin(
        sink,
        Start {
            conversation_id: ask.conversation_id,
            message_id: ask.question.id(),
            reply_id: ask.reply_id,
        },
    );
    // 1.
    let bot = &ask.question.site().bot;
    let links = deployment.chain(bot);
    let slot = Slot::of(ask.question, &links).filter(|_| ask.is_first());
    let cached = match &slot {
        Some(slot) => slot.look(ports).await,
        None => None,
    };
    let previous = ask
        .history
        .last()
        .map(|exchange| exchange.question.as_str());
    // How the first model is, is asked meanwhile.
    let circuit = async {
        match links.first() {
            Some(Link::Model(model)) if cached.is_none() => Some(Breaker::look(ports, model).await),
            _ => None,
        }
    };
    // A model is given the files as they are.
    let files = match links.is_empty() {
        true => ask.question.attachments(),
        false => &[],
    };
    let index = WithFiles {
        index: ports,
        files,
    };
    let search = retrieval::search(&index, ask.question, previous);
    let (found, circuit) = join(search, circuit).await;
    let passages = found.as_ref().cloned().unwrap_or_default();
    let timeouts = deployment.timeouts.with(bot.model.timeouts);
    let patience = Patience::new(ports, timeouts, deployment.timeouts, cancel);
    let summary = match cached.is_none() && ask.overflows(&passages) {
        true => {
            ports
                .latest(&ask.question.owner(), ask.conversation_id)
                .await
        }
        false => Ok(None),
    };
    let mut chain = Chain::new(ports, ask, &passages, draft, patience);
    chain.circuit = circuit;
    match summary {
        Ok(summary) => chain.summary = summary,
        Err(error) => chain.draft.log(&format!("no summary: {error}")),
    }
    if let Err(error) = &found {
        chain.draft.log(&format!("no passages: {error}"));
    }
    if let Some(error) = passages.without_meaning() {
        chain.draft.log(&format!("no passages by meaning: {error}"));
    }
    // 2, 3 and 4. A message that cannot be stored now is stored with the ending. A database answers no question before it
    // has kept what it was given, so the message is not given to it before the question.
    let mut record = Record::accepted(ask.question, ask.conversation_id, ask.number, began_ms);
    let answering = async {
        match &cached {
            Some(cached) => again(&mut chain, cached),
            None => match chain.answer(&links).await {
                Some(answered) => Written {
                    end: answered.end,
                    provider: answered.provider.to_owned(),
                    model: answered.model,
                    suggestions: chain.draft.suggestions().to_vec(),
                },
                None => fallback::answer(&mut chain, links.is_empty(), found.is_ok()),
            },
        }
    };
    let (mut written, stored) = join(answering, ports.record(&record)).await;
    let Chain {
        mut draft,
        calls,
        paid,
        prompt,
        alerts,
        flawed,
        ..
    } = chain;
    draft.finish(ports);
    if let Err(error) = stored {
        draft.log(&format!("the message was not stored: {error}"));
    }
    // What came to nothing, and cost nothing: that nobody can answer is no answer.
    let nothing = written.end.is_err() || written.provider == fallback::PERSONA;
    if nothing && !paid {
        let given_back = limit::give_back(ports, ask.question).await;
        if let Err(error) = given_back {
            draft.log(&format!("the message stays counted: {error}"));
        }
    }
    // 5.
    let ended_ms = ports.now_ms();
    let since = |ms: u64| u32::try_from(ms.saturating_sub(began_ms)).unwrap_or(u32::MAX);
    let sources = match &cached {
        Some(cached) => cached.sources.clone(),
        None => cited(draft.cites(), &passages),
    };
    let quoted = [extractive::NAME, fallback::PERSONA].contains(&written.provider.as_str());
    let finished = written.end.as_ref().ok().map(|finish| Finished {
        question: ask.question.text(),
        blocks: draft.blocks(),
        cites: draft.cites(),
        passages: &passages,
        finish: *finish,
    });
    let evidence = Evidence {
        cached: cached.is_some(),
        first_token_ms: draft.first_ms().map(since),
        total_ms: since(ended_ms),
        prompt: prompt.as_ref().map(Prompt::reference),
        topic: match &cached {
            Some(cached) => cached.topic.clone(),
            None => topic(ask.question, &passages),
        },
        confidence: match &cached {
            Some(cached) => cached.confidence,
            None => finished.as_ref().and_then(confidence),
        },
        unanswered: match &cached {
            Some(cached) => cached.unanswered,
            // Documents that could not be searched have not said that they hold nothing.
            // Nor does an answer from the visitor's own files say so.
            None => {
                found.is_ok()
                    && ask.question.attachments().is_empty()
                    && finished.is_some_and(|answer| is_unanswered(&answer, quoted))
            }
        },
    };
    if !ask.offers() || written.end.is_err() {
        written.suggestions.clear();
    } else if written.suggestions.is_empty() {
        let asked = ask.history.iter();
        let asked: Vec<&str> = asked.map(|exchange| exchange.question.as_str()).collect();
        written.suggestions = suggest(ask.question, &passages, draft.cites(), &asked);
    }
    let usage = total(&calls);
    record.calls = calls;
    record.reply(
        record::Reply {
            id: ask.reply_id,
            blocks: draft.blocks().to_vec(),
            sources: sources.clone(),
            finish: written.end.as_ref().ok().copied(),
            error: written.end.as_ref().err().map(|failure| failure.code),
            provider: written.provider.clone(),
            model: written.model.clone(),
            usage,
            evidence: evidence.clone(),
        },
        ended_ms,
    );
    let answered = written.end.is_ok() && written.provider != fallback::PERSONA;
    let instead = answered.then(|| Answerer {
        provider: written.provider.clone(),
        model: written.model.clone(),
    });
    let site = ask.question.site();
    let notices = alerts.into_iter();
    let notices = notices.map(|alert| alert.notice(site, instead.clone(), ended_ms));
    let notices = notices.collect();
    let stored = ports.record(&record).await;
    if let Err(error) = &stored {
        draft.log(&format!("the answer was not stored: {error}"));
    }
    let kept = stored.ok();
    // Only what a model has said to its end is worth to be said again.
    if let Some(slot) = slot.filter(|_| cached.is_none() && !flawed)
        && written.end == Ok(Finish::Stop)
        && usage != Usage::default()
    {
        let answer = CachedAnswer {
            text: draft.text().to_owned(),
            passages: passages.items().len(),
            sources: sources.clone(),
            suggestions: written.suggestions.clone(),
            provider: written.provider.clone(),
            model: written.model.clone(),
            confidence: evidence.confidence,
            unanswered: evidence.unanswered,
            topic: evidence.topic.clone(),
        };
        slot.keep(ports, &answer).await;
    }
    if !sources.is_empty() {
        draft.emit(ServerEvent::Sources(Sources { items: sources }));
    }
    if !written.suggestions.is_empty() {
        let items = written.suggestions.clone();
        draft.emit(ServerEvent::Suggestions(Suggestions { items }));
    }
    let is_kept = kept == Some(Kept::Everything);
    draft.emit(last_event(ask, written, &evidence, usage, is_kept));
    Ended {
        record,
        text: draft.text().to_owned(),
        cites: draft.cites().to_vec(),
        kept,
        outgrown: prompt.is_some_and(|prompt| prompt.dropped() > 0),
        notices,
    }
}

/// Tells the owner what they should know, and gives lines for the log. Takes up to about 20 seconds a notice when nobody
/// answers.
pub async fn tell_owner<P: Notices + Clock + Entropy>(
    ports: &P,
    site: &Site,
    notices: Vec<Notice>,
) -> Vec<String> {
    let mut log = Vec::new();
    for notice in notices {
        log.extend(notice::tell(ports, site, notice).await.log);
    }
    log
}

fn last_event(
    ask: &Ask,
    written: Written,
    evidence: &Evidence,
    usage: Usage,
    kept: bool,
) -> ServerEvent {
    match written.end {
        Ok(finish) => ServerEvent::Done(Done {
            reply_id: ask.reply_id,
            finish,
            provider: written.provider,
            model: written.model,
            confidence: evidence.confidence,
            cached: evidence.cached,
            usage,
            remaining: ask.question.remaining(),
            kept,
        }),
        Err(failure) => ServerEvent::Error(TurnError {
            code: failure.code,
            message: strings::failure(
                Some(&ask.question.site().bot),
                ask.question.locale(),
                failure.code,
            ),
            retry_after: failure.retry_after,
            action: None,
            kept,
        }),
    }
}

/// Gives an answer again.
fn again<P: Platform>(chain: &mut Chain<'_, P>, cached: &CachedAnswer) -> Written {
    chain.draft.reset(cached.passages, false);
    chain.draft.push(chain.ports, &cached.text);
    let now = chain.ports.now_ms();
    let call = Call::free(cache::NAME, &cached.model, Outcome::Answered, now);
    chain.calls.push(call);
    Written {
        end: Ok(Finish::Stop),
        provider: cached.provider.clone(),
        model: cached.model.clone(),
        suggestions: cached.suggestions.clone(),
    }
}

/// The tokens of all steps.
fn total(calls: &[Call]) -> Usage {
    let sum = |count: fn(&Usage) -> u32| {
        let counts = calls.iter().map(|call| count(&call.usage));
        counts.fold(0, u32::saturating_add)
    };
    Usage {
        input_tokens: sum(|usage| usage.input_tokens),
        output_tokens: sum(|usage| usage.output_tokens),
        estimated: calls.iter().any(|call| call.usage.estimated),
    }
}

/// The bot's topic that the question belongs to.
fn topic(question: &Question, passages: &Passages) -> Option<String> {
    let bot = &question.site().bot;
    let topics = bot.topics.get(passages.language(), &bot.locale)?;
    quality::topic::topic(question.text(), passages, topics)
}

/// The passages that the reply cites, under the numbers that it uses.
fn cited(cites: &[u32], passages: &Passages) -> Vec<Source> {
    let find = |n: u32| passages.items().iter().find(|passage| passage.n == n);
    (cites.iter().zip(1..))
        .filter_map(|(passage, n)| {
            Some(Source {
                n,
                ..find(*passage)?.source()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
