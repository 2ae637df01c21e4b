//! The derived deserialisers and those of this crate must agree.

use super::{event as read, session as read_session, *};
use bulle_protocol::{
    block::{Align, Block, Inline},
    event::EventId,
};
use proptest::prelude::*;

fn inline_strategy() -> impl Strategy<Value = Inline> {
    let text = "[^\u{0}]{0,6}";
    let leaf = prop_oneof![
        text.prop_map(|text| Inline::Text { text }),
        text.prop_map(|text| Inline::Code { text }),
        (text, text).prop_map(|(url, alt)| Inline::Image { url, alt }),
        any::<u32>().prop_map(|n| Inline::Cite { n }),
        Just(Inline::Break),
    ];
    leaf.prop_recursive(2, 8, 3, move |inner| {
        let content = prop::collection::vec(inner, 0..3);
        prop_oneof![
            content
                .clone()
                .prop_map(|content| Inline::Strong { content }),
            content
                .clone()
                .prop_map(|content| Inline::Emphasis { content }),
            content
                .clone()
                .prop_map(|content| Inline::Strike { content }),
            (text, content).prop_map(|(url, content)| Inline::Link { url, content }),
        ]
    })
}

fn block_strategy() -> impl Strategy<Value = Block> {
    let inlines = || prop::collection::vec(inline_strategy(), 0..3);
    let align = prop_oneof![
        Just(Align::None),
        Just(Align::Left),
        Just(Align::Center),
        Just(Align::Right)
    ];
    let row = || prop::collection::vec(inlines(), 0..3);
    let leaf = prop_oneof![
        inlines().prop_map(|content| Block::Paragraph { content }),
        (1..7_u8, inlines()).prop_map(|(level, content)| Block::Heading { level, content }),
        (prop::option::of("[a-z]{1,4}"), "[^\u{0}]{0,9}")
            .prop_map(|(language, text)| Block::Code { language, text }),
        (
            prop::collection::vec(align, 0..3),
            row(),
            prop::collection::vec(row(), 0..3)
        )
            .prop_map(|(align, head, rows)| Block::Table { align, head, rows }),
        Just(Block::Rule),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let blocks = prop::collection::vec(inner, 0..3);
        let items = prop::collection::vec(blocks.clone(), 0..3);
        prop_oneof![
            blocks.prop_map(|content| Block::Quote { content }),
            (any::<bool>(), any::<u64>(), items).prop_map(|(ordered, start, items)| {
                Block::List {
                    ordered,
                    start,
                    items,
                }
            }),
        ]
    })
}

fn frame(event: &ServerEvent) -> Frame {
    let turn = Id::from_parts(1, 1);
    event.to_frame(EventId { turn, seq: 1 }).unwrap()
}

proptest! {
    #[test]
    fn blocks_are_read_as_the_protocol_reads_them(block in block_strategy(), index in any::<usize>()) {
        let event = ServerEvent::Block(BlockEvent { index, block });
        prop_assert_eq!(read(&frame(&event)), Ok(Some(event)));
    }

    #[test]
    fn what_the_protocol_refuses_is_refused(name in "start|block|append|sources|suggestions|done|error", data in "\\PC{0,40}") {
        let frame = Frame { event: name, id: None, data };
        let theirs = ServerEvent::from_frame(&frame).is_ok();
        let ours = read(&frame).is_ok();
        prop_assert_eq!(ours, theirs);
    }
}

#[test]
fn events_are_read_as_the_protocol_reads_them() {
    let id = |n| Id::from_parts(n, 7);
    let done = |finish, kept| {
        ServerEvent::Done(Done {
            reply_id: id(1),
            finish,
            provider: "p".into(),
            model: "m".into(),
            confidence: None,
            cached: false,
            unanswered: false,
            usage: Usage::counted(3, 4),
            remaining: Remaining {
                minute: Some(2),
                day: None,
            },
            kept,
        })
    };
    let error = |code, retry_after, action: Option<(&str, &str)>| {
        ServerEvent::Error(TurnError {
            code,
            message: "é".into(),
            retry_after,
            action: action.map(|(label, url)| Action {
                label: label.into(),
                url: url.into(),
            }),
            kept: retry_after.is_none(),
        })
    };
    let source = |url: Option<&str>| Source {
        n: 2,
        title: "t".into(),
        url: url.map(Into::into),
        snippet: "s".into(),
    };
    let table = [
        ServerEvent::Start(Start {
            conversation_id: id(1),
            message_id: id(2),
            reply_id: id(3),
        }),
        ServerEvent::Append(AppendEvent {
            index: 4,
            text: "x\"\n".into(),
        }),
        ServerEvent::Sources(Sources {
            items: vec![source(None), source(Some("https://x"))],
        }),
        ServerEvent::Suggestions(Suggestions {
            items: vec!["a".into(), String::new()],
        }),
        done(Finish::Stop, true),
        done(Finish::Fallback, false),
        done(Finish::Length, true),
        done(Finish::Stopped, true),
        error(Code::RateLimited, Some(9), Some(("l", "https://u"))),
        error(Code::Interrupted, None, None),
    ];
    for event in table {
        assert_eq!(read(&frame(&event)), Ok(Some(event)));
    }
}

