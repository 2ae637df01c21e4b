//! After the turn: what no longer fits a prompt is summed up by a model, so that a long conversation is remembered.

use bulle_protocol::event::{Finish, ServerEvent, Start};
use futures_util::FutureExt;

use super::{Ask, Platform, Sink, chain::Chain, draft::Draft, model::Patience};
use crate::{
    model::Summary,
    prompt::{self, Memory},
    provider::{Deployment, Link},
    record::Purpose,
    retrieval::Passages,
};

/// Nobody sees a summary being written.
struct Nobody<'a>(&'a mut dyn Sink);

impl Sink for Nobody<'_> {
    fn emit(&mut self, _: ServerEvent) {}
    fn log(&mut self, line: &str) {
        self.0.log(line);
    }
}

/// Sums up what a conversation has outgrown, and keeps it. `ask` is the turn that has just ended, with the history before
/// it. What fails is tried again after the next turn.
pub async fn summarise<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    ask: &Ask<'_>,
    sink: &mut dyn Sink,
) {
    let owner = ask.question.owner();
    let mut nobody = Nobody(sink);
    let previous = match ports.latest(&owner, ask.conversation_id).await {
        Ok(previous) => previous,
        Err(error) => {
            nobody.log(&format!("no summary: {error}"));
            return;
        }
    };
    let memory = Memory {
        summary: previous.as_ref(),
        exchanges: ask.history,
    };
    let locale = ask.question.locale();
    let Some(prompt) = prompt::summary(previous.as_ref(), memory.to_summarise(), locale) else {
        return;
    };
    let start = Start {
        conversation_id: ask.conversation_id,
        message_id: ask.question.id(),
        reply_id: ask.reply_id,
    };
    let bot = &ask.question.site().bot;
    let timeouts = deployment.timeouts.with(bot.model.timeouts);
    let patience = Patience::new(
        ports,
        timeouts,
        deployment.timeouts,
        std::future::pending().boxed_local(),
    );
    let passages = Passages::default();
    let draft = Draft::begin(&mut nobody, start);
    let mut chain = Chain::new(ports, ask, &passages, draft, patience);
    for link in deployment.chain(bot) {
        let Link::Model(model) = link else { continue };
        chain.draft.reset(0, false);
        let end = chain.try_model(model, Purpose::Summary, &prompt).await;
        if end == Ok(Finish::Stop) {
            break;
        }
        chain.draft.reset(0, false);
    }
    let text = chain.draft.text().trim().to_owned();
    if let (Some(until), false) = (prompt.covers(), text.is_empty()) {
        let summary = Summary { text, until };
        if let Err(error) = ports.keep(&owner, ask.conversation_id, &summary).await {
            chain
                .draft
                .log(&format!("the summary was not kept: {error}"));
        }
    }
    let Chain {
        mut draft, calls, ..
    } = chain;
    let ids = format!("{}/summary", ask.reply_id);
    let stored = ports.record_calls(&owner, ask.conversation_id, None, &ids, &calls);
    if let Err(error) = stored.await {
        draft.log(&format!("what the summary cost is not stored: {error}"));
    }
}
