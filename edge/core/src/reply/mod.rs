//! Turns a model's text, as it streams, into server events: Markdown is parsed incrementally into typed blocks, and the
//! page receives only the changes.

mod address;
mod dialect;
mod markdown;
mod stabilise;
pub mod suggestion_line;

use bulle_protocol::{
    block::Block,
    event::{AppendEvent, BlockEvent, ServerEvent},
};

/// Most bytes of an answer; a longer one is cut.
pub const MAX_REPLY_BYTES: usize = 128 * 1024;

/// Bytes of unsettled text from which a block is only replaced after the text has grown by a part in
/// [`LARGE_STEP`]: a long list would otherwise be sent again, whole, with each of its items.
const LARGE: usize = 4 * 1024;

/// See [`LARGE`]. The bytes sent for a block are at most this many times its size.
const LARGE_STEP: usize = 32;

/// True for characters that are invisible and change how text reads: control characters other than white space, and the
/// overrides of text direction (Unicode Technical Report 36, section 2.1.2: `exe.gnp` shown as `png.exe`). Marks and
/// isolates stay, because Arabic and Hebrew need them. The private-use characters are those that the parser's input is
/// marked with.
fn deceives(c: char) -> bool {
    let is_space = matches!(c, '\n' | '\r' | '\t');
    (c.is_control() && !is_space)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || [markdown::ESCAPED_BRACKET, dialect::JOINT].contains(&c)
}

/// An answer being written.
///
/// Only the end of the text is parsed again when more comes: a block is settled once another has begun after
/// it on a complete line. Whatever the cuts, the blocks are those of the whole text parsed at once (see the
/// property test), but for links whose definition comes after they were settled: those stay text.
#[derive(Debug)]
pub struct Reply {
    text: String,
    /// Bytes of `text` that belong to settled blocks.
    settled_bytes: usize,
    /// Number of settled blocks at the start of `sent`.
    settled: usize,
    /// Cited passages of the settled blocks, in order of first citation.
    settled_cites: Vec<u32>,
    /// Cited passages of all blocks.
    cites: Vec<u32>,
    /// The blocks as the page has them.
    sent: Vec<Block>,
    /// Bytes of `text` when a block was last replaced.
    replaced_at: usize,
    /// Number of passages that can be cited.
    passages: u32,
}

impl Reply {
    /// An empty answer that may cite passages `1..=passages`.
    pub fn new(passages: usize) -> Self {
        Self {
            text: String::new(),
            settled_bytes: 0,
            settled: 0,
            settled_cites: Vec::new(),
            cites: Vec::new(),
            sent: Vec::new(),
            replaced_at: 0,
            passages: u32::try_from(passages).unwrap_or(u32::MAX),
        }
    }

    /// Adds text; gives the events that update the page. Text that could still change its meaning (half a link, a list
    /// marker without its item) is held back until more comes.
    pub fn push(&mut self, delta: &str) -> Vec<ServerEvent> {
        self.text.extend(delta.chars().filter(|c| !deceives(*c)));
        let tail = self.text.get(self.settled_bytes..).unwrap_or_default();
        let mended = stabilise::stabilise(tail);
        let mut events = Vec::new();
        let large = tail.len() > LARGE;
        let patient = large && self.text.len() < self.replaced_at + tail.len() / LARGE_STEP;
        self.update(&mended, patient, &mut events);
        if delta.contains('\n') {
            self.settle();
        }
        events
    }

    /// Ends the text, and shows the part that was held back.
    pub fn finish(&mut self) -> Vec<ServerEvent> {
        let tail = self
            .text
            .get(self.settled_bytes..)
            .unwrap_or_default()
            .to_owned();
        let mut events = Vec::new();
        self.update(&tail, false, &mut events);
        events
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The blocks as the page has them.
    pub fn blocks(&self) -> &[Block] {
        &self.sent
    }

    /// Cited passages; position `i` is shown as citation `i + 1`.
    pub fn cites(&self) -> &[u32] {
        &self.cites
    }

    /// True while the answer has no visible text.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// True when the answer is as long as it may get: there may be no room for another character.
    pub fn is_full(&self) -> bool {
        self.text.len() + 4 > MAX_REPLY_BYTES
    }

    /// Updates `sent` to the text. A `patient` update leaves blocks unchanged that would have to be replaced.
    fn update(&mut self, tail: &str, patient: bool, events: &mut Vec<ServerEvent>) {
        let mut cites = self.settled_cites.clone();
        let parsed = markdown::parse(tail, self.passages, &mut cites);
        self.cites = cites;
        let count = parsed.len();
        for (block, index) in parsed.into_iter().map(|b| b.block).zip(self.settled..) {
            let event = match self.sent.get_mut(index) {
                Some(old) if *old == block => continue,
                Some(old) => {
                    let event = match grown(old, &block) {
                        Some(text) => ServerEvent::Append(AppendEvent { index, text }),
                        None if patient => continue,
                        None => {
                            self.replaced_at = self.text.len();
                            ServerEvent::Block(BlockEvent {
                                index,
                                block: block.clone(),
                            })
                        }
                    };
                    *old = block;
                    event
                }
                None => {
                    self.sent.push(block.clone());
                    ServerEvent::Block(BlockEvent { index, block })
                }
            };
            events.push(event);
        }
        // A block can vanish only when its text was parsed differently before; the page then shows an empty block
        // there.
        for (block, index) in self.sent.iter_mut().zip(0..).skip(self.settled + count) {
            let empty = Block::Paragraph {
                content: Vec::new(),
            };
            if *block != empty {
                *block = empty.clone();
                events.push(ServerEvent::Block(BlockEvent {
                    index,
                    block: empty,
                }));
            }
        }
    }

    /// Settles all but the last block, when the last one's first line is complete (no later text can then join
    /// it to the one before) and the page has them as they are. A reference definition reaches
    /// backwards: blocks beside one stay unsettled.
    fn settle(&mut self) {
        let tail = self.text.get(self.settled_bytes..).unwrap_or_default();
        if tail.lines().any(is_definition) {
            return;
        }
        let parsed = markdown::parse(tail, self.passages, &mut self.settled_cites.clone());
        let Some(last) = parsed.last().filter(|last| last.start > 0) else {
            return;
        };
        let (before, after) = tail.split_at_checked(last.start).unwrap_or(("", tail));
        if !before.ends_with('\n') || !after.contains('\n') {
            return;
        }
        let mut cites = self.settled_cites.clone();
        let alone = markdown::parse(before, self.passages, &mut cites);
        let shown = self.sent.iter().skip(self.settled).take(alone.len());
        if alone.iter().map(|parsed| &parsed.block).eq(shown) {
            self.settled_cites = cites;
            self.settled += alone.len();
            self.settled_bytes += last.start;
        }
    }
}

/// Whether a line may define a link reference, such as `[1]: https://example.com`.
fn is_definition(line: &str) -> bool {
    line.trim_start().starts_with('[') && line.contains("]:")
}

/// The text to append to `old` to get `new`; `None` when the change is not an appended text.
fn grown(old: &Block, new: &Block) -> Option<String> {
    let mut grown = old.clone();
    let mut target = new.clone();
    let added = target
        .last_text()?
        .strip_prefix(grown.last_text()?.as_str())?
        .to_owned();
    grown.last_text()?.push_str(&added);
    (grown == *new).then_some(added)
}

#[cfg(test)]
mod tests;
