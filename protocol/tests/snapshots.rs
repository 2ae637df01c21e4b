//! Snapshots of all JSON between bubble and edge, so that a change shows in review.

use bulle_protocol::{
    Id,
    block::{Align, Block, Inline},
    conversation::{
        Attachment, Conversation, ConversationList, Created, Feedback, History, Message, Rating,
        Role, SendMessage, Status,
    },
    event::{
        AppendEvent, BlockEvent, Done, EventId, Finish, Remaining, ServerEvent, Source, Sources,
        Start, Suggestions, TurnError, Usage,
    },
    loader::{LoaderSettings, LoaderTexts, Rule},
    problem::{Action, Code, Limit, Problem},
    session::{
        Answers, AskedField, Bot, ConversationRef, Features, FieldKind, Form, Hours, Limits, Page,
        Session, SessionRequest, Shortcut, ShortcutKind, Visitor,
    },
    strings::Strings,
};
use insta::assert_json_snapshot;

fn id(n: u128) -> Id {
    Id::from_parts(1_700_000_000_000, n)
}

fn blocks() -> Vec<Block> {
    vec![
        Block::Heading {
            level: 2,
            content: vec![Inline::text("Title")],
        },
        Block::Paragraph {
            content: vec![
                Inline::text("a "),
                Inline::Strong {
                    content: vec![Inline::text("b")],
                },
                Inline::Emphasis {
                    content: vec![Inline::text("c")],
                },
                Inline::Strike {
                    content: vec![Inline::text("d")],
                },
                Inline::Code { text: "e".into() },
                Inline::Break,
                Inline::Link {
                    url: "https://example.com/".into(),
                    content: vec![Inline::text("f")],
                },
                Inline::Image {
                    url: "https://example.com/g.png".into(),
                    alt: "g".into(),
                },
                Inline::Cite { n: 1 },
            ],
        },
        Block::List {
            ordered: true,
            start: 3,
            items: vec![vec![Block::paragraph("i")]],
        },
        Block::Quote {
            content: vec![Block::paragraph("q")],
        },
        Block::Code {
            language: Some("rust".into()),
            text: "fn main() {}\n".into(),
        },
        Block::Code {
            language: None,
            text: String::new(),
        },
        Block::Table {
            align: vec![Align::None, Align::Left, Align::Center, Align::Right],
            head: vec![vec![Inline::text("h")]],
            rows: vec![vec![vec![Inline::text("r")]]],
        },
        Block::Rule,
    ]
}

fn source() -> Source {
    Source {
        n: 1,
        title: "CV".into(),
        url: Some("https://example.com/cv#k8s".into()),
        snippet: "…".into(),
    }
}

#[test]
fn blocks_as_json() {
    assert_json_snapshot!(blocks());
}

#[test]
fn events_as_frames() {
    let events = [
        ServerEvent::Start(Start {
            conversation_id: id(1),
            message_id: id(2),
            reply_id: id(3),
        }),
        ServerEvent::Block(BlockEvent {
            index: 0,
            block: Block::paragraph("Hel"),
        }),
        ServerEvent::Append(AppendEvent {
            index: 0,
            text: "lo\nworld".into(),
        }),
        ServerEvent::Sources(Sources {
            items: vec![source()],
        }),
        ServerEvent::Suggestions(Suggestions {
            items: vec!["And then?".into()],
        }),
        ServerEvent::Done(Done {
            reply_id: id(3),
            finish: Finish::Stop,
            provider: "extractive".into(),
            model: "extractive".into(),
            confidence: None,
            cached: false,
            unanswered: true,
            usage: Usage::counted(1, 2),
            remaining: Remaining {
                minute: Some(3),
                day: None,
            },
            kept: true,
        }),
        ServerEvent::Error(TurnError {
            code: Code::UpstreamTimeout,
            message: "The model is silent.".into(),
            retry_after: Some(5),
            action: Some(Action {
                label: "Upgrade".into(),
                url: "https://example.com/".into(),
            }),
            kept: false,
        }),
    ];
    let mut stream = String::new();
    for (event, seq) in events.iter().zip(1..) {
        let frame = event.to_frame(EventId { turn: id(2), seq }).unwrap();
        assert_eq!(
            ServerEvent::from_frame(&frame).unwrap().as_ref(),
            Some(event)
        );
        stream.push_str(&frame.encode());
    }
    insta::assert_snapshot!(stream);
}

