//! The second step of a turn: a model, the documents, the owner's own lines or the cache write the answer.

use bulle_protocol::{event::Finish, problem::Code};

use super::{
    Ask, Platform,
    chain::Chain,
    client::{Account, ModelClient},
    deadlines::Deadlines,
    draft::Draft,
    prepare::{Found, Plan},
    written::{PERSONA, Written},
};
use crate::{
    cache::{self, CachedAnswer},
    provider::{Failure, extractive},
    record::{ModelCall, Outcome},
    strings,
};

/// Writes the answer into the draft, as the plan says.
pub(super) async fn write<P: Platform>(
    ports: &P,
    ask: &Ask<'_>,
    plan: &mut Plan<'_>,
    draft: &mut Draft<'_>,
    deadlines: Deadlines<'_, P>,
) -> Written {
    match plan {
        Plan::Cached(cached) => replay_cached(ports, cached, draft),
        Plan::Documents(found) => without_model(ports, ask, found, true, draft, Account::default()),
        Plan::Models(found, brief) => {
            let client = ModelClient::new(ports, ask, deadlines, brief.circuit.take());
            let chain = Chain::new(ports, ask, found, brief, draft, client);
            match chain.run().await {
                Ok(written) => written,
                Err(account) => without_model(ports, ask, found, false, draft, account),
            }
        }
    }
}

/// Writes a cached answer into the draft.
fn replay_cached<P: Platform>(ports: &P, cached: &CachedAnswer, draft: &mut Draft<'_>) -> Written {
    draft.reset(cached.passages, false);
    draft.push(ports, &cached.text);
    let call = ModelCall::free(
        cache::NAME,
        &cached.model,
        Outcome::Answered,
        ports.now_ms(),
    );
    Written {
        end: Ok(Finish::Stop),
        provider: cached.provider.clone(),
        model: cached.model.clone(),
        suggestions: cached.suggestions.clone(),
        flawed: false,
        account: Account {
            calls: vec![call],
            ..Account::default()
        },
    }
}

/// Answers from the documents, else with one of the owner's own lines; neither costs money. `chosen` is true when the
/// bot has no model at all, so that quotations are its normal answer and not a fallback.
fn without_model<P: Platform>(
    ports: &P,
    ask: &Ask<'_>,
    found: &Found<'_>,
    chosen: bool,
    draft: &mut Draft<'_>,
    mut account: Account,
) -> Written {
    // Text that a visitor has already read is not replaced.
    if !ask.written.is_empty() {
        let detail = "no model could go on with the answer";
        let failure = Failure::new(Code::UpstreamUnavailable, detail);
        return Written::by(extractive::NAME, Err(failure), account);
    }
    if chosen && !found.searched {
        let detail = "the documents cannot be searched";
        let failure = Failure::new(Code::StorageUnavailable, detail);
        return Written::by(extractive::NAME, Err(failure), account);
    }
    let extract = extractive::answer(ask.question, &found.passages);
    let unfunded = (account.calls.iter()).all(|call| call.outcome == Outcome::Unfunded);
    let line = owners_line(ports, ask);
    // Where every model was passed over for want of budget and the owner has no line of their own, the documents answer
    // even when they hold nothing.
    let quotes = chosen || (found.searched && (extract.found || (unfunded && line.is_none())));
    let (provider, pieces, passages) = if quotes {
        let passages = found.passages.items().len();
        (extractive::NAME, extract.pieces, passages)
    } else {
        let texts = strings::texts(ask.question.locale()).answers;
        // Until the owner corrects the configuration, another try cannot succeed.
        let ours = if account.may_pass {
            texts.unavailable
        } else {
            texts.out_of_order
        };
        (PERSONA, vec![line.unwrap_or(ours)], 0)
    };
    draft.reset(passages, false);
    for piece in &pieces {
        draft.push(ports, piece);
    }
    let call = ModelCall::free(provider, provider, Outcome::Answered, ports.now_ms());
    account.calls.push(call);
    let finish = if chosen {
        Finish::Stop
    } else {
        Finish::Fallback
    };
    Written {
        suggestions: extract.suggestions,
        ..Written::by(provider, Ok(finish), account)
    }
}

/// One of the owner's lines in the visitor's language, drawn at random.
fn owners_line<P: Platform>(ports: &P, ask: &Ask<'_>) -> Option<String> {
    let bot = &ask.question.site().bot;
    let lines = bot
        .persona
        .fallback
        .get(ask.question.locale(), &bot.locale)?;
    let count = u128::try_from(lines.len()).ok().filter(|n| *n > 0)?;
    let n = usize::try_from(ports.random() % count).ok()?;
    lines.get(n).cloned()
}
