//! Deserialisation of the edge's answers and events.
//!
//! The protocol's types have derived deserialisers, which the edge and the tests use. For the bubble they are too
//! large: together they would double what a visitor downloads. Here one parser makes a tree of values, and small
//! functions pick from it. The result types are the protocol's: a field that is added there does not compile here
//! until it is read, and the tests below compare both deserialisers.
//!
//! A variant that a newer edge has added is read as the plainest one of its type, so that the rest of an answer or of
//! a history stays readable.

mod blocks;

use std::collections::BTreeMap;

use bulle_protocol::{
    Id,
    conversation::{Attachment, Created, Feedback, History, Message, Rating, Role, Status},
    event::{
        AppendEvent, BlockEvent, Done, Finish, Remaining, ServerEvent, Source, Sources, Start,
        Suggestions, TurnError, Usage,
    },
    loader::LoaderConfig,
    problem::{Action, Code, Problem},
    session::{Bot, ConversationRef, Features, Form, Hours, Limits, Session, Visitor},
    sse::Frame,
    strings::Strings,
};

use blocks::block;

use crate::json::{Value, parse};

/// The fields of the loader's configuration that the widget needs.
pub fn loader_config(json: &str) -> Option<LoaderConfig> {
    let Value::Array(fields) = parse(json)? else {
        return None;
    };
    let mut fields = fields.into_iter();
    let mut next = || match fields.next() {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    Some(LoaderConfig {
        edge: next()?,
        site: next()?,
        locale: next()?,
        send: next()?,
        unavailable: next()?,
        retry: next()?,
    })
}

/// The answer of `POST /v1/sessions`. A form is read as an empty one: only widget/page needs its content.
pub(crate) fn session(json: &str) -> Option<Session> {
    let mut v = parse(json)?;
    let mut visitor = take(&mut v, "visitor")?;
    let mut bot = take(&mut v, "bot")?;
    let limits = take(&mut v, "limits")?;
    Some(Session {
        token: string(&mut v, "token")?,
        expires_at: number(&v, "expires_at")?,
        visitor: Visitor {
            id: id(&visitor, "id")?,
            tier: string(&mut visitor, "tier")?,
            name: string(&mut visitor, "name"),
        },
        bot: Bot {
            name: string(&mut bot, "name")?,
            tagline: string(&mut bot, "tagline")?,
            greeting: string(&mut bot, "greeting")?,
            strings: strings(take(&mut bot, "strings")?),
            // Read by the modules of widget/page.
            sheets: BTreeMap::new(),
            locale: string(&mut bot, "locale")?,
            suggestions: texts(&mut bot, "suggestions")?,
            topics: texts(&mut bot, "topics")?,
            // Read by the modules of widget/page.
            shortcuts: Vec::new(),
            features: features(take(&mut bot, "features")),
            form: take(&mut bot, "form").map(|_| Form::default()),
            hours: take(&mut bot, "hours").map(|mut hours| Hours {
                open: flag(&hours, "open"),
                good_for_s: small(&hours, "good_for_s").unwrap_or_default(),
                text: string(&mut hours, "text").unwrap_or_default(),
            }),
            privacy_url: string(&mut bot, "privacy_url"),
        },
        conversation: match take(&mut v, "conversation") {
            Some(conversation) => Some(ConversationRef {
                id: id(&conversation, "id")?,
            }),
            None => None,
        },
        limits: Limits {
            message_chars: size(&limits, "message_chars")?,
            per_minute: small(&limits, "per_minute")?,
            per_day: small(&limits, "per_day"),
        },
    })
}

/// Without the member, an older edge offers the default features.
fn features(v: Option<Value>) -> Features {
    let Some(v) = v else {
        return Features::default();
    };
    let on = |name| flag(&v, name);
    Features {
        attachments: on("attachments"),
        dictation: on("dictation"),
        feedback: on("feedback"),
        sound: on("sound"),
        history: on("history"),
        export: on("export"),
    }
}

fn flag(v: &Value, name: &str) -> bool {
    v.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// An unknown text is ignored, and a missing one stays empty.
fn strings(mut v: Value) -> Strings {
    let mut strings = Strings::default();
    for (name, text) in strings.entries_mut() {
        *text = string(&mut v, name).unwrap_or_default();
    }
    strings
}

/// The answer of `POST /v1/conversations`.
pub(crate) fn created(json: &str) -> Option<Created> {
    let v = parse(json)?;
    Some(Created { id: id(&v, "id")? })
}

/// The answer of `GET /v1/conversations/{id}/messages`.
pub(crate) fn history(json: &str) -> Option<History> {
    let mut v = parse(json)?;
    Some(History {
        items: list(&mut v, "items", message)?,
        next: string(&mut v, "next"),
    })
}

fn feedback(mut v: Value) -> Option<Feedback> {
    Some(Feedback {
        rating: match name(&v, "rating")? {
            "up" => Rating::Up,
            _ => Rating::Down,
        },
        comment: string(&mut v, "comment"),
    })
}

/// A file, or the bare id of one.
fn attachment(mut v: Value) -> Option<Attachment> {
    Some(Attachment {
        id: match v.as_str() {
            Some(bare) => bare.parse().ok()?,
            None => id(&v, "id")?,
        },
        name: string(&mut v, "name").unwrap_or_default(),
        bytes: number(&v, "bytes").unwrap_or_default(),
    })
}

/// The files of a message; none when they cannot be read.
pub(crate) fn files(v: &mut Value) -> Vec<Attachment> {
    list(v, "attachments", attachment).unwrap_or_default()
}

/// The attached files, as widget/page sends them.
pub(crate) fn chosen(json: &str) -> Vec<Attachment> {
    let all = parse(json).and_then(|v| all(v, attachment));
    all.unwrap_or_default()
}

fn message(mut v: Value) -> Option<Message> {
    Some(Message {
        id: id(&v, "id")?,
        role: match name(&v, "role")? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return None,
        },
        blocks: list(&mut v, "blocks", block)?,
        text: string(&mut v, "text")?,
        created_at: number(&v, "created_at")?,
        status: match name(&v, "status")? {
            "stopped" => Status::Stopped,
            "failed" => Status::Failed,
            _ => Status::Complete,
        },
        sources: match v.get("sources") {
            Some(_) => list(&mut v, "sources", source)?,
            None => Vec::new(),
        },
        reply_to: id(&v, "reply_to"),
        finish: name(&v, "finish").map(finish),
        feedback: take(&mut v, "feedback").and_then(feedback),
        attachments: files(&mut v),
    })
}

/// A problem details object.
pub(crate) fn problem(json: &str) -> Option<Problem> {
    let mut v = parse(json)?;
    Some(Problem {
        kind: string(&mut v, "type")?,
        title: string(&mut v, "title")?,
        status: small(&v, "status")?,
        detail: string(&mut v, "detail")?,
        code: code(&v)?,
        retry_after: small(&v, "retry_after"),
        message: string(&mut v, "message"),
        action: take(&mut v, "action").and_then(action),
        // The bubble shows the quota that `done` brings instead.
        limits: Vec::new(),
        request_id: string(&mut v, "request_id"),
    })
}

fn code(v: &Value) -> Option<Code> {
    let name = name(v, "code")?;
    let known = Code::ALL.iter().find(|code| code.as_str() == name);
    Some(known.copied().unwrap_or(Code::Unknown))
}

/// The data of an event is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The event of a frame; `Ok(None)` for an unknown name.
pub(crate) fn event(frame: &Frame) -> Result<Option<ServerEvent>, Malformed> {
    let read = match frame.event.as_str() {
        "start" => start,
        "block" => block_event,
        "append" => append,
        "sources" => sources,
        "suggestions" => suggestions,
        "done" => done,
        "error" => error,
        _ => return Ok(None),
    };
    let data = parse(&frame.data).ok_or(Malformed)?;
    read(data).map(Some).ok_or(Malformed)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the readers of all events have one type"
)]
fn start(v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Start(Start {
        conversation_id: id(&v, "conversation_id")?,
        message_id: id(&v, "message_id")?,
        reply_id: id(&v, "reply_id")?,
    }))
}

