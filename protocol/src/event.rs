//! The events that the edge streams while it answers, as `text/event-stream`.
//!
//! Order: one [`Start`](ServerEvent::Start), then blocks and appends, then sources and suggestions,
//! and last exactly one of [`Done`](ServerEvent::Done) and [`Error`](ServerEvent::Error).

use crate::Id;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, str::FromStr};

use crate::{
    block::Block,
    problem::{Action, Code},
    sse::Frame,
};

/// One event of a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ServerEvent {
    /// The turn has begun. A second `start` in the same turn is a new attempt: forget the blocks of the first.
    Start(Start),
    /// Opens a block, or replaces it whole.
    Block(BlockEvent),
    /// Adds to the last text leaf of a block.
    Append(AppendEvent),
    /// The passages that the answer cites.
    Sources(Sources),
    /// Suggested next questions.
    Suggestions(Suggestions),
    /// The answer is complete.
    Done(Done),
    /// The answer failed; what was written stays.
    Error(TurnError),
}

/// Data of [`ServerEvent::Start`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Start {
    /// Id of the conversation.
    pub conversation_id: Id,
    /// The visitor's message.
    pub message_id: Id,
    /// Id of the answer that is being written.
    pub reply_id: Id,
}

/// Data of [`ServerEvent::Block`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockEvent {
    /// Position in the answer; at most one past the last block so far.
    pub index: usize,
    /// The block.
    pub block: Block,
}

/// Data of [`ServerEvent::Append`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppendEvent {
    /// Position of the block in the answer.
    pub index: usize,
    /// Text to add to [`Block::last_text`].
    pub text: String,
}

/// Data of [`ServerEvent::Sources`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sources {
    /// In order of `n`.
    pub items: Vec<Source>,
}

/// A passage that the answer cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// The number used by [`Inline::Cite`](crate::block::Inline::Cite), from 1.
    pub n: u32,
    /// Document and section.
    pub title: String,
    /// Address at which the visitor can read the passage, down to the heading.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// The words that support the answer.
    pub snippet: String,
}

/// Data of [`ServerEvent::Suggestions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestions {
    /// Ready-made questions in the visitor's language.
    pub items: Vec<String>,
}

impl Suggestions {
    /// Most suggestions of an answer.
    pub const MAX: usize = 3;

    /// Longest suggestion, in characters.
    pub const MAX_CHARS: usize = 120;
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model has finished.
    Stop,
    /// The model reached its output limit.
    Length,
    /// The visitor stopped it.
    Stopped,
    /// Written without the model that was asked for.
    Fallback,
}

/// Data of [`ServerEvent::Done`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Done {
    /// Id of the answer.
    pub reply_id: Id,
    /// How the answer ended.
    pub finish: Finish,
    /// Provider of the answer, such as `openai`; `extractive` for sentences of the documents, `persona` for the owner's
    /// own lines.
    pub provider: String,
    /// The model's own name for itself.
    pub model: String,
    /// 0 to 1, from evidence; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<f32>,
    /// True when the same question has been answered before with the same settings and documents.
    #[serde(skip_serializing_if = "is_false", default)]
    pub cached: bool,
    /// True when the documents do not answer the question, and the answer says so.
    #[serde(skip_serializing_if = "is_false", default)]
    pub unanswered: bool,
    /// Tokens of all models that were asked.
    pub usage: Usage,
    /// What is left of the visitor's limits after this message.
    pub remaining: Remaining,
    /// False when the answer could not be stored: a reload loses it.
    #[serde(skip_serializing_if = "is_true", default = "yes")]
    pub kept: bool,
}

/// Token counts. Zero when the model does not count in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// True when the vendor has not counted and the numbers are estimates.
    #[serde(skip_serializing_if = "is_false", default)]
    pub estimated: bool,
}

impl Usage {
    /// Usage with the counts of a vendor.
    pub fn counted(input_tokens: u32, output_tokens: u32) -> Self {
        Self {
            input_tokens,
            output_tokens,
            estimated: false,
        }
    }
}

/// Messages left; a field is absent when there is no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Remaining {
    /// Messages left in this minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minute: Option<u32>,
    /// Messages left in this day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<u32>,
}

/// Data of [`ServerEvent::Error`]; always the last event of its attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TurnError {
    /// Stable code.
    pub code: Code,
    /// What to tell the visitor, in their language.
    pub message: String,
    /// Seconds to wait before a retry is worth it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u32>,
    /// A link that helps the visitor, such as a page to upgrade on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<Action>,
    /// False when the text written so far could not be stored.
    #[serde(skip_serializing_if = "is_true", default = "yes")]
    pub kept: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

fn yes() -> bool {
    true
}

