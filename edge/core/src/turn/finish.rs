//! The third step of a turn: judges the answer, stores the ending of the turn (also a failure), and sends the page the
//! events after the text.

use bulle_api::notice::Answerer;
use bulle_protocol::event::{
    Done, Finish, ServerEvent, Source, Sources, Suggestions, TurnError, Usage,
};

use super::{
    Ask, Ended, Platform, Reader,
    draft::Draft,
    prepare::{Found, Plan, Prepared},
    refund::refund_unanswered,
    written::Written,
};
use crate::{
    cache::{CachedAnswer, Slot},
    guard::limit::Counted,
    notice::NewNotice,
    ports::Kept,
    prompt::Prompt,
    quality::{
        self, Finished, confidence::confidence, suggest::suggest, unanswered::is_unanswered,
    },
    record::{self, Evidence, ModelCall, Record},
    retrieval::Passages,
    strings,
};

/// The judgement of an answer: its sources, confidence and topic, and whether it left the question unanswered.
struct Judged {
    sources: Vec<Source>,
    confidence: Option<f32>,
    topic: Option<String>,
    unanswered: bool,
    /// The questions to ask next; kept with a cached answer even when this reader is not offered them.
    suggestions: Vec<String>,
    /// How many passages the writer was given and could cite.
    passages: usize,
    cached: bool,
}

/// Ends a turn that began at `began_ms` (Unix).
pub(super) async fn finish<P: Platform>(
    ports: &P,
    ask: &Ask<'_>,
    counted: &Counted,
    prepared: Prepared<'_>,
    written: Written,
    mut draft: Draft<'_>,
    began_ms: u64,
) -> Ended {
    draft.finish(ports);
    refund_unanswered(ports, ask, &written, &mut draft).await;
    let judged = match prepared.plan {
        Plan::Cached(cached) => Judged::before(cached),
        Plan::Documents(found) | Plan::Models(found, _) => {
            Judged::now(ask, &written, &draft, &found)
        }
    };
    let ended_ms = ports.now_ms();
    let since = |ms: u64| u32::try_from(ms.saturating_sub(began_ms)).unwrap_or(u32::MAX);
    let prompt = written.account.prompt.as_deref();
    let evidence = Evidence {
        cached: judged.cached,
        first_token_ms: draft.first_ms().map(since),
        total_ms: since(ended_ms),
        prompt: prompt.map(Prompt::reference),
        topic: judged.topic.clone(),
        confidence: judged.confidence,
        unanswered: judged.unanswered,
        adapted: written.account.adapted.clone(),
    };
    let outgrown = ask.reader == Reader::Page && prompt.is_some_and(|prompt| prompt.dropped() > 0);
    let record = record(ask, &written, &draft, &judged, evidence, ended_ms);
    let stored = ports.record(&record).await;
    if let Err(error) = &stored {
        draft.log(&format!("the answer was not stored: {error}"));
    }
    let kept = stored.ok();
    if let Some(slot) = prepared.slot {
        keep_in_cache(ports, &slot, &written, &draft, &judged).await;
    }
    let is_kept = kept == Some(Kept::Everything);
    emit_ending(ask, counted, &mut draft, &written, judged, is_kept);
    Ended {
        record,
        text: draft.text().to_owned(),
        cites: draft.cites().to_vec(),
        kept,
        outgrown,
        notices: notices(ask, written, ended_ms),
    }
}

impl Judged {
    /// The judgement of a cached answer is the one stored with it.
    fn before(cached: CachedAnswer) -> Self {
        Self {
            sources: cached.sources,
            confidence: cached.confidence,
            topic: cached.topic,
            unanswered: cached.unanswered,
            suggestions: cached.suggestions,
            passages: cached.passages,
            cached: true,
        }
    }

    /// Judges a new answer.
    fn now(ask: &Ask<'_>, written: &Written, draft: &Draft<'_>, found: &Found<'_>) -> Self {
        let passages = &found.passages;
        let finished = written.end.as_ref().ok().map(|finish| Finished {
            question: ask.question.text(),
            blocks: draft.blocks(),
            cites: draft.cites(),
            passages,
            finish: *finish,
        });
        Self {
            sources: cited(draft.cites(), passages),
            confidence: finished.as_ref().and_then(confidence),
            topic: topic(found),
            // A search that failed does not show that the documents lack an answer. An answer from the visitor's own
            // files does not show it either.
            unanswered: found.searched
                && ask.question.attachments().is_empty()
                && finished.is_some_and(|answer| is_unanswered(&answer, written.is_quoted())),
            suggestions: suggestions(ask, written, draft, found),
            passages: passages.items().len(),
            cached: false,
        }
    }
}

