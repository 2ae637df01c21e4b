//! A visitor's conversations: listed, read again, renamed and deleted. Every statement binds the tenant and the visitor.

use bulle_edge_core::{model::Owner, ports::PortError};
use bulle_protocol::{
    Id,
    conversation::{Attachment, Conversation, ConversationList, History, Message},
    session::ConversationRef,
};
use serde::Deserialize;

use super::profiles::WORDS;
use crate::d1::{Database, Statement, from_json, from_name, to_id, values};

/// Most conversations of a list.
const MAX_CONVERSATIONS: u32 = 50;

/// Conversations of visitors.
pub struct Conversations<D>(pub D);

#[derive(Deserialize)]
struct ConversationRow {
    id: String,
    title: String,
    created_at: f64,
    updated_at: f64,
}

#[derive(Deserialize)]
struct MessageRow {
    position: u32,
    id: String,
    role: String,
    text: String,
    blocks: String,
    sources: String,
    status: String,
    reply_to: Option<String>,
    finish: Option<String>,
    feedback: Option<String>,
    attachments: String,
    created_at: f64,
}

impl<D: Database> Conversations<D> {
    /// The visitor's conversations, newest first, at most 50.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn list(&self, owner: &Owner) -> Result<ConversationList, PortError> {
        let rows = self.newest(owner, MAX_CONVERSATIONS).await?;
        let items = rows.into_iter().map(|row| {
            Ok(Conversation {
                id: to_id(&row.id)?,
                title: row.title,
                created_at: row.created_at as u64,
                updated_at: row.updated_at as u64,
            })
        });
        Ok(ConversationList {
            items: items.collect::<Result<_, PortError>>()?,
        })
    }

    /// The visitor's latest conversation.
    ///
    /// # Errors
    /// The database failed.
    pub async fn latest(&self, owner: &Owner) -> Result<Option<ConversationRef>, PortError> {
        let rows = self.newest(owner, 1).await?;
        rows.first()
            .map(|row| {
                Ok(ConversationRef {
                    id: to_id(&row.id)?,
                })
            })
            .transpose()
    }

    async fn newest(&self, owner: &Owner, limit: u32) -> Result<Vec<ConversationRow>, PortError> {
        let statement = Statement::new(
            "SELECT id, title, created_at, updated_at FROM conversation \
             WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?3 ORDER BY updated_at DESC LIMIT ?4",
            values![&owner.tenant_id, owner.visitor_id, &owner.bot_id, limit],
        );
        self.0.rows(statement).await
    }

    /// A page of a conversation, oldest message first: the `limit` messages before position `before`, or the last ones.
    /// `None` when the visitor has no message there.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn messages(
        &self,
        owner: &Owner,
        conversation: Id,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Option<History>, PortError> {
        let statement = Statement::new(
            "SELECT message.position, message.id, message.role, message.text, message.blocks, message.sources, \
             message.status, message.reply_to, message.finish, message.feedback, message.created_at, \
             (SELECT json_group_array(json_object('id', id, 'name', name, 'bytes', bytes)) FROM attachment \
             WHERE attachment.tenant_id = ?1 AND attachment.visitor_id = ?3 AND attachment.conversation_id = ?2 \
             AND attachment.message_id = message.id) AS attachments \
             FROM conversation \
             JOIN message ON message.tenant_id = conversation.tenant_id AND message.conversation_id = conversation.id \
             WHERE conversation.tenant_id = ?1 AND conversation.id = ?2 AND conversation.visitor_id = ?3 \
             AND conversation.bot_id = ?4 AND message.position < ?5 \
             ORDER BY message.position DESC LIMIT ?6",
            values![
                &owner.tenant_id,
                conversation,
                owner.visitor_id,
                &owner.bot_id,
                before.unwrap_or(i32::MAX as u32),
                limit + 1,
            ],
        );
        let mut rows: Vec<MessageRow> = self.0.rows(statement).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| row.position.to_string());
        let items = rows
            .into_iter()
            .rev()
            .map(MessageRow::into_message)
            .collect::<Result<_, _>>()?;
        Ok(Some(History { items, next }))
    }

    /// The files of a message of the visitor's.
    ///
    /// # Errors
    /// The database failed.
    pub async fn attachments(
        &self,
        owner: &Owner,
        conversation: Id,
        message: Id,
    ) -> Result<Vec<Attachment>, PortError> {
        let statement = Statement::new(
            "SELECT id, name, bytes FROM attachment \
             WHERE tenant_id = ?1 AND visitor_id = ?2 AND conversation_id = ?3 AND message_id = ?4",
            values![&owner.tenant_id, owner.visitor_id, conversation, message],
        );
        self.0.rows(statement).await
    }

    /// Renames a conversation. False when the visitor has none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rename(
        &self,
        owner: &Owner,
        conversation: Id,
        title: &str,
    ) -> Result<bool, PortError> {
        let statement = Statement::new(
            "UPDATE conversation SET title = ?5 \
             WHERE tenant_id = ?1 AND id = ?2 AND visitor_id = ?3 AND bot_id = ?4 RETURNING id",
            values![
                &owner.tenant_id,
                conversation,
                owner.visitor_id,
                &owner.bot_id,
                title,
            ],
        );
        self.0.any(statement).await
    }

    /// Deletes a conversation with all that belongs to it. False when the visitor has none with this id.
    ///
    /// # Errors
    /// The database failed; nothing was deleted then.
    pub async fn delete(&self, owner: &Owner, conversation: Id) -> Result<bool, PortError> {
        let values = values![
            &owner.tenant_id,
            owner.visitor_id,
            conversation,
            &owner.bot_id,
        ];
        let done = self
            .0
            .batch(WORDS.map(|sql| Statement::new(sql, values.clone())))
            .await?;
        Ok(done.last().is_some_and(|deleted| !deleted.is_empty()))
    }
}

impl MessageRow {
    fn into_message(self) -> Result<Message, PortError> {
        Ok(Message {
            id: to_id(&self.id)?,
            role: from_name(&self.role)?,
            blocks: from_json(&self.blocks)?,
            text: self.text,
            created_at: self.created_at as u64,
            status: from_name(&self.status)?,
            sources: from_json(&self.sources)?,
            reply_to: self.reply_to.as_deref().map(to_id).transpose()?,
            finish: self.finish.as_deref().map(from_name).transpose()?,
            feedback: self.feedback.as_deref().map(from_json).transpose()?,
            attachments: from_json(&self.attachments)?,
        })
    }
}