fn block_event(mut v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Block(BlockEvent {
        index: size(&v, "index")?,
        block: block(take(&mut v, "block")?)?,
    }))
}

fn append(mut v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Append(AppendEvent {
        index: size(&v, "index")?,
        text: string(&mut v, "text")?,
    }))
}

fn sources(mut v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Sources(Sources {
        items: list(&mut v, "items", source)?,
    }))
}

fn suggestions(mut v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Suggestions(Suggestions {
        items: texts(&mut v, "items")?,
    }))
}

fn done(mut v: Value) -> Option<ServerEvent> {
    let usage = take(&mut v, "usage")?;
    let remaining = take(&mut v, "remaining")?;
    Some(ServerEvent::Done(Done {
        reply_id: id(&v, "reply_id")?,
        finish: finish(name(&v, "finish")?),
        provider: string(&mut v, "provider")?,
        model: string(&mut v, "model")?,
        // Neither `confidence` nor `cached` is shown. `confidence` is the only fraction of the protocol, and reading it
        // would take a parser of fractions.
        confidence: None,
        cached: false,
        unanswered: flag(&v, "unanswered"),
        usage: Usage::counted(
            small(&usage, "input_tokens")?,
            small(&usage, "output_tokens")?,
        ),
        remaining: Remaining {
            minute: small(&remaining, "minute"),
            day: small(&remaining, "day"),
        },
        kept: kept(&v),
    }))
}

