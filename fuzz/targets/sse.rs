//! A stream of server events: its frames do not depend on where the bytes are cut.
#![no_main]

use bulle_protocol::sse::{Decoder, Frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = frames(&[bytes]);
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(size).max(1)).collect();
    assert_eq!(whole, frames(&pieces));
    // The frames can be written and read again. The writer replaces characters that a field cannot hold, so they are
    // compared as written.
    for frame in whole.into_iter().flatten() {
        let written = frame.encode();
        let read = frames(&[written.as_bytes()]).unwrap_or_default();
        assert_eq!(read.iter().map(Frame::encode).collect::<String>(), written);
    }
});

/// The frames of a stream that arrives in these pieces; `None` when an event is too large.
fn frames(pieces: &[&[u8]]) -> Option<Vec<Frame>> {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    for piece in pieces {
        frames.extend(decoder.push(piece).ok()?);
    }
    Some(frames)
}
