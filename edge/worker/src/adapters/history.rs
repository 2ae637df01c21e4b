//! What a visitor may read again. Every statement binds the tenant and the visitor.

use bulle_edge_core::{model::Owner, ports::PortError};
use bulle_protocol::{
    Id,
    conversation::{Conversation, ConversationList, History, Message},
    session::ConversationRef,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Edge, port_error};

/// Most conversations of a list.
const MAX_CONVERSATIONS: u32 = 50;

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

impl Edge {
    /// The visitor's conversations, newest first.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn conversations(&self, owner: &Owner) -> Result<ConversationList, PortError> {
        let rows = self.conversation_rows(owner, MAX_CONVERSATIONS).await?;
        let items = rows.into_iter().map(|row| {
            Ok(Conversation {
                id: id(&row.id)?,
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
    pub async fn latest_conversation(
        &self,
        owner: &Owner,
    ) -> Result<Option<ConversationRef>, PortError> {
        let rows = self.conversation_rows(owner, 1).await?;
        let first = rows
            .first()
            .map(|row| Ok(ConversationRef { id: id(&row.id)? }));
        first.transpose()
    }

    async fn conversation_rows(
        &self,
        owner: &Owner,
        limit: u32,
    ) -> Result<Vec<ConversationRow>, PortError> {
        let statement = self.db()?.prepare(
            "SELECT id, title, created_at, updated_at FROM conversation \
             WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?3 ORDER BY updated_at DESC LIMIT ?4",
        );
        let statement = statement
            .bind(&[
                owner.tenant_id.as_str().into(),
                owner.visitor_id.to_string().into(),
                owner.bot_id.as_str().into(),
                limit.into(),
            ])
            .map_err(port_error)?;
        let result = statement.all().await.map_err(port_error)?;
        result.results().map_err(port_error)
    }

    /// A page of a conversation, oldest first: the `limit` messages before position `before`, or the last ones.
    /// `None` when there is none for this visitor.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn messages(
        &self,
        owner: &Owner,
        conversation: Id,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Option<History>, PortError> {
        let statement = self.db()?.prepare(
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
        );
        let statement = statement
            .bind(&[
                owner.tenant_id.as_str().into(),
                conversation.to_string().into(),
                owner.visitor_id.to_string().into(),
                owner.bot_id.as_str().into(),
                before.unwrap_or(i32::MAX as u32).into(),
                (limit + 1).into(),
            ])
            .map_err(port_error)?;
        let result = statement.all().await.map_err(port_error)?;
        let mut rows: Vec<MessageRow> = result.results().map_err(port_error)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| row.position.to_string());
        let mut items = rows
            .into_iter()
            .map(MessageRow::into_message)
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        Ok(Some(History { items, next }))
    }
}

impl MessageRow {
    fn into_message(self) -> Result<Message, PortError> {
        Ok(Message {
            id: id(&self.id)?,
            role: named(&self.role)?,
            blocks: parse(&self.blocks)?,
            text: self.text,
            created_at: self.created_at as u64,
            status: named(&self.status)?,
            sources: parse(&self.sources)?,
            reply_to: self.reply_to.as_deref().map(id).transpose()?,
            finish: self.finish.as_deref().map(named).transpose()?,
            feedback: self.feedback.as_deref().map(parse).transpose()?,
            attachments: parse(&self.attachments)?,
        })
    }
}

/// An id as it is stored.
pub fn id(text: &str) -> Result<Id, PortError> {
    text.parse()
        .map_err(|_| PortError(format!("not an id: {text}")))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, PortError> {
    serde_json::from_str(json).map_err(|e| PortError(e.to_string()))
}

/// A unit variant from its bare name.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, PortError> {
    parse(&format!("\"{name}\""))
}