fn error(mut v: Value) -> Option<ServerEvent> {
    Some(ServerEvent::Error(TurnError {
        code: code(&v)?,
        message: string(&mut v, "message")?,
        retry_after: small(&v, "retry_after"),
        action: take(&mut v, "action").and_then(action),
        kept: kept(&v),
    }))
}

fn action(mut v: Value) -> Option<Action> {
    Some(Action {
        label: string(&mut v, "label")?,
        url: string(&mut v, "url")?,
    })
}

fn kept(v: &Value) -> bool {
    v.get("kept").and_then(Value::as_bool).unwrap_or(true)
}

fn finish(name: &str) -> Finish {
    match name {
        "length" => Finish::Length,
        "stopped" => Finish::Stopped,
        "fallback" => Finish::Fallback,
        _ => Finish::Stop,
    }
}

fn source(mut v: Value) -> Option<Source> {
    Some(Source {
        n: small(&v, "n")?,
        title: string(&mut v, "title")?,
        url: string(&mut v, "url"),
        snippet: string(&mut v, "snippet")?,
    })
}

/// Moves a member out; `None` when it is absent or null.
fn take(v: &mut Value, name: &str) -> Option<Value> {
    v.take(name).filter(|v| *v != Value::Null)
}

pub(crate) fn string(v: &mut Value, name: &str) -> Option<String> {
    match take(v, name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn name<'a>(v: &'a Value, name: &str) -> Option<&'a str> {
    v.get(name)?.as_str()
}

pub(crate) fn id(v: &Value, at: &str) -> Option<Id> {
    name(v, at)?.parse().ok()
}

fn number(v: &Value, name: &str) -> Option<u64> {
    v.get(name)?.as_u64()
}

fn small<T: TryFrom<u64>>(v: &Value, name: &str) -> Option<T> {
    T::try_from(number(v, name)?).ok()
}

fn size(v: &Value, name: &str) -> Option<usize> {
    small(v, name)
}

/// A list of texts; absent counts as empty.
fn texts(v: &mut Value, name: &str) -> Option<Vec<String>> {
    list(v, name, |text| match text {
        Value::String(text) => Some(text),
        _ => None,
    })
}

fn list<T>(v: &mut Value, name: &str, read: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    all(take(v, name)?, read)
}

/// All items of a list; `None` if one cannot be read.
fn all<T>(v: Value, read: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    match v {
        Value::Array(items) => items.into_iter().map(read).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
