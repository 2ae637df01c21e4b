//! A page under test: a chat, its effects, and functions that play the edge.

use bulle_protocol::{
    Id,
    block::{Block, Inline},
    conversation::{self, Created, History, Role, SendMessage, Status},
    event::{
        AppendEvent, BlockEvent, Done, EventId, Finish, Remaining, ServerEvent, Source, Sources,
        Start, Suggestions, TurnError, Usage,
    },
    problem::{Code, Problem},
    session::{Bot, ConversationRef, Features, Limits, Session, Visitor},
    strings::Strings,
};
use bulle_widget_core::{ApiCall, Chat, ChatMessage, Effect, Event, PageIdentity, Tick, Ticket};

pub const CONVERSATION: Id = Id::from_parts(1, 1);
pub const REPLY: Id = Id::from_parts(2, 2);

pub struct TestPage {
    pub chat: Chat,
    pub now: u64,
    pub random: u128,
    /// Every effect so far.
    pub effects: Vec<Effect>,
    /// Calls whose answer is pending.
    pub open: Vec<(Ticket, ApiCall)>,
    pub wake_at: Option<u64>,
    /// The identity that the page gives at the start.
    pub identity: PageIdentity,
}

impl TestPage {
    pub fn new() -> Self {
        Self {
            chat: Chat::new("site", "en"),
            now: 1_000_000,
            random: 7,
            effects: Vec::new(),
            open: Vec::new(),
            wake_at: None,
            identity: PageIdentity::Anonymous,
        }
    }

    /// A page whose session is open, with nothing stored.
    pub fn ready() -> Self {
        let mut page = Self::new();
        page.start(None);
        page.open_session(None);
        page
    }

    /// A ready page whose visitor has sent this; the post is open.
    pub fn asking(text: &str) -> (Self, Id) {
        let mut page = Self::ready();
        page.submit(text);
        page.answer(
            |c| matches!(c, ApiCall::CreateConversation),
            201,
            &created(),
        );
        let id = page.chat.messages().last().unwrap().id;
        (page, id)
    }

    pub fn start(&mut self, stored: Option<&str>) {
        self.start_with(stored, None);
    }

    pub fn start_with(&mut self, stored: Option<&str>, outbox: Option<&str>) {
        self.update(Event::Started {
            online: true,
            stored: stored.map(Into::into),
            outbox: outbox.map(Into::into),
            page: None,
            identity: self.identity.clone(),
        });
    }

    pub fn update(&mut self, event: Event) {
        self.random = self
            .random
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(3);
        let tick = Tick {
            unix_ms: self.now,
            random: self.random,
        };
        let effects = self.chat.update(tick, event);
        for effect in &effects {
            match effect {
                Effect::Request { ticket, call, .. } => self.open.push((*ticket, call.clone())),
                Effect::Abort { ticket } => self.open.retain(|(open, _)| open != ticket),
                Effect::Wake { after_ms } => self.wake_at = Some(self.now + u64::from(*after_ms)),
                _ => {}
            }
        }
        self.effects.extend(effects);
    }

    pub fn submit(&mut self, text: &str) {
        self.update(Event::Submitted { text: text.into() });
    }

