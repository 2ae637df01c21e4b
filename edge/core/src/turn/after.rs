//! The work after an answer: the owner gets the notices of the turn, and a model sums up the exchanges that no longer
//! fit into a prompt, so that a long conversation is remembered.

use bulle_protocol::event::{Finish, ServerEvent};
use std::rc::Rc;

use super::{Ask, Ended, Platform, Sink, client::ModelClient, deadlines::Deadlines, draft::Draft};
use crate::{
    model::Summary,
    notice,
    ports::Notices,
    prompt::{self, Prompt, PromptHistory},
    provider::{Deployment, Link},
    record::{ModelCall, Purpose},
};

/// Takes lines for the log. They never hold a visitor's words.
type Log<'a> = dyn FnMut(&str) + 'a;

/// Sends the turn's notices to the owner, and summarises the conversation when it no longer fits into a prompt. `ask`
/// is the turn that has ended as `ended`, with the history before it. A notice takes up to about 20 seconds when no
/// address of the owner's answers.
pub async fn after<P: Platform + Notices>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    ended: Ended,
    log: &mut Log<'_>,
) {
    let site = ask.question.site();
    for notice in ended.notices {
        for line in notice::tell(ports, site, notice).await.log {
            log(&line);
        }
    }
    if ended.outgrown {
        summarise(ports, deployment, ask, log).await;
    }
}

/// The sink of a summary: it drops the events, as no page shows a summary.
struct Muted<'a, 'l>(&'a mut Log<'l>);

impl Sink for Muted<'_, '_> {
    fn emit(&mut self, _: ServerEvent) {}
    fn log(&mut self, line: &str) {
        (self.0)(line);
    }
}

/// Has a model sum up the oldest exchanges, and stores the summary. A summary that fails is tried again after the next
/// turn.
async fn summarise<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    log: &mut Log<'_>,
) {
    let owner = ask.question.owner();
    let conversation = ask.accepted.conversation_id;
    let previous = match ports.latest(&owner, conversation).await {
        Ok(previous) => previous,
        Err(error) => return log(&format!("no summary: {error}")),
    };
    let memory = PromptHistory {
        summary: previous.as_ref(),
        exchanges: ask.history,
    };
    let locale = ask.question.locale();
    let Some(prompt) = prompt::summary(previous.as_ref(), memory.to_summarise(), locale) else {
        return;
    };
    let mut muted = Muted(log);
    let mut draft = Draft::begin(&mut muted, ask.start());
    let until = prompt.covers();
    let deadlines = Deadlines::without_cancel(ports, deployment, &ask.question.site().bot);
    let client = ModelClient::new(ports, ask, deadlines, None);
    let calls = ask_for_summary(client, deployment, ask, prompt, &mut draft).await;
    let text = draft.text().trim().to_owned();
    if let Some(until) = until.filter(|_| !text.is_empty()) {
        let summary = Summary { text, until };
        if let Err(error) = ports.keep(&owner, conversation, &summary).await {
            draft.log(&format!("the summary was not kept: {error}"));
        }
    }
    let ids = format!("{}/summary", ask.reply_id);
    let stored = ports.record_calls(&owner, conversation, None, &ids, &calls);
    if let Err(error) = stored.await {
        draft.log(&format!("what the summary cost is not stored: {error}"));
    }
}

/// Asks the chain's models one after the other until one has written a whole summary into the draft. When none has, the
/// draft is empty.
async fn ask_for_summary<P: Platform>(
    mut client: ModelClient<'_, P>,
    deployment: &Deployment,
    ask: &Ask<'_>,
    prompt: Prompt,
    draft: &mut Draft<'_>,
) -> Vec<ModelCall> {
    let prompt = Rc::new(prompt);
    for link in deployment.chain(&ask.question.site().bot) {
        let Link::Model(model) = link else { continue };
        draft.reset(0, false);
        let end = client.ask(model, Purpose::Summary, &prompt, draft).await;
        if end == Ok(Finish::Stop) {
            break;
        }
        draft.reset(0, false);
    }
    client.close().calls
}
