//! Frames as a response.

use bulle_protocol::{
    event::ServerEvent,
    sse::{Decoder, KEEP_ALIVE},
};
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, select},
    stream::{self, LocalBoxStream},
};
use std::time::Duration;
use worker::{Delay, Response, ResponseBuilder};

/// Silence after which a comment is sent.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(15);

/// The frames of a turn that has ended.
pub fn ended(frames: Vec<String>) -> LocalBoxStream<'static, String> {
    stream::iter(frames).boxed_local()
}

/// The frames as `text/event-stream`, with comments in long silences.
pub fn respond(frames: LocalBoxStream<'static, String>) -> worker::Result<Response> {
    let bytes = stream::unfold(frames, |mut frames| async move {
        let silence = Delay::from(KEEP_ALIVE_AFTER).boxed_local();
        match select(frames.next(), silence).await {
            Either::Left((frame, _)) => frame.map(|frame| (Ok(frame.into_bytes()), frames)),
            Either::Right(_) => Some((Ok::<_, worker::Error>(KEEP_ALIVE.into()), frames)),
        }
    });
    ResponseBuilder::new()
        .with_header("content-type", "text/event-stream; charset=utf-8")?
        .with_header("cache-control", "no-store, no-transform")?
        .from_stream(bytes)
}

/// The events of stored frames.
pub fn decode(frames: &[String]) -> Vec<ServerEvent> {
    let mut decoder = Decoder::default();
    frames
        .iter()
        .filter_map(|frame| decoder.push(frame.as_bytes()).ok())
        .flatten()
        .filter_map(|frame| ServerEvent::from_frame(&frame).ok().flatten())
        .collect()
}