#[test]
fn a_code_from_a_newer_edge_is_unknown_and_the_known_ones_are_told_apart() {
    for known in Code::ALL.iter().copied() {
        let json = serde_json::to_string(&Problem::new(known, "d").retry_after(3)).unwrap();
        assert_eq!(problem(&json), serde_json::from_str(&json).ok());
    }
    let json = serde_json::to_string(&Problem::new(Code::Internal, "d")).unwrap();
    let later = json.replace("\"code\":\"internal\"", "\"code\":\"later\"");
    assert_eq!(problem(&later).map(|p| p.code), Some(Code::Unknown));
    assert_eq!(problem("<html>"), None);
    assert_eq!(problem("{}"), None);
}

#[test]
fn a_session_and_a_history_are_read_as_the_protocol_reads_them() {
    let id = Id::from_parts(5, 5);
    let mut named = Strings::default();
    for (name, text) in named.entries_mut() {
        *text = name.into();
    }
    let session = Session {
        token: "t".into(),
        expires_at: 12,
        visitor: Visitor {
            id,
            tier: "FREE".into(),
            name: Some("n".into()),
        },
        bot: Bot {
            name: "n".into(),
            tagline: String::new(),
            greeting: "g".into(),
            strings: named,
            sheets: BTreeMap::new(),
            locale: "fr".into(),
            suggestions: vec!["s".into()],
            topics: vec![],
            shortcuts: vec![],
            features: Features {
                attachments: true,
                history: false,
                ..Features::default()
            },
            form: Some(Form::default()),
            hours: Some(Hours {
                open: true,
                text: "h".into(),
                good_for_s: 60,
            }),
            privacy_url: Some("https://example.com/privacy".into()),
        },
        conversation: Some(ConversationRef { id }),
        limits: Limits {
            message_chars: 4000,
            per_minute: 3,
            per_day: Some(10),
        },
    };
    let json = serde_json::to_string(&session).unwrap();
    assert_eq!(read_session(&json), Some(session));
    let message = |role, status, finish: Option<Finish>, sources| Message {
        id,
        role,
        blocks: vec![Block::paragraph("b")],
        text: "b".into(),
        created_at: 3,
        status,
        sources,
        reply_to: finish.map(|_| id),
        feedback: finish.map(|finish| Feedback {
            rating: match finish {
                Finish::Stop => Rating::Up,
                _ => Rating::Down,
            },
            comment: (finish == Finish::Length).then(|| "Too short.".into()),
        }),
        attachments: match role {
            Role::User => vec![Attachment {
                id,
                name: "cv.pdf".into(),
                bytes: 9,
            }],
            Role::Assistant => vec![],
        },
        finish,
    };
    let source = Source {
        n: 1,
        title: "t".into(),
        url: None,
        snippet: "s".into(),
    };
    let page = History {
        items: vec![
            message(Role::User, Status::Complete, None, vec![]),
            message(
                Role::Assistant,
                Status::Stopped,
                Some(Finish::Stopped),
                vec![source],
            ),
            message(Role::Assistant, Status::Failed, None, vec![]),
        ],
        next: Some("c".into()),
    };
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(history(&json), Some(page));
}

#[test]
fn kinds_of_a_newer_edge_are_read_as_the_plainest_of_their_sort() {
    let data = r#"{"index":0,"block":{"type":"paragraph","content":[
        {"type":"text","text":"a"},{"type":"spoiler","content":[]},{"type":"text","text":"b"}]}}"#;
    let read_data = |event: &str, data: &str| {
        read(&Frame {
            event: event.into(),
            id: None,
            data: data.into(),
        })
    };
    let Ok(Some(ServerEvent::Block(event))) = read_data("block", data) else {
        panic!("unreadable")
    };
    assert_eq!(bulle_protocol::block::blocks_to_text(&[event.block]), "ab");
    let data = r#"{"index":3,"block":{"type":"chart","series":[1,2]}}"#;
    let block = Block::paragraph("");
    let index = 3;
    assert_eq!(
        read_data("block", data),
        Ok(Some(ServerEvent::Block(BlockEvent { index, block })))
    );
    let id = Id::from_parts(1, 1);
    let data = format!(
        r#"{{"reply_id":"{id}","finish":"bored","provider":"p","model":"m",
        "usage":{{"input_tokens":1,"output_tokens":1}},"remaining":{{}}}}"#
    );
    let Ok(Some(ServerEvent::Done(done))) = read_data("done", &data) else {
        panic!("unreadable")
    };
    assert_eq!(done.finish, Finish::Stop);
    let page = history(&format!(
        r#"{{"items":[{{"id":"{id}","role":"assistant","blocks":[],"text":"","created_at":1,"status":"paused",
        "finish":"bored"}}],"next":null}}"#
    ))
    .unwrap();
    let item = page.items.first().unwrap();
    assert_eq!(item.status, Status::Complete);
    assert_eq!(item.finish, Some(Finish::Stop));
}
