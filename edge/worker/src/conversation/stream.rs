//! The response that streams the frames of a turn.

use bulle_edge_core::strings;
use bulle_protocol::{
    event::{BlockEvent, Done, EventId, Finish, Remaining, ServerEvent, Sources, Start, TurnError},
    sse::{Decoder, KEEP_ALIVE},
};
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, select},
    stream::{self, LocalBoxStream},
};
use std::{rc::Rc, time::Duration};
use worker::{Delay, Response, ResponseBuilder};

use super::store::{Frame, StoredTurn};

/// Silence after which a comment is sent.
pub const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(15);

/// Most frames that leave as one piece, when more than one is there.
const MOST_AT_ONCE: usize = 64;

/// The frames of a turn that has ended, after event `seq`.
pub fn ended(frames: Vec<Frame>, seq: u32) -> LocalBoxStream<'static, Rc<str>> {
    let rest = frames.into_iter().filter(move |frame| frame.seq > seq);
    stream::iter(rest.map(|frame| frame.text)).boxed_local()
}

/// The frames of a turn whose frames were deleted, rebuilt from its record.
pub fn rebuilt(turn: &StoredTurn) -> Vec<Frame> {
    let Some(reply) = &turn.record.reply else {
        return Vec::new();
    };
    let mut events = vec![ServerEvent::Start(Start {
        conversation_id: turn.record.conversation_id,
        message_id: turn.message_id,
        reply_id: reply.id,
    })];
    let blocks = reply.blocks.iter().cloned().enumerate();
    events.extend(blocks.map(|(index, block)| ServerEvent::Block(BlockEvent { index, block })));
    if !reply.sources.is_empty() {
        let items = reply.sources.clone();
        events.push(ServerEvent::Sources(Sources { items }));
    }
    events.push(match reply.error {
        Some(code) => ServerEvent::Error(TurnError {
            code,
            message: strings::failure(None, &turn.locale, code),
            retry_after: None,
            action: None,
            kept: true,
        }),
        None => ServerEvent::Done(Done {
            reply_id: reply.id,
            finish: reply.finish.unwrap_or(Finish::Stop),
            provider: reply.provider.clone(),
            model: reply.model.clone(),
            confidence: reply.evidence.confidence,
            cached: reply.evidence.cached,
            unanswered: reply.evidence.unanswered,
            usage: reply.usage,
            remaining: Remaining::default(),
            kept: true,
        }),
    });
    let frame = |(event, seq): (ServerEvent, u32)| {
        let id = EventId {
            turn: turn.message_id,
            seq,
        };
        let text = event.to_frame(id).ok()?.encode().into();
        Some(Frame { seq, text })
    };
    events.into_iter().zip(1..).filter_map(frame).collect()
}

/// The frames as `text/event-stream`, with a comment after every silence of that length.
pub fn respond(
    frames: LocalBoxStream<'static, Rc<str>>,
    silence: Duration,
) -> worker::Result<Response> {
    // Each piece costs a message between the object and the Worker.
    let pieces = frames.ready_chunks(MOST_AT_ONCE);
    let bytes = stream::unfold(pieces, move |mut pieces| async move {
        let pause = Delay::from(silence).boxed_local();
        let piece = match select(pieces.next(), pause).await {
            Either::Left((frames, _)) => frames?.concat().into_bytes(),
            Either::Right(_) => KEEP_ALIVE.into(),
        };
        Some((Ok::<_, worker::Error>(piece), pieces))
    });
    ResponseBuilder::new()
        .with_header("content-type", "text/event-stream; charset=utf-8")?
        .with_header("cache-control", "no-store, no-transform")?
        .from_stream(bytes)
}

/// The events of stored frames.
pub fn decode(frames: &[Frame]) -> Vec<ServerEvent> {
    let mut decoder = Decoder::default();
    frames
        .iter()
        .filter_map(|frame| decoder.push(frame.text.as_bytes()).ok())
        .flatten()
        .filter_map(|frame| ServerEvent::from_frame(&frame).ok().flatten())
        .collect()
}
