//! What is stored of a turn.

use bulle_protocol::{
    Id,
    block::{Block, blocks_to_text},
    conversation::{Role, Status},
    event::{Finish, Source, Usage},
    problem::Code,
};
use serde::{Deserialize, Serialize};

use crate::{guard::Question, ports::Owner};

/// Longest title of a conversation, in characters.
const TITLE_CHARS: usize = 80;

/// A turn, or its first half, as it goes to the permanent transcript. Stored as JSON while the database
/// cannot be reached, so its layout is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose conversation it is.
    pub owner: Owner,
    /// The conversation.
    pub conversation_id: Id,
    /// The first words of the message: the conversation's title when it is the first.
    pub title: String,
    /// The visitor's message.
    pub question: StoredMessage,
    /// The bot's, once the turn has ended.
    pub reply: Option<StoredMessage>,
}

/// A row of the table `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id.
    pub id: Id,
    /// Position in the conversation: questions are even, replies odd.
    pub position: u32,
    /// Who wrote it.
    pub role: Role,
    /// Plain text.
    pub text: String,
    /// Rich text.
    pub blocks: Vec<Block>,
    /// Sources of an answer.
    pub sources: Vec<Source>,
    /// How it stands.
    pub status: Status,
    /// How the model ended.
    pub finish: Option<Finish>,
    /// Why it failed.
    pub error: Option<Code>,
    /// Which provider wrote it; empty for a visitor's message.
    pub provider: String,
    /// Which model wrote it; empty for a visitor's message.
    pub model: String,
    /// What it cost.
    pub usage: Usage,
    /// Unix milliseconds.
    pub created_at: u64,
}

impl Record {
    /// The record of a message that has just been accepted as turn `number` (from 0) of its conversation.
    pub fn accepted(question: &Question, conversation_id: Id, number: u32, now_ms: u64) -> Self {
        let line = question.text().lines().next().unwrap_or_default();
        let mut title: String = line.chars().take(TITLE_CHARS).collect();
        if line.chars().count() > TITLE_CHARS {
            title.push('…');
        }
        Self {
            owner: question.owner(),
            conversation_id,
            title,
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
                created_at: now_ms,
            },
            reply: None,
        }
    }

    /// Adds the reply.
    pub fn reply(&mut self, reply: Reply, now_ms: u64) {
        self.reply = Some(StoredMessage {
            id: reply.id,
            position: self.question.position.saturating_add(1),
            role: Role::Assistant,
            text: blocks_to_text(&reply.blocks),
            blocks: reply.blocks,
            sources: reply.sources,
            status: match (reply.error, reply.finish) {
                (Some(_), _) => Status::Failed,
                (None, Some(Finish::Stopped)) => Status::Stopped,
                _ => Status::Complete,
            },
            finish: reply.finish,
            error: reply.error,
            provider: reply.provider,
            model: reply.model,
            usage: reply.usage,
            created_at: now_ms,
        });
    }
}

/// What is known of a reply when its turn ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its id.
    pub id: Id,
    /// What was written.
    pub blocks: Vec<Block>,
    /// What it cites.
    pub sources: Vec<Source>,
    /// How the model ended, unless it failed.
    pub finish: Option<Finish>,
    /// Why it failed.
    pub error: Option<Code>,
    /// Which provider.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// What it cost.
    pub usage: Usage,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::question;

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
                usage: Usage {
                    input_tokens: 1,
                    output_tokens: 2,
                },
            },
            2_000,
        );
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