impl ServerEvent {
    /// The `event:` field.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Block(_) => "block",
            Self::Append(_) => "append",
            Self::Sources(_) => "sources",
            Self::Suggestions(_) => "suggestions",
            Self::Done(_) => "done",
            Self::Error(_) => "error",
        }
    }

    /// True for the two events that end an attempt.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Error(_))
    }

    /// The event as a frame of the stream.
    ///
    /// # Errors
    /// Never for values built by this workspace; kept fallible because serialisation is.
    pub fn to_frame(&self, id: EventId) -> Result<Frame, serde_json::Error> {
        let data = match self {
            Self::Start(data) => serde_json::to_string(data),
            Self::Block(data) => serde_json::to_string(data),
            Self::Append(data) => serde_json::to_string(data),
            Self::Sources(data) => serde_json::to_string(data),
            Self::Suggestions(data) => serde_json::to_string(data),
            Self::Done(data) => serde_json::to_string(data),
            Self::Error(data) => serde_json::to_string(data),
        }?;
        Ok(Frame {
            event: self.name().to_owned(),
            id: Some(id.to_string()),
            data,
        })
    }

    /// Parses a frame. `Ok(None)` for an unknown name, which a newer edge may send.
    ///
    /// # Errors
    /// The data of a known event is malformed.
    pub fn from_frame(frame: &Frame) -> Result<Option<Self>, serde_json::Error> {
        fn read<T: DeserializeOwned>(frame: &Frame) -> Result<T, serde_json::Error> {
            serde_json::from_str(&frame.data)
        }
        Ok(Some(match frame.event.as_str() {
            "start" => Self::Start(read(frame)?),
            "block" => Self::Block(read(frame)?),
            "append" => Self::Append(read(frame)?),
            "sources" => Self::Sources(read(frame)?),
            "suggestions" => Self::Suggestions(read(frame)?),
            "done" => Self::Done(read(frame)?),
            "error" => Self::Error(read(frame)?),
            _ => return Ok(None),
        }))
    }
}

/// An event refers to a block that does not exist: an earlier event was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

/// Applies an event to the blocks of an answer. `start` removes the blocks of an earlier attempt; events
/// without blocks change nothing. Both ends use this function.
///
/// # Errors
/// [`OutOfOrder`]; the blocks are as they were.
pub fn apply(blocks: &mut Vec<Block>, event: ServerEvent) -> Result<(), OutOfOrder> {
    match event {
        ServerEvent::Start(_) => blocks.clear(),
        ServerEvent::Block(BlockEvent { index, block }) if index == blocks.len() => {
            blocks.push(block);
        }
        ServerEvent::Block(BlockEvent { index, block }) => {
            *blocks.get_mut(index).ok_or(OutOfOrder)? = block;
        }
        ServerEvent::Append(AppendEvent { index, text }) => {
            let block = blocks.get_mut(index).ok_or(OutOfOrder)?;
            block.last_text().ok_or(OutOfOrder)?.push_str(&text);
        }
        _ => {}
    }
    Ok(())
}

/// Position of an event in a conversation: `{turn}:{seq}`, where the turn is the id of the visitor's
/// message. This is what `Last-Event-ID` and `?after=` carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// Id of the visitor's message that the turn answers.
    pub turn: Id,
    /// Counts from 1 within the turn, over all its attempts.
    pub seq: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.turn, self.seq)
    }
}

/// The string is not `{turn}:{seq}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (turn, seq) = s.split_once(':').ok_or(InvalidEventId)?;
        Ok(Self {
            turn: turn.parse().map_err(|_| InvalidEventId)?,
            seq: seq.parse().map_err(|_| InvalidEventId)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_round_trip_and_refuse_garbage() {
        let id = EventId {
            turn: Id::from_parts(1, 2),
            seq: 7,
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            ":",
            "x:1",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV:-1",
        ] {
            assert_eq!(bad.parse::<EventId>(), Err(InvalidEventId), "{bad}");
        }
    }

    #[test]
    fn applying_builds_the_answer_and_refuses_gaps() {
        let block = |index, text: &str| {
            ServerEvent::Block(BlockEvent {
                index,
                block: Block::paragraph(text),
            })
        };
        let append = |index, text: &str| {
            ServerEvent::Append(AppendEvent {
                index,
                text: text.into(),
            })
        };
        let mut blocks = Vec::new();
        for event in [block(0, "a"), append(0, "b"), block(1, "c"), block(0, "d")] {
            apply(&mut blocks, event).unwrap();
        }
        assert_eq!(blocks, [Block::paragraph("d"), Block::paragraph("c")]);
        assert_eq!(apply(&mut blocks, block(3, "x")), Err(OutOfOrder));
        assert_eq!(apply(&mut blocks, append(2, "x")), Err(OutOfOrder));
        assert_eq!(blocks.len(), 2);
    }

    #[test]
    fn unknown_events_are_skipped_and_broken_ones_reported() {
        let frame = |event: &str, data: &str| Frame {
            event: event.into(),
            id: None,
            data: data.into(),
        };
        assert_eq!(
            ServerEvent::from_frame(&frame("later", "{}")).unwrap(),
            None
        );
        assert!(ServerEvent::from_frame(&frame("append", "{}")).is_err());
    }
}