    /// Lets time pass, and fires the requested wake-ups.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            self.now = at;
            self.wake_at = None;
            self.update(Event::Woken);
        }
        self.now = end;
    }

    pub fn find(&self, which: impl Fn(&ApiCall) -> bool) -> Option<Ticket> {
        let found = self.open.iter().find(|(_, call)| which(call));
        found.map(|(ticket, _)| *ticket)
    }

    /// The open call of this kind; the test fails when there is none.
    pub fn take(&mut self, which: impl Fn(&ApiCall) -> bool) -> (Ticket, ApiCall) {
        let at = self.open.iter().position(|(_, call)| which(call));
        let at = at.unwrap_or_else(|| panic!("no such call is open: {:?}", self.open));
        self.open.remove(at)
    }

    pub fn answer(&mut self, which: impl Fn(&ApiCall) -> bool, status: u16, body: &str) {
        let (ticket, _) = self.take(which);
        self.update(Event::Answered {
            ticket,
            status,
            body: body.into(),
        });
    }

    pub fn refuse(&mut self, which: impl Fn(&ApiCall) -> bool, problem: &Problem) {
        let body = serde_json::to_string(problem).unwrap();
        self.answer(which, problem.status, &body);
    }

    pub fn open_session(&mut self, conversation: Option<Id>) {
        let body = serde_json::to_string(&opened(conversation)).unwrap();
        self.answer(|c| matches!(c, ApiCall::OpenSession(_)), 201, &body);
    }

    /// Streams events to the open call of the turn, and leaves it open.
    pub fn stream(&mut self, events: &[(EventId, ServerEvent)]) {
        let ticket = self.find(is_stream).expect("a stream is open");
        for (id, event) in events {
            let bytes = event.to_frame(*id).unwrap().encode().into_bytes();
            self.update(Event::Streamed { ticket, bytes });
        }
    }

    pub fn cut(&mut self) {
        let (ticket, _) = self.take(is_stream);
        self.update(Event::StreamEnded { ticket });
    }

    pub fn posts(&self) -> Vec<SendMessage> {
        self.calls(|call| match call {
            ApiCall::Send { body, .. } => Some(body.clone()),
            _ => None,
        })
    }

    pub fn calls<T>(&self, pick: impl Fn(&ApiCall) -> Option<T>) -> Vec<T> {
        let calls = self.effects.iter().filter_map(|effect| match effect {
            Effect::Request { call, .. } => Some(call),
            _ => None,
        });
        calls.filter_map(pick).collect()
    }

    pub fn stored(&self) -> Option<&str> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Store(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The stored outbox.
    pub fn outbox(&self) -> Option<&str> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::StoreOutbox(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub fn said(&self) -> Vec<&str> {
        let said = self.effects.iter().filter_map(|effect| match effect {
            Effect::Announce(text) => Some(text.as_str()),
            _ => None,
        });
        said.collect()
    }

    /// The messages without the times at which they were written.
    pub fn timeless(&self) -> Vec<ChatMessage> {
        let mut messages = self.chat.messages().to_vec();
        for message in &mut messages {
            message.at = 0;
        }
        messages
    }

    /// The events for the page, by name.
    pub fn host_events(&self) -> Vec<(&'static str, String)> {
        let events = self.effects.iter().filter_map(|effect| match effect {
            Effect::Emit(event) => Some(event.to_json()),
            _ => None,
        });
        events.collect()
    }

    pub fn last(&self) -> &ChatMessage {
        self.chat.messages().last().unwrap()
    }
}

pub fn is_stream(call: &ApiCall) -> bool {
    matches!(call, ApiCall::Send { .. } | ApiCall::Attach { .. })
}

pub fn is_send(call: &ApiCall) -> bool {
    matches!(call, ApiCall::Send { .. })
}

pub fn is_attach(call: &ApiCall) -> bool {
    matches!(call, ApiCall::Attach { .. })
}

pub fn is_history(call: &ApiCall) -> bool {
    matches!(call, ApiCall::History { .. })
}

pub fn is_session(call: &ApiCall) -> bool {
    matches!(call, ApiCall::OpenSession(_))
}

pub fn created() -> String {
    serde_json::to_string(&Created { id: CONVERSATION }).unwrap()
}

pub fn problem(code: Code) -> Problem {
    Problem::new(code, "for the owner")
}

/// Texts that are their own names.
pub fn strings() -> Strings {
    let mut strings = Strings::default();
    for (name, text) in strings.entries_mut() {
        *text = name.into();
    }
    strings.rate_limited = "wait {time}".into();
    strings.quota_exceeded = "tomorrow, in {time}".into();
    strings.left_today = "left: {n}".into();
    strings
}

pub fn opened(conversation: Option<Id>) -> Session {
    Session {
        token: "token".into(),
        expires_at: 9,
        visitor: Visitor {
            id: Id::from_parts(9, 9),
            tier: "FREE".into(),
            name: None,
        },
        bot: Bot {
            name: "Al".into(),
            tagline: String::new(),
            greeting: "Hello".into(),
            features: Features::default(),
            form: None,
            hours: None,
            privacy_url: None,
            strings: strings(),
            sheets: Default::default(),
            locale: "en".into(),
            suggestions: vec!["Why?".into()],
            topics: vec![],
            shortcuts: vec![],
        },
        conversation: conversation.map(|id| ConversationRef { id }),
        limits: Limits {
            message_chars: 4000,
            per_minute: 10,
            per_day: None,
        },
    }
}

/// A complete turn as the edge records it.
pub fn turn(message: Id) -> Vec<(EventId, ServerEvent)> {
    let events = vec![
        start(message, REPLY),
        block(0, "One"),
        append(0, " two"),
        block(1, "Three"),
        append(1, " four"),
        append(1, " five"),
        ServerEvent::Block(BlockEvent {
            index: 0,
            block: Block::Paragraph {
                content: vec![Inline::text("One two"), Inline::Cite { n: 1 }],
            },
        }),
        ServerEvent::Sources(Sources {
            items: vec![Source {
                n: 1,
                title: "Title".into(),
                url: None,
                snippet: "Snippet".into(),
            }],
        }),
        ServerEvent::Suggestions(Suggestions {
            items: vec!["And then?".into()],
        }),
        done(Finish::Stop),
    ];
    number(message, events)
}

pub fn number(turn: Id, events: Vec<ServerEvent>) -> Vec<(EventId, ServerEvent)> {
    (1..).map(|seq| EventId { turn, seq }).zip(events).collect()
}

pub fn start(message_id: Id, reply_id: Id) -> ServerEvent {
    ServerEvent::Start(Start {
        conversation_id: CONVERSATION,
        message_id,
        reply_id,
    })
}

pub fn block(index: usize, text: &str) -> ServerEvent {
    ServerEvent::Block(BlockEvent {
        index,
        block: Block::paragraph(text),
    })
}

pub fn append(index: usize, text: &str) -> ServerEvent {
    ServerEvent::Append(AppendEvent {
        index,
        text: text.into(),
    })
}

pub fn done(finish: Finish) -> ServerEvent {
    ServerEvent::Done(Done {
        reply_id: REPLY,
        finish,
        provider: "p".into(),
        model: "m".into(),
        confidence: Some(0.5),
        cached: false,
        unanswered: false,
        usage: Usage::default(),
        remaining: Remaining::default(),
        kept: true,
    })
}

pub fn error(code: Code, retry_after: Option<u32>) -> ServerEvent {
    ServerEvent::Error(TurnError {
        code,
        message: "It broke off.".into(),
        retry_after,
        action: None,
        kept: true,
    })
}

pub fn stored_message(id: Id, role: Role, reply_to: Option<Id>) -> conversation::Message {
    conversation::Message {
        id,
        role,
        blocks: vec![Block::paragraph("stored")],
        text: "stored".into(),
        created_at: 1,
        status: Status::Complete,
        sources: vec![],
        reply_to,
        finish: None,
        feedback: None,
        attachments: Vec::new(),
    }
}

pub fn history(items: Vec<conversation::Message>, next: Option<&str>) -> String {
    let next = next.map(Into::into);
    serde_json::to_string(&History { items, next }).unwrap()
}
