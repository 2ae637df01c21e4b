//! The response that streams the frames of a turn.

use bulle_edge_core::strings;
use bulle_protocol::{
    event::{BlockEvent, Done, EventId, Finish, Remaining, ServerEvent, Sources, Start, TurnError},
    sse::{Decoder, KEEP_ALIVE},
};
use futures_channel::oneshot;
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
    stream::{self, LocalBoxStream},
};
use std::{pin::pin, rc::Rc, time::Duration};
use worker::{Delay, Response, ResponseBuilder, wasm_bindgen_futures::spawn_local};

use super::{frames::Frame, store::StoredTurn};

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

/// The frames as `text/event-stream`, with a comment after a silence of about that length.
pub fn respond(
    frames: LocalBoxStream<'static, Rc<str>>,
    silence: Duration,
) -> worker::Result<Response> {
    // Each piece costs a message between the object and the Worker.
    let pieces = frames.ready_chunks(MOST_AT_ONCE);
    let pauses = Pauses::new(silence / 2);
    let bytes = stream::unfold(
        (pieces, pauses),
        move |(mut pieces, mut pauses)| async move {
            let piece = match select(pieces.next(), pin!(pauses.silence())).await {
                Either::Left((frames, _)) => frames?.concat().into_bytes(),
                Either::Right(_) => KEEP_ALIVE.into(),
            };
            Some((Ok::<_, worker::Error>(piece), (pieces, pauses)))
        },
    );
    ResponseBuilder::new()
        .with_header("content-type", "text/event-stream; charset=utf-8")?
        .with_header("cache-control", "no-store, no-transform")?
        .from_stream(bytes)
}

/// Finds silences with one timer for many pieces, because a timer costs more than a piece. It rings each half of a silence.
struct Pauses {
    half: Duration,
    /// The timer that is set, and whether a piece has come since.
    set: Option<(LocalBoxFuture<'static, ()>, bool)>,
}

impl Pauses {
    fn new(half: Duration) -> Self {
        Self { half, set: None }
    }

    /// Resolves when no piece has come for one to two halves. Dropped before that, a piece has come.
    async fn silence(&mut self) {
        if let Some((_, come)) = &mut self.set {
            *come = true;
        }
        loop {
            let half = self.half;
            let (ring, come) = self.set.get_or_insert_with(|| (pause(half), false));
            ring.await;
            let come = *come;
            self.set = None;
            if !come {
                return;
            }
        }
    }
}

/// A timer that wakes whichever task has polled it last: each pull of a stream is a task of its own, and [`worker::Delay`]
/// wakes the first one.
fn pause(duration: Duration) -> LocalBoxFuture<'static, ()> {
    let (mut ring, rung) = oneshot::channel();
    spawn_local(async move {
        let delay = pin!(Delay::from(duration));
        // A timer that nobody waits for would keep the object in memory, which is paid for.
        if let Either::Left(_) = select(delay, ring.cancellation()).await {
            let _ = ring.send(());
        }
    });
    rung.map(|_| ()).boxed_local()
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
