//! Server-sent events, sans-IO: bytes in, frames out, and back.
//!
//! The grammar is the one of the HTML standard, section 9.2.6 "Interpreting an event stream":
//! lines end in LF, CR or CRLF, a leading byte order mark is skipped, `:` starts a comment, `data`
//! lines are joined with LF, an id with NUL is ignored, and a block that the stream's end cuts short is
//! dropped.

/// Largest event that [`Decoder`] accepts, in bytes of its lines.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

/// One dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Value of the `event` field; empty when there was none (a browser would say `message`).
    pub event: String,
    /// Value of the `id` field of this very block.
    pub id: Option<String>,
    /// The `data` lines, joined with LF.
    pub data: String,
}

impl Frame {
    /// The frame as bytes of a stream.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(self.data.len() + self.event.len() + 48);
        if !self.event.is_empty() {
            field(&mut out, "event", &one_line(&self.event));
        }
        if let Some(id) = &self.id {
            field(&mut out, "id", &one_line(id));
        }
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            field(&mut out, "data", line);
        }
        out.push('\n');
        out
    }
}

/// A comment frame, sent so that neither proxies nor the client time out on a silent stream.
pub const KEEP_ALIVE: &str = ": keep-alive\n\n";

fn one_line(value: &str) -> String {
    value.replace(['\r', '\n', '\0'], " ")
}

fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

/// An event grew past [`MAX_EVENT_BYTES`]; the stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge;

/// Decodes chunks, cut at arbitrary bytes, into frames.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    after_cr: bool,
    seen_first_line: bool,
    frame: Frame,
    has_data: bool,
    size: usize,
}

impl Decoder {
    /// Feeds bytes and returns the frames that they complete, in order.
    ///
    /// # Errors
    /// [`EventTooLarge`]; the decoder must be dropped then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, EventTooLarge> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let lf_of_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            if lf_of_crlf {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                frames.extend(self.end_line());
                continue;
            }
            self.size += 1;
            if self.size > MAX_EVENT_BYTES {
                return Err(EventTooLarge);
            }
            self.line.push(byte);
        }
        Ok(frames)
    }

    /// After the end of the stream: the frame that a last blank line would have completed. Browsers drop it, as the standard
    /// says; a server that omits that line has sent its last event nevertheless. The frame may be incomplete.
    pub fn finish(&mut self) -> Option<Frame> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.end_line()
    }

    /// Ends the current line; a frame when the line was the blank one that dispatches.
    fn end_line(&mut self) -> Option<Frame> {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let mut line = line.as_ref();
        if !self.seen_first_line {
            self.seen_first_line = true;
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.size = 0;
            let frame = std::mem::take(&mut self.frame);
            return std::mem::take(&mut self.has_data).then_some(frame);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.frame.event),
            "data" => {
                if self.has_data {
                    self.frame.data.push('\n');
                }
                self.has_data = true;
                self.frame.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.frame.id = Some(value.to_owned()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Frame> {
        Decoder::default().push(bytes).unwrap()
    }

    fn frame(event: &str, id: Option<&str>, data: &str) -> Frame {
        Frame {
            event: event.into(),
            id: id.map(Into::into),
            data: data.into(),
        }
    }

    #[test]
    fn grammar() {
        let table: &[(&str, Vec<Frame>)] = &[
            ("data: a\n\n", vec![frame("", None, "a")]),
            (
                "data:a\r\rdata:b\r\n\r\n",
                vec![frame("", None, "a"), frame("", None, "b")],
            ),
            ("data: a\ndata:  b\n\n", vec![frame("", None, "a\n b")]),
            ("\u{feff}data: a\n\n", vec![frame("", None, "a")]),
            (": note\n\ndata\n\n", vec![frame("", None, "")]),
            ("event: x\n\ndata: a\n\n", vec![frame("", None, "a")]),
            (
                "event: x\nid: 7\nretry: 3\nother: y\ndata: a\n\n",
                vec![frame("x", Some("7"), "a")],
            ),
            ("id: a\0b\ndata: a\n\n", vec![frame("", None, "a")]),
            ("data: cut short", vec![]),
            ("data: cut\n", vec![]),
        ];
        for (input, expected) in table {
            assert_eq!(&decode(input.as_bytes()), expected, "{input:?}");
        }
    }

    #[test]
    fn every_split_of_a_stream_gives_the_same_frames() {
        let stream = "event: é\r\nid: 1\r\ndata: naïve 🫧\r\rdata: {\"a\":1}\n: c\ndata: 漢字\n\n";
        let whole = decode(stream.as_bytes());
        assert_eq!(whole.len(), 2);
        for cut in 0..=stream.len() {
            let mut decoder = Decoder::default();
            let (a, b) = stream.as_bytes().split_at(cut);
            let mut frames = decoder.push(a).unwrap();
            frames.extend(decoder.push(b).unwrap());
            assert_eq!(frames, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_may_end_without_its_last_blank_line() {
        for end in ["", "\n", "\r", "\r\n"] {
            let mut decoder = Decoder::default();
            let text = format!("data: a\n\nevent: x\ndata: b{end}");
            assert_eq!(decoder.push(text.as_bytes()).unwrap().len(), 1);
            assert_eq!(decoder.finish(), Some(frame("x", None, "b")), "{end:?}");
            assert_eq!(decoder.finish(), None);
        }
        for nothing in ["", "data: a\n\n", ": ping", "event: x\n"] {
            let mut decoder = Decoder::default();
            decoder.push(nothing.as_bytes()).unwrap();
            assert_eq!(decoder.finish(), None, "{nothing:?}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = Decoder::default();
        let chunk = vec![b'a'; MAX_EVENT_BYTES];
        assert!(decoder.push(&chunk).is_ok());
        assert_eq!(decoder.push(b"a"), Err(EventTooLarge));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            event in "[a-z]{0,8}", id in proptest::option::of("[^\r\n\0]{1,12}"), data in "(?s).{0,60}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let original = Frame { event, id, data };
            let bytes = original.encode().into_bytes();
            let mut ends: Vec<usize> = cuts.iter().map(|i| i.index(bytes.len())).collect();
            ends.push(bytes.len());
            ends.sort_unstable();
            let mut decoder = Decoder::default();
            let mut frames = Vec::new();
            let mut from = 0;
            for end in ends {
                frames.extend(decoder.push(&bytes[from..end]).unwrap());
                from = end;
            }
            let newlines = |s: &str| s.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(frames.len(), 1);
            prop_assert_eq!(&frames[0].event, &original.event);
            prop_assert_eq!(&frames[0].id, &original.id);
            prop_assert_eq!(&frames[0].data, &newlines(&original.data));
        }

        #[test]
        fn any_bytes_in_any_pieces_give_the_same_frames(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b'd'), any::<u8>()], 0..80), at in any::<prop::sample::Index>()) {
            let cut = at.index(bytes.len() + 1);
            let mut decoder = Decoder::default();
            let mut frames = decoder.push(&bytes[..cut]).unwrap();
            frames.extend(decoder.push(&bytes[cut..]).unwrap());
            prop_assert_eq!(frames, decode(&bytes));
        }
    }
}