/// The suggested questions: those of the model, else the titles of passages that were found and not cited.
fn suggestions(
    ask: &Ask<'_>,
    written: &Written,
    draft: &Draft<'_>,
    found: &Found<'_>,
) -> Vec<String> {
    if !ask.question.site().bot.answers.suggestions || written.end.is_err() {
        return Vec::new();
    }
    if !written.suggestions.is_empty() {
        return written.suggestions.clone();
    }
    let earlier: Vec<&str> = (ask.history.iter())
        .map(|exchange| exchange.question.as_str())
        .collect();
    suggest(&found.asked, &found.passages, draft.cites(), &earlier)
}

/// The bot's topic that the question belongs to.
fn topic(found: &Found<'_>) -> Option<String> {
    let Found {
        asked, passages, ..
    } = found;
    let bot = &asked.question().site().bot;
    let topics = bot.topics.get(asked.language(), &bot.locale)?;
    quality::topic::topic(asked.words(), passages, topics)
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

/// The whole record of the turn.
fn record(
    ask: &Ask<'_>,
    written: &Written,
    draft: &Draft<'_>,
    judged: &Judged,
    evidence: Evidence,
    ended_ms: u64,
) -> Record {
    let mut record = ask.accepted.clone();
    record.calls = written.account.calls.clone();
    let reply = record::Reply {
        id: ask.reply_id,
        blocks: draft.blocks().to_vec(),
        sources: judged.sources.clone(),
        finish: written.end.as_ref().ok().copied(),
        error: written.end.as_ref().err().map(|failure| failure.code),
        provider: written.provider.clone(),
        model: written.model.clone(),
        usage: total(&written.account.calls),
        evidence,
    };
    record.reply(reply, ended_ms);
    record
}

/// The tokens of all the turn's calls.
fn total(calls: &[ModelCall]) -> Usage {
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

/// Caches the answer for other visitors, if a model wrote it to its end and it has no defect.
async fn keep_in_cache<P: Platform>(
    ports: &P,
    slot: &Slot,
    written: &Written,
    draft: &Draft<'_>,
    judged: &Judged,
) {
    let is_whole = written.end == Ok(Finish::Stop) && !written.flawed;
    if !is_whole || total(&written.account.calls) == Usage::default() {
        return;
    }
    let answer = CachedAnswer {
        text: draft.text().to_owned(),
        passages: judged.passages,
        sources: judged.sources.clone(),
        suggestions: judged.suggestions.clone(),
        provider: written.provider.clone(),
        model: written.model.clone(),
        confidence: judged.confidence,
        unanswered: judged.unanswered,
        topic: judged.topic.clone(),
    };
    slot.keep(ports, &answer).await;
}

/// Emits the events after the answer's text: its sources, the suggested questions, and how the turn ended.
fn emit_ending(
    ask: &Ask<'_>,
    counted: &Counted,
    draft: &mut Draft<'_>,
    written: &Written,
    judged: Judged,
    kept: bool,
) {
    if !judged.sources.is_empty() {
        let items = judged.sources;
        draft.emit(ServerEvent::Sources(Sources { items }));
    }
    if ask.offers() && written.end.is_ok() && !judged.suggestions.is_empty() {
        let items = judged.suggestions;
        draft.emit(ServerEvent::Suggestions(Suggestions { items }));
    }
    let last = match &written.end {
        Ok(finish) => ServerEvent::Done(Done {
            reply_id: ask.reply_id,
            finish: *finish,
            provider: written.provider.clone(),
            model: written.model.clone(),
            confidence: judged.confidence,
            cached: judged.cached,
            unanswered: judged.unanswered,
            usage: total(&written.account.calls),
            remaining: counted.remaining(),
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
    };
    draft.emit(last);
}

/// The notices of the turn. Each names the writer of the answer where a model did not answer.
fn notices(ask: &Ask<'_>, written: Written, ended_ms: u64) -> Vec<NewNotice> {
    let instead = written.is_answer().then_some(Answerer {
        provider: written.provider,
        model: written.model,
    });
    let site = ask.question.site();
    (written.account.alerts.into_iter())
        .map(|alert| alert.notice(site, instead.clone(), ended_ms))
        .collect()
}
