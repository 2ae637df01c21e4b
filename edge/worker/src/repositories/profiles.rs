//! Data of visitors beside their conversations: the forms that they have filled in and the files that they have
//! attached; also the export and the erasure of all data of a visitor. Every statement binds the tenant and the
//! visitor.

use bulle_edge_core::{
    attachments::UNSENT_MS,
    guard::token::RESUME_SECONDS,
    model::{Material, Owner},
    ports::PortError,
};
use bulle_protocol::Id;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

use crate::d1::{Database, Rows, Statement, Value, to_id, to_json, values};

/// Most files of a conversation that an answer can use.
const MAX_FILES: u32 = 6;

/// Milliseconds for which an erasure is stored. A session that was resumed while the database failed may have renewed
/// its token once.
const ERASED_MS: u64 = 2 * RESUME_SECONDS * 1_000;

/// Data of visitors.
pub struct Profiles<D>(pub D);

#[derive(Deserialize)]
struct FileRow {
    id: String,
    name: String,
    text: String,
}

/// An object as JSON, and the conversation that it belongs to.
#[derive(Deserialize)]
struct Item {
    of: String,
    item: String,
}

#[derive(Deserialize)]
struct ConversationRow {
    id: String,
    bot_id: String,
    bot_since: f64,
}

impl<D: Database> Profiles<D> {
    /// Whether the visitor has filled in the bot's form.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError> {
        let statement = Statement::new(
            "SELECT 1 FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?3",
            values![&owner.tenant_id, owner.visitor_id, &owner.bot_id],
        );
        self.0.any(statement).await
    }

    /// Whether the visitor's data were erased.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_erased(&self, tenant_id: &str, visitor_id: Id) -> Result<bool, PortError> {
        let statement = Statement::new(
            "SELECT 1 FROM erased WHERE tenant_id = ?1 AND visitor_id = ?2",
            values![tenant_id, visitor_id],
        );
        self.0.any(statement).await
    }

    /// Assigns the visitor's unsent files to a message. Gives the message's files, and after them earlier files of the
    /// conversation, newest first: at most 6.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn attach(
        &self,
        owner: &Owner,
        conversation_id: Id,
        message_id: Id,
        files: &[Id],
        now_ms: u64,
    ) -> Result<Vec<Material>, PortError> {
        let whose = values![
            &owner.tenant_id,
            owner.visitor_id,
            conversation_id,
            message_id,
        ];
        let with = |more: Vec<Value>| [whose.clone(), more].concat();
        let give = Statement::new(
            "UPDATE attachment SET conversation_id = ?3, message_id = ?4 \
             WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?5 \
             AND (message_id IS NULL OR message_id = ?4) AND id IN (SELECT value FROM json_each(?6)) AND created_at > ?7",
            with(values![
                &owner.bot_id,
                to_json(files)?,
                now_ms.saturating_sub(UNSENT_MS),
            ]),
        );
        let read = Statement::new(
            "SELECT id, name, text FROM attachment \
             WHERE tenant_id = ?1 AND visitor_id = ?2 AND conversation_id = ?3 \
             ORDER BY message_id = ?4 DESC, id DESC LIMIT ?5",
            with(values![MAX_FILES]),
        );
        let [_, rows] = self.0.batch([give, read]).await?;
        let rows: Vec<FileRow> = rows.list()?;
        rows.into_iter()
            .map(|row| {
                Ok(Material {
                    id: to_id(&row.id)?,
                    name: row.name,
                    text: row.text,
                })
            })
            .collect()
    }

    /// Stores a visitor's answers to the bot's form in place of earlier ones. Nothing is stored when the bot is gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_form(
        &self,
        owner: &Owner,
        new_id: Id,
        fields: &BTreeMap<String, String>,
        consent: Option<&str>,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statement = Statement::new(
            "INSERT INTO form_answer (tenant_id, id, bot_id, visitor_id, fields, consent, updated_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) \
             ON CONFLICT (tenant_id, visitor_id, bot_id) DO UPDATE SET fields = excluded.fields, \
             consent = excluded.consent, updated_at = excluded.updated_at",
            values![
                &owner.tenant_id,
                new_id,
                &owner.bot_id,
                owner.visitor_id,
                to_json(fields)?,
                consent,
                now_ms,
            ],
        );
        self.0.execute(statement).await
    }

    /// Stores the text of a file that the visitor has attached and not sent yet. Nothing is stored when the bot is
    /// gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_file(
        &self,
        owner: &Owner,
        file: &Material,
        bytes: u64,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statement = Statement::new(
            "INSERT INTO attachment (tenant_id, id, bot_id, visitor_id, name, bytes, text, created_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3)",
            values![
                &owner.tenant_id,
                file.id,
                &owner.bot_id,
                owner.visitor_id,
                &file.name,
                bytes,
                &file.text,
                now_ms,
            ],
        );
        self.0.execute(statement).await
    }

    /// Deletes, for all tenants, files that were not sent within a day, and stored erasures that are older than any
    /// token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_old(&self, now_ms: u64) -> Result<(), PortError> {
        let files = Statement::new(
            "DELETE FROM attachment WHERE message_id IS NULL AND created_at < ?1",
            values![now_ms.saturating_sub(UNSENT_MS)],
        );
        let erasures = Statement::new(
            "DELETE FROM erased WHERE at < ?1",
            values![now_ms.saturating_sub(ERASED_MS)],
        );
        self.0.batch([files, erasures]).await.map(drop)
    }

    /// Stores that a visitor's data are erased, and lists the visitor's conversations.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn begin_erasing(
        &self,
        tenant_id: &str,
        visitor: Id,
        now_ms: u64,
    ) -> Result<Vec<(Id, Owner)>, PortError> {
        let note = Statement::new(
            "INSERT OR REPLACE INTO erased (tenant_id, visitor_id, at) VALUES (?1, ?2, ?3)",
            values![tenant_id, visitor, now_ms],
        );
        let list = Statement::new(
            "SELECT conversation.id, conversation.bot_id, bot.created_at AS bot_since FROM conversation \
             JOIN bot ON bot.tenant_id = conversation.tenant_id AND bot.id = conversation.bot_id \
             WHERE conversation.tenant_id = ?1 AND conversation.visitor_id = ?2",
            values![tenant_id, visitor],
        );
        let [_, rows] = self.0.batch([note, list]).await?;
        let rows: Vec<ConversationRow> = rows.list()?;
        rows.into_iter()
            .map(|row| {
                let owner = Owner {
                    tenant_id: tenant_id.to_owned(),
                    bot_id: row.bot_id,
                    bot_since: row.bot_since as u64,
                    visitor_id: visitor,
                };
                Ok((to_id(&row.id)?, owner))
            })
            .collect()
    }

    /// Erases all data of a visitor except the stored erasure and the cost of the answers.
    ///
    /// # Errors
    /// The database failed; nothing was erased then.
    pub async fn erase(&self, tenant_id: &str, visitor: Id) -> Result<(), PortError> {
        let whose = values![tenant_id, visitor];
        let everything = [whose.clone(), values![Value::Null, Value::Null]].concat();
        let words = WORDS.map(|sql| Statement::new(sql, everything.clone()));
        let rest = [
            "DELETE FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2",
            "DELETE FROM visitor WHERE tenant_id = ?1 AND id = ?2",
        ];
        let rest = rest.map(|sql| Statement::new(sql, whose.clone()));
        self.0
            .run(words.into_iter().chain(rest).collect())
            .await
            .map(drop)
    }

    /// All stored data of a visitor, as JSON. `counted` is the number of messages that the meter has counted today.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn export(
        &self,
        tenant_id: &str,
        visitor: Id,
        counted: Option<u64>,
        now_ms: u64,
    ) -> Result<String, PortError> {
        let values = values![tenant_id, visitor];
        let statements = EXPORT.map(|sql| Statement::new(sql, values.clone()));
        let [identity, forms, conversations, messages, files] = self.0.batch(statements).await?;
        let mut by_conversation: HashMap<String, Vec<String>> = HashMap::new();
        for row in messages.list::<Item>()? {
            by_conversation.entry(row.of).or_default().push(row.item);
        }
        let conversations: Vec<String> = conversations
            .list::<Item>()?
            .into_iter()
            .map(|row| {
                let messages = by_conversation.remove(&row.of).unwrap_or_default();
                let head = row.item.strip_suffix('}').unwrap_or_default();
                format!("{head},\"messages\":[{}]}}", messages.join(","))
            })
            .collect();
        let identity = joined(&identity)?;
        let counted = counted.map_or("null".to_owned(), |counted| counted.to_string());
        Ok(format!(
            "{{\"exported_at\":{now_ms},\"visitor_id\":\"{visitor}\",\"identity\":{},\"messages_counted_today\":{counted},\
             \"forms\":[{}],\"conversations\":[{}],\"attachments\":[{}]}}",
            if identity.is_empty() {
                "null"
            } else {
                &identity
            },
            joined(&forms)?,
            conversations.join(","),
            joined(&files)?,
        ))
    }
}