#[test]
fn requests_and_answers() {
    assert_json_snapshot!(
        "session_request",
        SessionRequest {
            site: "k".into(),
            locale: Some("fr".into()),
            identity: Some("i".into()),
            challenge: Some("c".into()),
            resume: Some("t".into()),
            page: Some(Page {
                url: "https://example.com/".into(),
                title: "T".into()
            }),
        }
    );
    assert_json_snapshot!(
        "session",
        Session {
            token: "t".into(),
            expires_at: 1_700_000_000_000,
            visitor: Visitor {
                id: id(1),
                tier: "free".into(),
                name: Some("N".into()),
            },
            bot: Bot {
                name: "B".into(),
                tagline: "T".into(),
                greeting: "G".into(),
                strings: Strings::default(),
                sheets: [("erase".into(), "Forget me".into())].into(),
                locale: "en".into(),
                suggestions: vec!["S?".into()],
                topics: vec!["t".into()],
                shortcuts: vec![Shortcut {
                    label: "L".into(),
                    kind: ShortcutKind::Call,
                    value: "tel:+331".into(),
                }],
                features: Features::default(),
                form: Some(Form {
                    title: "F".into(),
                    text: Some("t".into()),
                    fields: vec![AskedField {
                        name: "topic".into(),
                        label: "L".into(),
                        kind: FieldKind::Select,
                        required: true,
                        options: vec!["a".into(), "b".into()],
                    }],
                    consent: Some("c".into()),
                    submit: "S".into(),
                    required: true,
                }),
                hours: Some(Hours {
                    open: false,
                    text: "h".into(),
                    good_for_s: 3600,
                }),
                privacy_url: Some("https://example.com/privacy".into()),
            },
            conversation: Some(ConversationRef { id: id(2) }),
            limits: Limits {
                message_chars: 4000,
                per_minute: 3,
                per_day: Some(10),
            },
        }
    );
    assert_json_snapshot!(
        "answers",
        Answers {
            fields: [("topic".to_owned(), "a".to_owned())].into(),
            consent: true,
        }
    );
    assert_json_snapshot!("created", Created { id: id(1) });
    assert_json_snapshot!(
        "conversations",
        ConversationList {
            items: vec![Conversation {
                id: id(1),
                title: "t".into(),
                created_at: 1,
                updated_at: 2
            }],
        }
    );
    assert_json_snapshot!(
        "send_message",
        [
            SendMessage {
                id: id(1),
                text: "Bonjour".into(),
                retry: false,
                attachments: vec![],
            },
            SendMessage {
                id: id(1),
                text: "Bonjour".into(),
                retry: true,
                attachments: vec![id(2)],
            },
        ]
    );
    assert_json_snapshot!(
        "history",
        History {
            items: vec![Message {
                id: id(3),
                role: Role::Assistant,
                blocks: vec![Block::paragraph("p")],
                text: "p".into(),
                created_at: 5,
                status: Status::Complete,
                sources: vec![source()],
                reply_to: Some(id(2)),
                finish: Some(Finish::Length),
                feedback: Some(Feedback {
                    rating: Rating::Down,
                    comment: Some("No.".into()),
                }),
                attachments: vec![Attachment {
                    id: id(5),
                    name: "cv.pdf".into(),
                    bytes: 9,
                }],
            }],
            next: Some("x".into()),
        }
    );
}

#[test]
fn problems() {
    assert_json_snapshot!(Problem {
        message: Some("Wait a little.".into()),
        action: Some(Action {
            label: "More".into(),
            url: "https://example.com/more".into()
        }),
        limits: vec![Limit {
            name: "minute".into(),
            quota: 3,
            window: 60,
            remaining: 0,
            reset: 7
        }],
        ..Problem::new(Code::RateLimited, "Wait.").retry_after(7)
    });
}

#[test]
fn every_code_names_itself_as_serde_does() {
    for code in Code::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
    assert_eq!(
        serde_json::from_str::<Code>("\"from_the_future\"").unwrap(),
        Code::Unknown
    );
}

#[test]
fn requests_refuse_unknown_fields() {
    assert!(serde_json::from_str::<SessionRequest>(r#"{"site":"k","extra":1}"#).is_err());
    assert!(
        serde_json::from_str::<SendMessage>(
            r#"{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","text":"a","x":1}"#
        )
        .is_err()
    );
}

#[test]
fn the_loader_reads_what_the_edge_writes() {
    let text = |s: &str| s.to_owned();
    let texts = LoaderTexts {
        dir: text("ltr"),
        open: text("Open"),
        close: text("Close"),
        placeholder: text("Ask"),
        send: text("Send"),
        unavailable: text("Unavailable"),
        retry: text("Retry"),
    };
    let look = [("accent", "#4f46e5"), ("radius", "12px")];
    assert_json_snapshot!(LoaderSettings {
        locale: text("en"),
        texts,
        edge: text("https://chat.example.com"),
        site: text("k"),
        name: text("B"),
        look: look.map(|(name, value)| (text(name), text(value))).into(),
        rules: vec![Rule {
            text: text("Hi"),
            delay_s: Some(5),
            exit_intent: true,
            url: Some(text("/pricing*")),
            ..Rule::default()
        }],
        dismiss: text("Dismiss"),
    });
}
