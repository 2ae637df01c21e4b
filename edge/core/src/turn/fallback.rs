//! What answers when no model does: the documents, then the owner's own lines. Neither costs anything.

use bulle_protocol::{event::Finish, problem::Code};

use super::{Chain, Platform, Written};
use crate::{
    provider::{Failure, extractive},
    record::{Call, Outcome},
    strings,
};

/// Name of the provider and of its model when the owner's own lines answer.
pub const PERSONA: &str = "persona";

/// Answers. `chosen`: the bot has no model at all, so the documents are no makeshift. `searched`: the documents could be.
pub(super) fn answer<P: Platform>(
    chain: &mut Chain<'_, P>,
    chosen: bool,
    searched: bool,
) -> Written {
    let ask = chain.ask;
    let written = |provider: &'static str, end, suggestions| Written {
        end,
        provider: provider.to_owned(),
        model: provider.to_owned(),
        suggestions,
    };
    // What a visitor has already read is not replaced.
    if !ask.written.is_empty() {
        let failure = Failure::new(
            Code::UpstreamUnavailable,
            "nobody could go on with the answer",
        );
        return written(extractive::NAME, Err(failure), Vec::new());
    }
    if chosen && !searched {
        let failure = Failure::new(Code::StorageUnavailable, "the documents cannot be searched");
        return written(extractive::NAME, Err(failure), Vec::new());
    }
    let extract = extractive::answer(ask.question, chain.passages);
    let unfunded = (chain.calls.iter()).all(|call| call.outcome == Outcome::Unfunded);
    let own = line(chain);
    // Where only money is missing, and the owner has nothing else to say, what the documents say of themselves is said.
    let documents = chosen || (searched && (extract.found || (unfunded && own.is_none())));
    let (provider, pieces) = match documents {
        true => (extractive::NAME, extract.pieces),
        false => {
            let texts = strings::texts(ask.question.locale()).answers;
            (PERSONA, vec![own.unwrap_or(texts.unavailable)])
        }
    };
    let passages = if documents {
        chain.passages.items().len()
    } else {
        0
    };
    chain.draft.reset(passages, false);
    for piece in &pieces {
        chain.draft.push(chain.ports, piece);
    }
    let now = chain.ports.now_ms();
    let call = Call::free(provider, provider, Outcome::Answered, now);
    chain.calls.push(call);
    let finish = if chosen {
        Finish::Stop
    } else {
        Finish::Fallback
    };
    written(provider, Ok(finish), extract.suggestions)
}

/// One of the owner's lines in the visitor's language, another one next time.
fn line<P: Platform>(chain: &Chain<'_, P>) -> Option<String> {
    let question = chain.ask.question;
    let bot = &question.site().bot;
    let lines = bot.persona.fallback.get(question.locale(), &bot.locale)?;
    let count = u128::try_from(lines.len()).ok().filter(|n| *n > 0)?;
    let n = usize::try_from(chain.ports.random() % count).ok()?;
    lines.get(n).cloned()
}