/// The objects of the rows, with commas between them.
fn joined(rows: &Rows) -> Result<String, PortError> {
    let items: Vec<Item> = rows.list()?;
    Ok(items
        .into_iter()
        .map(|row| row.item)
        .collect::<Vec<_>>()
        .join(","))
}

/// Deletes the words of the visitor `?2`: of the conversation `?3` with the bot `?4`, or of all when these are null. The
/// conversation comes last and is returned.
pub(super) const WORDS: [&str; 5] = [
    "DELETE FROM summary WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM unanswered WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM attachment WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR conversation_id = ?3 AND bot_id = ?4)",
    "DELETE FROM message WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM conversation WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4) RETURNING id",
];

/// All data of the visitor `?2`: identity, forms, conversations, messages, files. SQLite writes the JSON; a merge patch
/// leaves out members that are null. Whether JSON from a subquery is still JSON, and not text, depends on the version of
/// SQLite: `json()` reads it again.
const EXPORT: [&str; 5] = [
    "SELECT '' AS of, json_object('subject', subject, 'name', name, 'email', email, 'tier', tier, \
     'created_at', created_at, 'seen_at', seen_at) AS item FROM visitor WHERE tenant_id = ?1 AND id = ?2",
    "SELECT '' AS of, json_patch('{}', json_object('bot_id', bot_id, 'fields', json(fields), 'consent', consent, \
     'updated_at', updated_at)) AS item FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2",
    "SELECT id AS of, json_object('id', id, 'bot_id', bot_id, 'title', title, 'created_at', created_at, \
     'updated_at', updated_at, 'summaries', json((SELECT json_group_array(text) FROM summary \
     WHERE summary.tenant_id = ?1 AND summary.conversation_id = conversation.id))) AS item \
     FROM conversation WHERE tenant_id = ?1 AND visitor_id = ?2 ORDER BY id",
    "SELECT conversation_id AS of, json_patch('{}', json_object('id', id, 'role', role, 'text', text, \
     'status', status, 'reply_to', reply_to, 'feedback', json(feedback), 'created_at', created_at)) AS item \
     FROM message WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2) ORDER BY conversation_id, position",
    "SELECT '' AS of, json_patch('{}', json_object('id', id, 'name', name, 'bytes', bytes, 'text', text, \
     'message_id', message_id, 'created_at', created_at)) AS item \
     FROM attachment WHERE tenant_id = ?1 AND visitor_id = ?2 ORDER BY id",
];
