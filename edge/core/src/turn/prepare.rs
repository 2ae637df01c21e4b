//! The first step of a turn: finds what the question is answered from, and plans who answers.

use futures_util::future::join;
use std::rc::Rc;

use super::{Ask, Platform};
use crate::{
    attachments,
    cache::{CachedAnswer, Slot},
    model::Summary,
    prompt::{self, Extras, Input, Prompt, PromptHistory},
    provider::{Deployment, Link, breaker::Breaker},
    quality::validate::{self, Defect},
    reply::suggestion_line,
    retrieval::{self, Analysed, Passages, WithFiles},
};

/// A turn that is ready for `write`.
pub(super) struct Prepared<'a> {
    /// Where a model's answer may be kept for other visitors.
    pub slot: Option<Slot>,
    pub plan: Plan<'a>,
    /// Lines for the log: they wait until the message is accepted.
    pub log: Vec<String>,
}

/// What answers the question.
pub(super) enum Plan<'a> {
    /// An earlier answer to the same question. The documents are not searched and no model is asked.
    Cached(CachedAnswer),
    /// The passages found, because the bot has no model.
    Documents(Found<'a>),
    /// The models of the bot's chain; if none answers, the passages found.
    Models(Found<'a>, Brief<'a>),
}

/// The result of the search.
pub(super) struct Found<'a> {
    /// The question as it was analysed for the search.
    pub asked: Analysed<'a>,
    pub passages: Passages,
    /// False when the documents could not be searched.
    pub searched: bool,
}

/// The input of the chain's models.
pub(super) struct Brief<'a> {
    /// The chain, in the order in which it is asked.
    pub links: Vec<Link<'a>>,
    /// The prompt of each model's first request.
    pub prompt: Rc<Prompt>,
    /// The summary of a long conversation's beginning.
    pub summary: Option<Summary>,
    /// The state of the first model's circuit.
    pub circuit: Option<Breaker>,
}

/// Looks for a cached answer; without one, searches the documents and builds the prompt.
pub(super) async fn prepare<'a, P: Platform>(
    ports: &P,
    deployment: &'a Deployment,
    ask: &Ask<'a>,
) -> Prepared<'a> {
    let mut log = Vec::new();
    let links = deployment.chain(&ask.question.site().bot);
    let slot = Slot::of(ask.question, &links).filter(|_| ask.is_first());
    if let Some(slot) = &slot
        && let Some(cached) = slot.look(ports).await
    {
        let plan = Plan::Cached(cached);
        let slot = None;
        return Prepared { slot, plan, log };
    }
    // The first model's circuit is read during the search.
    let circuit = async {
        match links.first() {
            Some(Link::Model(model)) => Some(Breaker::look(ports, model).await),
            _ => None,
        }
    };
    let searching = search(ports, ask, links.is_empty(), &mut log);
    let (found, circuit) = join(searching, circuit).await;
    if links.is_empty() {
        let plan = Plan::Documents(found);
        return Prepared { slot, plan, log };
    }
    let (prompt, summary) = first_prompt(ports, ask, &found.passages, &mut log).await;
    let brief = Brief {
        links,
        prompt: Rc::new(prompt),
        summary,
        circuit,
    };
    let plan = Plan::Models(found, brief);
    Prepared { slot, plan, log }
}

/// Searches the bot's documents, and also the visitor's files when no model gets those whole.
async fn search<'a, P: Platform>(
    ports: &P,
    ask: &Ask<'a>,
    with_files: bool,
    log: &mut Vec<String>,
) -> Found<'a> {
    let asked = Analysed::of(ask.question);
    let index = WithFiles {
        index: ports,
        files: if with_files {
            ask.question.attachments()
        } else {
            &[]
        },
    };
    let previous = ask.history.last();
    let previous = previous.map(|exchange| exchange.question.as_str());
    let found = retrieval::search(&index, &asked, previous).await;
    if let Err(error) = &found {
        log.push(format!("no passages: {error}"));
    }
    let searched = found.is_ok();
    let passages = found.unwrap_or_default();
    if let Some(error) = passages.without_meaning() {
        log.push(format!("no passages by meaning: {error}"));
    }
    Found {
        asked,
        passages,
        searched,
    }
}

/// The prompt of a turn's first request. When the conversation does not fit, its summary is read, and the prompt is
/// built again with the summary in place of the oldest exchanges.
async fn first_prompt<P: Platform>(
    ports: &P,
    ask: &Ask<'_>,
    passages: &Passages,
    log: &mut Vec<String>,
) -> (Prompt, Option<Summary>) {
    let so_far = (!ask.written.is_empty()).then_some(ask.written);
    let prompt = prompt(ask, passages, None, so_far, None);
    if prompt.dropped() == 0 {
        return (prompt, None);
    }
    let owner = ask.question.owner();
    match ports.latest(&owner, ask.accepted.conversation_id).await {
        Ok(Some(summary)) => {
            let prompt = self::prompt(ask, passages, Some(&summary), so_far, None);
            (prompt, Some(summary))
        }
        Ok(None) => (prompt, None),
        Err(error) => {
            log.push(format!("no summary: {error}"));
            (prompt, None)
        }
    }
}

/// A prompt of a turn. `so_far` is the text of an answer to be continued; `defect` is to be avoided this time.
pub(super) fn prompt(
    ask: &Ask<'_>,
    passages: &Passages,
    summary: Option<&Summary>,
    so_far: Option<&str>,
    defect: Option<&Defect>,
) -> Prompt {
    let memory = PromptHistory {
        summary,
        exchanges: ask.history,
    };
    let repair = defect.map(validate::instruction);
    let material = attachments::quoted(ask.question.attachments());
    let extras = Extras {
        continuation: so_far,
        repair: repair.as_deref(),
        system: ask.question.instructions(),
        suggest: ask.offers().then_some(suggestion_line::INSTRUCTION),
        material: material.as_deref(),
    };
    prompt::build(&Input::of(ask.question), passages, &memory, &extras)
}
