//! The first half of a turn's record: the visitor's message, stored before there is an answer.

use bulle_protocol::{
    Id,
    block::Block,
    conversation::{Role, Status},
    event::Usage,
};

use crate::{
    guard::Question,
    record::{Evidence, Record, StoredMessage},
};

/// Longest title of a conversation, in characters.
const TITLE_CHARS: usize = 80;

impl Record {
    /// The record of a message that has just been accepted as turn `number` (from 0) of its conversation. The caller
    /// that begins the turn makes it, once; [`run`](super::run) stores it and adds the reply.
    pub fn accepted(question: &Question, conversation_id: Id, number: u32, now_ms: u64) -> Self {
        Self {
            owner: question.owner(),
            conversation_id,
            title: title(question.text()),
            question: StoredMessage {
                id: question.id(),
                position: number.saturating_mul(2),
                role: Role::User,
                text: question.text().to_owned(),
                blocks: vec![Block::paragraph(question.text())],
                sources: Vec::new(),
                status: Status::Complete,
                finish: None,
                error: None,
                provider: String::new(),
                model: String::new(),
                usage: Usage::default(),
                evidence: Evidence::default(),
                created_at: now_ms,
            },
            reply: None,
            calls: Vec::new(),
        }
    }
}

/// The first line of a message, cut with an ellipsis.
fn title(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut title: String = line.chars().take(TITLE_CHARS).collect();
    if line.chars().count() > TITLE_CHARS {
        title.push('…');
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{ModelCall, Outcome, PromptReference, Purpose, Reply},
        testing::question,
    };
    use bulle_protocol::problem::Code;

    #[test]
    fn the_layout_is_pinned() {
        let mut record =
            Record::accepted(&question("Bonjour\nÀ tous"), Id::from_parts(1, 1), 3, 1_000);
        record.reply(
            Reply {
                id: Id::from_parts(1, 3),
                blocks: vec![Block::paragraph("Salut")],
                sources: Vec::new(),
                finish: None,
                error: Some(Code::UpstreamTimeout),
                provider: "openai".into(),
                model: "m".into(),
                usage: Usage::counted(1, 2),
                evidence: Evidence {
                    confidence: Some(0.5),
                    topic: Some("Parcours".into()),
                    first_token_ms: Some(300),
                    total_ms: 900,
                    prompt: Some(PromptReference {
                        bot_version: 3,
                        template: 1,
                        passages: vec![7, 9],
                        history_from: Some(2),
                        summary_until: None,
                        fingerprint: "0123456789abcdef".into(),
                        ..PromptReference::default()
                    }),
                    ..Evidence::default()
                },
            },
            2_000,
        );
        record.calls.push(ModelCall {
            purpose: Purpose::Answer,
            provider: "openai".into(),
            model: "m".into(),
            outcome: Outcome::TimedOut,
            status: Some(200),
            usage: Usage::counted(1, 2),
            microusd: Some(3),
            first_token_ms: None,
            total_ms: 900,
            at: 1_100,
        });
        insta::assert_json_snapshot!(record);
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn long_first_lines_make_short_titles() {
        let record = Record::accepted(&question(&"é".repeat(200)), Id::from_parts(1, 1), 0, 0);
        assert_eq!(record.title.chars().count(), TITLE_CHARS + 1);
    }
}
